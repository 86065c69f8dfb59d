/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "epoch.h"
#include "uidl.h"
#include "journal-line.h"
#include "state-json.h"
#include "epoch-json-sets.h"
#include "epoch-json.h"

#include <jansson.h>

#define MEMBER_EPOCH "epoch"
#define MEMBER_UIDVALIDITY "uidvalidity"
#define MEMBER_UIDNEXT "uidnext"
#define MEMBER_LIVE "live"
#define MEMBER_LISTED "listed"
#define MEMBER_FORMAT "format"
#define MEMBER_REUSE_XUIDL "reuse_xuidl"
#define MEMBER_TOLD "told"
#define MEMBER_BELOW "below"
#define MEMBER_RECORDED "recorded"
#define MEMBER_DOWNLOADED "downloaded"
#define MEMBER_UNSURE "unsure"
#define MEMBER_UNTIL "until"
#define MEMBER_STORED "stored"
#define MEMBER_IMPORTED "imported"
#define MEMBER_JOURNAL "journal"
#define MEMBER_GENERATION "generation"
#define MEMBER_LOST "lost"
#define MEMBER_LINES "lines"
#define MEMBER_GONE "gone"
#define MEMBER_RETENTION "retention"
#define MEMBER_CHECKED "checked"
#define MEMBER_OLDEST_DOWNLOADED "oldest_downloaded"
#define MEMBER_OLDEST_UNDOWNLOADED "oldest_undownloaded"
#define MEMBER_RECHECK "recheck"
#define MEMBER_CLOCK_JUMPED "clock_jumped"
#define MEMBER_ANCHORS "anchors"
#define MEMBER_UID "uid"
#define MEMBER_GUID "guid"
#define MEMBER_HASH "hash"
#define MEMBER_UIDL "uidl"

/* *list_r is NULL if there is none. */
static int
get_list(json_t *uidl, const char *name, size_t max, json_t **list_r,
	 const char **error_r)
{
	json_t *list = json_object_get(uidl, name);

	if (list != NULL && !json_is_array(list)) {
		*error_r = t_strdup_printf("%s is not a list", name);
		return -1;
	}
	if (json_array_size(list) > max) {
		*error_r = t_strdup_printf("%s has %zu entries, expected at "
			"most %zu", name, json_array_size(list), max);
		return -1;
	}
	*list_r = list;
	return 0;
}

static int
told_parse(json_t *entry, struct policy_told *told_r, const char **error_r)
{
	if (!json_is_object(entry)) {
		*error_r = "not an object";
		return -1;
	}
	if (state_json_get_uint32(entry, MEMBER_UIDVALIDITY, 0,
				  &told_r->uidvalidity, error_r) < 0)
		return -1;
	return state_json_get_uint32(entry, MEMBER_BELOW, 1, &told_r->below,
				     error_r);
}

static int
told_list_parse(json_t *uidl, pool_t pool, struct policy_epoch *epoch,
		const char **error_r)
{
	const char *error;
	json_t *list;
	size_t i;

	if (get_list(uidl, MEMBER_TOLD, POLICY_EPOCH_MAX_TOLD, &list,
		     error_r) < 0)
		return -1;
	p_array_init(&epoch->told, pool, 2);
	for (i = 0; i < json_array_size(list); i++) {
		struct policy_told *told = array_append_space(&epoch->told);

		if (told_parse(json_array_get(list, i), told, &error) < 0) {
			*error_r = t_strdup_printf(MEMBER_TOLD": %zu: %s",
						   i + 1, error);
			return -1;
		}
	}
	return 0;
}

static int
anchor_parse(json_t *entry, pool_t pool, struct policy_anchor *anchor_r,
	     const char **error_r)
{
	const char *guid, *hash, *uidl;

	if (!json_is_object(entry)) {
		*error_r = "not an object";
		return -1;
	}
	if (state_json_get_uint32(entry, MEMBER_UID, 1, &anchor_r->uid,
				  error_r) < 0 ||
	    state_json_get_printable(entry, MEMBER_GUID, POP3_GUID_MAX_LEN,
				     &guid, error_r) < 0 ||
	    state_json_get_printable(entry, MEMBER_HASH, JOURNAL_HASH_MAX_LEN,
				     &hash, error_r) < 0)
		return -1;
	uidl = "";
	if (json_object_get(entry, MEMBER_UIDL) != NULL &&
	    state_json_get_uidl(entry, MEMBER_UIDL, &uidl, error_r) < 0)
		return -1;
	anchor_r->guid = p_strdup(pool, guid);
	anchor_r->hash = p_strdup(pool, hash);
	anchor_r->uidl = p_strdup(pool, uidl);
	return 0;
}

