/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "epoch.h"
#include "store.h"
#include "bounds.h"

static bool
is_known(const ARRAY_TYPE(seq_range) *uids,
	 const ARRAY_TYPE(seq_range) *known)
{
	ARRAY_TYPE(seq_range) news;

	t_array_init(&news, 8);
	array_append_array(&news, uids);
	seq_range_array_remove_seq_range(&news, known);
	return array_count(&news) == 0;
}

static bool
device_is_known(const struct policy_device *device,
		const struct policy_epoch *epoch)
{
	const struct policy_device *known;

	array_foreach(&epoch->devices, known) {
		if (strcmp(known->name, device->name) == 0)
			return is_known(&device->downloaded,
					&known->downloaded);
	}
	return FALSE;
}

/* A device may have got what another one had already. */
static bool
has_downloaded_since(const struct policy_epoch *epoch,
		     const struct policy_epoch *current)
{
	const struct policy_device *device;

	if (!is_known(&current->downloaded, &epoch->downloaded))
		return TRUE;
	array_foreach(&current->devices, device) {
		if (!device_is_known(device, epoch))
			return TRUE;
	}
	return FALSE;
}

static enum policy_store_result
write_locked(struct policy_store *store, struct policy_state *state,
	     const struct policy_epoch *epoch,
	     const struct pop3_retention_bounds *bounds, const char **error_r)
{
	const struct policy_epoch *current = policy_state_epoch(state);
	struct policy_epoch news;

	if (current == NULL || current->number != epoch->number) {
		policy_store_rollback(store);
		return POLICY_STORE_OK;
	}
	news = *current;
	news.retention = *bounds;
	if (current->retention.oldest_downloaded != 0 &&
	    has_downloaded_since(epoch, current)) {
		pop3_retention_bounds_add_download(&news.retention,
			current->retention.oldest_downloaded);
	}
	policy_state_set_epoch(state, &news);
	return policy_store_commit(store, state, error_r);
}

int retention_write_bounds(struct policy_store *store,
			   const struct policy_epoch *epoch,
			   const struct pop3_retention_bounds *bounds,
			   const char **error_r)
{
	struct policy_state *state = NULL;
	enum policy_store_result result;

	result = policy_store_begin(store, &state, error_r);
	if (result == POLICY_STORE_OK)
		result = write_locked(store, state, epoch, bounds, error_r);
	policy_state_deinit(&state);
	return result == POLICY_STORE_OK ? 0 : -1;
}
