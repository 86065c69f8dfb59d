/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "epoch.h"

static void
ranges_copy(pool_t pool, const ARRAY_TYPE(seq_range) *src,
	    ARRAY_TYPE(seq_range) *dest_r)
{
	p_array_init(dest_r, pool, 4);
	if (array_is_created(src))
		array_append_array(dest_r, src);
}

void policy_epoch_copy_devices(pool_t pool, const struct policy_epoch *src,
			       struct policy_epoch *dest)
{
	ARRAY_TYPE(policy_device) devices;
	const struct policy_device *device;

	p_array_init(&devices, pool, 2);
	if (array_is_created(&src->devices)) {
		array_foreach(&src->devices, device) {
			struct policy_device *copy =
				array_append_space(&devices);

			copy->name = p_strdup(pool, device->name);
			ranges_copy(pool, &device->downloaded,
				    &copy->downloaded);
		}
	}
	dest->devices = devices;
}

void policy_epoch_copy(pool_t pool, const struct policy_epoch *src,
		       struct policy_epoch *dest_r)
{
	unsigned int i;

	*dest_r = *src;
	dest_r->uidl_format = p_strdup(pool, src->uidl_format);
	p_array_init(&dest_r->told, pool, 4);
	if (array_is_created(&src->told))
		array_append_array(&dest_r->told, &src->told);
	ranges_copy(pool, &src->recorded, &dest_r->recorded);
	ranges_copy(pool, &src->downloaded, &dest_r->downloaded);
	ranges_copy(pool, &src->stored, &dest_r->stored);
	policy_epoch_copy_devices(pool, src, dest_r);
	for (i = 0; i < src->anchors_count; i++) {
		struct policy_anchor *anchor = &dest_r->anchors[i];

		anchor->guid = p_strdup(pool, anchor->guid);
		anchor->hash = p_strdup(pool, anchor->hash);
		anchor->uidl = p_strdup(pool, anchor->uidl);
	}
}

static struct policy_device *
find_device(const struct policy_epoch *epoch, const char *name)
{
	struct policy_device *device;

	array_foreach_modifiable(&epoch->devices, device) {
		if (strcmp(device->name, name) == 0)
			return device;
	}
	return NULL;
}

bool policy_epoch_device_has(const struct policy_epoch *epoch,
			     const char *name, uint32_t uid)
{
	const struct policy_device *device = find_device(epoch, name);

	return device != NULL && seq_range_exists(&device->downloaded, uid);
}

static void forget_device(struct policy_epoch *epoch)
{
	const struct policy_device *device;
	unsigned int count, fewest = UINT_MAX, fewest_idx = 0;

	array_foreach(&epoch->devices, device) {
		count = seq_range_count(&device->downloaded);
		if (count < fewest) {
			fewest = count;
			fewest_idx = array_foreach_idx(&epoch->devices, device);
		}
	}
	array_delete(&epoch->devices, fewest_idx, 1);
}

void policy_epoch_device_add(pool_t pool, struct policy_epoch *epoch,
			     const char *name, uint32_t uid)
{
	struct policy_device *device = find_device(epoch, name);

	if (device == NULL) {
		if (array_count(&epoch->devices) == POP3_DEVICES_MAX)
			forget_device(epoch);
		device = array_append_space(&epoch->devices);
		device->name = p_strdup(pool, name);
		p_array_init(&device->downloaded, pool, 4);
	}
	seq_range_array_add(&device->downloaded, uid);
}