static int
anchors_parse(json_t *uidl, pool_t pool, struct policy_epoch *epoch,
	      const char **error_r)
{
	const char *error;
	json_t *list;
	unsigned int i;

	if (get_list(uidl, MEMBER_ANCHORS, POLICY_EPOCH_MAX_ANCHORS, &list,
		     error_r) < 0)
		return -1;
	epoch->anchors_count = json_array_size(list);
	for (i = 0; i < epoch->anchors_count; i++) {
		if (anchor_parse(json_array_get(list, i), pool,
				 &epoch->anchors[i], &error) < 0) {
			*error_r = t_strdup_printf(MEMBER_ANCHORS": %u: %s",
						   i + 1, error);
			return -1;
		}
	}
	return 0;
}

/* FALSE if there is no such member. */
static int
get_bool(json_t *parent, const char *name, bool *value_r, const char **error_r)
{
	json_t *value = json_object_get(parent, name);

	if (value != NULL && !json_is_boolean(value)) {
		*error_r = t_strdup_printf("%s is not true or false", name);
		return -1;
	}
	*value_r = json_is_true(value);
	return 0;
}

static int
journal_parse(json_t *uidl, struct policy_epoch *epoch, const char **error_r)
{
	const char *error;
	json_t *journal;

	if (state_json_get_object(uidl, MEMBER_JOURNAL, &journal, error_r) < 0)
		return -1;
	if (journal == NULL)
		return 0;
	if (state_json_get_uint32(journal, MEMBER_GENERATION, 0,
				  &epoch->journal_generation, &error) < 0 ||
	    state_json_get_uint32(journal, MEMBER_LINES, 0,
				  &epoch->journal_lines, &error) < 0 ||
	    state_json_get_uint32(journal, MEMBER_GONE, 0,
				  &epoch->journal_gone, &error) < 0 ||
	    get_bool(journal, MEMBER_LOST, &epoch->journal_lost, &error) < 0) {
		*error_r = t_strdup_printf(MEMBER_JOURNAL": %s", error);
		return -1;
	}
	return 0;
}

static int
rules_parse(json_t *uidl, pool_t pool, struct policy_epoch *epoch,
	    const char **error_r)
{
	const char *format;

	if (json_object_get(uidl, MEMBER_FORMAT) == NULL) {
		*error_r = MEMBER_FORMAT" is missing";
		return -1;
	}
	if (state_json_get_string(uidl, MEMBER_FORMAT,
				  POLICY_EPOCH_MAX_FORMAT_LEN, &format,
				  error_r) < 0)
		return -1;
	epoch->uidl_format = p_strdup(pool, format);
	return get_bool(uidl, MEMBER_REUSE_XUIDL, &epoch->reuse_xuidl,
			error_r);
}

/* A time is 0 if there is no such member. */
static int
get_time(json_t *parent, const char *name, time_t *time_r, const char **error_r)
{
	uint64_t number = 0;

	if (json_object_get(parent, name) != NULL &&
	    state_json_get_number(parent, name, &number, error_r) < 0)
		return -1;
	*time_r = (time_t)number;
	return 0;
}

static int
unsure_parse(json_t *uidl, struct policy_epoch *epoch, const char **error_r)
{
	const char *error;
	json_t *json;

	if (state_json_get_object(uidl, MEMBER_UNSURE, &json, error_r) < 0)
		return -1;
	if (json == NULL)
		return 0;
	if (state_json_get_uint32(json, MEMBER_BELOW, 1, &epoch->unsure_below,
				  &error) < 0 ||
	    get_time(json, MEMBER_UNTIL, &epoch->unsure_until, &error) < 0) {
		*error_r = t_strdup_printf(MEMBER_UNSURE": %s", error);
		return -1;
	}
	return 0;
}

