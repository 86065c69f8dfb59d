/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "strnum.h"
#include "imap-util.h"
#include "state-json.h"
#include "epoch-json-sets.h"

#include <jansson.h>

#define MEMBER_DEVICES "devices"

/* "4294967295:4294967295," */
#define RANGE_MAX_LEN 22
#define SET_MAX_LEN (POLICY_EPOCH_MAX_RANGES * RANGE_MAX_LEN)

/* IMAP's sequence-set without "*". Dovecot's parser wraps numbers that are too
   large, and takes the largest one for "*". */
static bool ranges_parse(const char *p, ARRAY_TYPE(seq_range) *ranges)
{
	uint32_t first, last;

	for (;;) {
		if (str_parse_uint32(p, &first, &p) < 0 || first == 0)
			return FALSE;
		last = first;
		if (*p == ':' &&
		    (str_parse_uint32(p + 1, &last, &p) < 0 || last == 0))
			return FALSE;
		seq_range_array_add_range(ranges, I_MIN(first, last),
					  I_MAX(first, last));
		if (*p == '\0')
			return TRUE;
		if (*p++ != ',')
			return FALSE;
	}
}

int epoch_json_get_set(json_t *uidl, const char *name, pool_t pool,
		       ARRAY_TYPE(seq_range) *uids_r, const char **error_r)
{
	const char *text;

	if (state_json_get_string(uidl, name, SET_MAX_LEN, &text, error_r) < 0)
		return -1;
	p_array_init(uids_r, pool, 4);
	if (*text != '\0' && !ranges_parse(text, uids_r)) {
		*error_r = t_strdup_printf("%s is not a set of UIDs such as "
					   "\"1:7,9\"", name);
		return -1;
	}
	if (array_count(uids_r) > POLICY_EPOCH_MAX_RANGES) {
		*error_r = t_strdup_printf("%s has %u ranges, expected at "
			"most %u", name, array_count(uids_r),
			POLICY_EPOCH_MAX_RANGES);
		return -1;
	}
	return 0;
}

void epoch_json_set_set(json_t *uidl, const char *name,
			const ARRAY_TYPE(seq_range) *uids)
{
	string_t *text;

	i_assert(array_count(uids) <= POLICY_EPOCH_MAX_RANGES);

	if (array_count(uids) == 0) {
		(void)json_object_del(uidl, name);
		return;
	}
	text = t_str_new(SET_MAX_LEN);
	imap_write_seq_range(text, uids);
	state_json_set(uidl, name, json_string(str_c(text)));
}

static int
device_parse(json_t *json, const char *name, pool_t pool,
	     struct policy_device *device, const char **error_r)
{
	if (!pop3_device_name_is_valid(name, error_r))
		return -1;
	device->name = p_strdup(pool, name);
	return epoch_json_get_set(json, name, pool, &device->downloaded,
				  error_r);
}

int epoch_json_get_devices(json_t *uidl, pool_t pool,
			   ARRAY_TYPE(policy_device) *devices_r,
			   const char **error_r)
{
	const char *name, *error;
	json_t *json, *set;

	p_array_init(devices_r, pool, 2);
	if (state_json_get_object(uidl, MEMBER_DEVICES, &json, error_r) < 0)
		return -1;
	if (json_object_size(json) > POP3_DEVICES_MAX) {
		*error_r = t_strdup_printf(MEMBER_DEVICES" has %zu entries, "
			"expected at most %u", json_object_size(json),
			POP3_DEVICES_MAX);
		return -1;
	}
	json_object_foreach(json, name, set) {
		if (device_parse(json, name, pool,
				 array_append_space(devices_r), &error) < 0) {
			*error_r = t_strdup_printf(MEMBER_DEVICES": %s", error);
			return -1;
		}
	}
	return 0;
}

void epoch_json_set_devices(json_t *uidl,
			    const ARRAY_TYPE(policy_device) *devices)
{
	const struct policy_device *device;
	json_t *json = json_object();

	i_assert(array_count(devices) <= POP3_DEVICES_MAX);

	array_foreach(devices, device)
		epoch_json_set_set(json, device->name, &device->downloaded);
	if (json_object_size(json) > 0) {
		state_json_set(uidl, MEMBER_DEVICES, json);
	} else {
		(void)json_object_del(uidl, MEMBER_DEVICES);
		json_decref(json);
	}
}