static int
retention_parse(json_t *uidl, struct pop3_retention_bounds *bounds,
		const char **error_r)
{
	const char *error;
	json_t *json;

	if (state_json_get_object(uidl, MEMBER_RETENTION, &json, error_r) < 0)
		return -1;
	if (get_time(json, MEMBER_CHECKED, &bounds->checked, &error) < 0 ||
	    get_time(json, MEMBER_OLDEST_DOWNLOADED,
		     &bounds->oldest_downloaded, &error) < 0 ||
	    get_time(json, MEMBER_OLDEST_UNDOWNLOADED,
		     &bounds->oldest_undownloaded, &error) < 0 ||
	    get_time(json, MEMBER_RECHECK, &bounds->recheck, &error) < 0 ||
	    get_time(json, MEMBER_CLOCK_JUMPED, &bounds->clock_jumped,
		     &error) < 0) {
		*error_r = t_strdup_printf(MEMBER_RETENTION": %s", error);
		return -1;
	}
	return 0;
}

static int
uidl_parse(json_t *uidl, pool_t pool, struct policy_epoch *epoch,
	   const char **error_r)
{
	if (state_json_get_uint32(uidl, MEMBER_EPOCH, 1, &epoch->number,
				  error_r) < 0 ||
	    state_json_get_uint32(uidl, MEMBER_UIDVALIDITY, 1,
				  &epoch->uidvalidity, error_r) < 0 ||
	    state_json_get_uint32(uidl, MEMBER_UIDNEXT, 1, &epoch->uidnext,
				  error_r) < 0 ||
	    state_json_get_uint32(uidl, MEMBER_LIVE, 0, &epoch->live,
				  error_r) < 0 ||
	    get_time(uidl, MEMBER_LISTED, &epoch->listed, error_r) < 0 ||
	    rules_parse(uidl, pool, epoch, error_r) < 0 ||
	    told_list_parse(uidl, pool, epoch, error_r) < 0 ||
	    epoch_json_get_set(uidl, MEMBER_RECORDED, pool, &epoch->recorded,
			       error_r) < 0 ||
	    epoch_json_get_set(uidl, MEMBER_DOWNLOADED, pool,
			       &epoch->downloaded, error_r) < 0 ||
	    unsure_parse(uidl, epoch, error_r) < 0 ||
	    epoch_json_get_devices(uidl, pool, &epoch->devices, error_r) < 0 ||
	    epoch_json_get_set(uidl, MEMBER_STORED, pool, &epoch->stored,
			       error_r) < 0 ||
	    get_bool(uidl, MEMBER_IMPORTED, &epoch->imported, error_r) < 0)
		return -1;
	if (journal_parse(uidl, epoch, error_r) < 0 ||
	    retention_parse(uidl, &epoch->retention, error_r) < 0)
		return -1;
	return anchors_parse(uidl, pool, epoch, error_r);
}

int epoch_json_parse(json_t *uidl, pool_t pool, struct policy_epoch *epoch_r,
		     const char **error_r)
{
	const char *error;

	if (!json_is_object(uidl)) {
		*error_r = EPOCH_JSON_MEMBER" is not an object";
		return -1;
	}
	i_zero(epoch_r);
	if (uidl_parse(uidl, pool, epoch_r, &error) < 0) {
		*error_r = t_strdup_printf(EPOCH_JSON_MEMBER".%s", error);
		return -1;
	}
	return 0;
}

static json_t *told_list_print(const struct policy_epoch *epoch)
{
	const struct policy_told *told;
	json_t *list = json_array();

	i_assert(array_count(&epoch->told) <= POLICY_EPOCH_MAX_TOLD);

	array_foreach(&epoch->told, told) {
		json_t *entry = json_object();

		state_json_set_number(entry, MEMBER_UIDVALIDITY,
				      told->uidvalidity);
		state_json_set_number(entry, MEMBER_BELOW, told->below);
		if (json_array_append_new(list, entry) < 0)
			i_unreached();
	}
	return list;
}

static json_t *anchors_print(const struct policy_epoch *epoch)
{
	json_t *list = json_array();
	unsigned int i;

	i_assert(epoch->anchors_count <= POLICY_EPOCH_MAX_ANCHORS);

	for (i = 0; i < epoch->anchors_count; i++) {
		const struct policy_anchor *anchor = &epoch->anchors[i];
		json_t *entry = json_object();

		state_json_set_number(entry, MEMBER_UID, anchor->uid);
		if (anchor->guid[0] != '\0') {
			state_json_set(entry, MEMBER_GUID,
				       json_string(anchor->guid));
		}
		if (anchor->hash[0] != '\0') {
			state_json_set(entry, MEMBER_HASH,
				       json_string(anchor->hash));
		}
		if (anchor->uidl[0] != '\0') {
			state_json_set(entry, MEMBER_UIDL,
				       json_string(anchor->uidl));
		}
		if (json_array_append_new(list, entry) < 0)
			i_unreached();
	}
	return list;
}

/* A time before 1970 could not be read again. */
static void set_time(json_t *parent, const char *name, time_t value)
{
	if (value > 0)
		state_json_set_number(parent, name, (uint64_t)value);
	else
		(void)json_object_del(parent, name);
}

static void set_flag(json_t *parent, const char *name, bool value)
{
	if (value)
		state_json_set(parent, name, json_true());
	else
		(void)json_object_del(parent, name);
}

static void set_unsure(json_t *uidl, const struct policy_epoch *epoch)
{
	json_t *json;

	if (epoch->unsure_below == 0) {
		(void)json_object_del(uidl, MEMBER_UNSURE);
		return;
	}
	json = state_json_make_object(uidl, MEMBER_UNSURE);
	state_json_set_number(json, MEMBER_BELOW, epoch->unsure_below);
	set_time(json, MEMBER_UNTIL, epoch->unsure_until);
}

static void
set_retention(json_t *uidl, const struct pop3_retention_bounds *bounds)
{
	json_t *json = state_json_make_object(uidl, MEMBER_RETENTION);

	set_time(json, MEMBER_CHECKED, bounds->checked);
	set_time(json, MEMBER_OLDEST_DOWNLOADED, bounds->oldest_downloaded);
	set_time(json, MEMBER_OLDEST_UNDOWNLOADED, bounds->oldest_undownloaded);
	set_time(json, MEMBER_RECHECK, bounds->recheck);
	set_time(json, MEMBER_CLOCK_JUMPED, bounds->clock_jumped);
	if (json_object_size(json) == 0)
		(void)json_object_del(uidl, MEMBER_RETENTION);
}

void epoch_json_set(json_t *uidl, const struct policy_epoch *epoch)
{
	json_t *journal;

	i_assert(epoch->number > 0 && epoch->uidvalidity > 0 &&
		 epoch->uidnext > 0);

	state_json_set_number(uidl, MEMBER_EPOCH, epoch->number);
	state_json_set_number(uidl, MEMBER_UIDVALIDITY, epoch->uidvalidity);
	state_json_set_number(uidl, MEMBER_UIDNEXT, epoch->uidnext);
	state_json_set_number(uidl, MEMBER_LIVE, epoch->live);
	set_time(uidl, MEMBER_LISTED, epoch->listed);
	state_json_set(uidl, MEMBER_FORMAT, json_string(epoch->uidl_format));
	state_json_set(uidl, MEMBER_REUSE_XUIDL,
		       json_boolean(epoch->reuse_xuidl));
	state_json_set(uidl, MEMBER_TOLD, told_list_print(epoch));
	epoch_json_set_set(uidl, MEMBER_RECORDED, &epoch->recorded);
	epoch_json_set_set(uidl, MEMBER_DOWNLOADED, &epoch->downloaded);
	set_unsure(uidl, epoch);
	epoch_json_set_devices(uidl, &epoch->devices);
	epoch_json_set_set(uidl, MEMBER_STORED, &epoch->stored);
	set_flag(uidl, MEMBER_IMPORTED, epoch->imported);
	journal = state_json_make_object(uidl, MEMBER_JOURNAL);
	state_json_set_number(journal, MEMBER_GENERATION,
			      epoch->journal_generation);
	state_json_set_number(journal, MEMBER_LINES, epoch->journal_lines);
	state_json_set_number(journal, MEMBER_GONE, epoch->journal_gone);
	set_flag(journal, MEMBER_LOST, epoch->journal_lost);
	set_retention(uidl, &epoch->retention);
	state_json_set(uidl, MEMBER_ANCHORS, anchors_print(epoch));
}
