/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "crc32.h"
#include "str.h"
#include "brief.h"
#include "epoch.h"
#include "state.h"
#include "fuzz.h"

#include <jansson.h>

/* What is read of a state keeps the bounds that all others trust, stays the same
   when it is written, and takes along what it does not know. */

const char *const fuzz_corpus = "state";

#define BRIEF_BEGIN "{\"brief\":\""
#define CHECKSUM_LEN 8

static struct policy_state *
parse(const void *data, size_t size, enum policy_state_parse_result *result_r)
{
	struct policy_state *state = NULL;
	const char *error = NULL;

	*result_r = policy_state_parse(data, size, &state, &error);
	i_assert((*result_r == POLICY_STATE_PARSED) == (state != NULL));
	if (state == NULL)
		fuzz_check_error(error);
	return state;
}

static void check_printable(const char *text, size_t max_len)
{
	i_assert(strlen(text) <= max_len);
	for (; *text != '\0'; text++)
		i_assert(*text > ' ' && *text <= '~');
}

static void check_set(const ARRAY_TYPE(seq_range) *uids)
{
	const struct seq_range *range;
	uint32_t above = 0;

	i_assert(array_count(uids) <= POLICY_EPOCH_MAX_RANGES);
	array_foreach(uids, range) {
		i_assert(range->seq1 > above && range->seq1 <= range->seq2);
		above = range->seq2;
	}
}

static void check_anchors(const struct policy_epoch *epoch)
{
	const struct policy_anchor *anchor = epoch->anchors;
	unsigned int i;

	i_assert(epoch->anchors_count <= POLICY_EPOCH_MAX_ANCHORS);
	for (i = 0; i < epoch->anchors_count; i++, anchor++) {
		i_assert(anchor->uid > 0);
		check_printable(anchor->guid, 100);
		check_printable(anchor->hash, 100);
		check_printable(anchor->uidl, 70);
	}
}

static void check_devices(const struct policy_epoch *epoch)
{
	const struct policy_device *device;
	const char *error;

	i_assert(array_count(&epoch->devices) <= POP3_DEVICES_MAX);
	array_foreach(&epoch->devices, device) {
		i_assert(pop3_device_name_is_valid(device->name, &error));
		check_set(&device->downloaded);
	}
}

static void check_epoch(const struct policy_epoch *epoch)
{
	i_assert(epoch->number > 0);
	i_assert(strlen(epoch->uidl_format) <= POLICY_EPOCH_MAX_FORMAT_LEN);
	i_assert(array_count(&epoch->told) <= POLICY_EPOCH_MAX_TOLD);
	check_set(&epoch->recorded);
	check_set(&epoch->downloaded);
	check_set(&epoch->stored);
	check_devices(epoch);
	check_anchors(epoch);
}

static const char *print(struct policy_state *state)
{
	string_t *text = t_str_new(4096);

	policy_state_print(state, text);
	i_assert(str_len(text) == strlen(str_c(text)));
	i_assert(str_c(text)[str_len(text) - 1] == '\n');
	return str_c(text);
}

/* The brief says what the rest says. */
static void check_brief(struct policy_state *state, const char *text)
{
	const struct policy_epoch *epoch = policy_state_epoch(state);
	const struct policy_anchor *anchor;
	pool_t pool = pool_alloconly_create("fuzz", 1024);
	struct policy_epoch brief;

	if (policy_brief_parse(text, strlen(text), pool, &brief) > 0) {
		i_assert(epoch != NULL);
		i_assert(brief.number == epoch->number &&
			 brief.uidvalidity == epoch->uidvalidity &&
			 brief.uidnext == epoch->uidnext &&
			 brief.live == epoch->live &&
			 brief.reuse_xuidl == epoch->reuse_xuidl &&
			 strcmp(brief.uidl_format, epoch->uidl_format) == 0);
		i_assert(memcmp(&brief.retention, &epoch->retention,
				sizeof(brief.retention)) == 0);
		i_assert((brief.anchors_count > 0) ==
			 (epoch->anchors_count > 0));
		anchor = &epoch->anchors[0];
		i_assert(brief.anchors_count == 0 ||
			 (brief.anchors[0].uid == anchor->uid &&
			  strcmp(brief.anchors[0].guid, anchor->guid) == 0 &&
			  strcmp(brief.anchors[0].hash, anchor->hash) == 0 &&
			  strcmp(brief.anchors[0].uidl, anchor->uidl) == 0));
	}
	pool_unref(&pool);
}

/* Members of others are as they were. */
static void check_kept(const void *data, size_t size, const char *text)
{
	json_t *before = json_loadb(data, size, JSON_REJECT_DUPLICATES, NULL);
	json_t *after = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const char *name;
	json_t *value;

	i_assert(before != NULL && after != NULL);
	json_object_foreach(before, name, value) {
		if (strcmp(name, "version") != 0 &&
		    strcmp(name, "brief") != 0 &&
		    strcmp(name, "quota") != 0 && strcmp(name, "uidl") != 0)
			i_assert(json_equal(value,
					    json_object_get(after, name)));
	}
	json_decref(before);
	json_decref(after);
}

/* The same state, but for an epoch that was set. */
static const char *print_anew(struct policy_state *state)
{
	struct policy_epoch epoch;
	pool_t pool = pool_alloconly_create("fuzz", 1024);

	if (policy_state_epoch(state) != NULL) {
		policy_epoch_copy(pool, policy_state_epoch(state), &epoch);
		policy_state_set_epoch(state, &epoch);
	}
	pool_unref(&pool);
	return print(state);
}

static void check_parsed(struct policy_state *state, const void *data,
			 size_t size)
{
	enum policy_state_parse_result result;
	struct policy_state *same;
	const char *text, *again;

	if (policy_state_epoch(state) != NULL)
		check_epoch(policy_state_epoch(state));
	text = print(state);
	check_kept(data, size, text);
	check_brief(state, text);

	same = parse(text, strlen(text), &result);
	i_assert(result == POLICY_STATE_PARSED);
	i_assert(memcmp(policy_state_quota(state), policy_state_quota(same),
			sizeof(struct pop3_quota_counters)) == 0);
	i_assert(strcmp(print(same), text) == 0);
	/* now all that is known of it is written, and in its own way */
	text = print_anew(same);
	policy_state_deinit(&same);
	same = parse(text, strlen(text), &result);
	i_assert(result == POLICY_STATE_PARSED);
	if (policy_state_epoch(same) != NULL)
		check_epoch(policy_state_epoch(same));
	check_brief(same, text);
	again = print_anew(same);
	i_assert(strcmp(again, text) == 0);
	policy_state_deinit(&same);
}

static void check_state(const uint8_t *data, size_t size)
{
	enum policy_state_parse_result result;
	struct policy_state *state = parse(data, size, &result);

	if (state != NULL)
		check_parsed(state, data, size);
	policy_state_deinit(&state);
}

/* Also one whose checksum is right: who owns the file can make it so. */
static void check_any_brief(const uint8_t *data, size_t size)
{
	const size_t begin_len = strlen(BRIEF_BEGIN);
	const size_t rest_pos = begin_len + CHECKSUM_LEN + 1;
	pool_t pool = pool_alloconly_create("fuzz", 1024);
	string_t *text = t_str_new(size + 1);
	struct policy_epoch epoch;

	str_append_data(text, data, size);
	(void)policy_brief_parse(str_data(text), size, pool, &epoch);
	if (size > rest_pos && memcmp(data, BRIEF_BEGIN, begin_len) == 0) {
		buffer_write(text, begin_len, t_strdup_printf("%08x",
			crc32_data_more(0, data + rest_pos, size - rest_pos)),
			CHECKSUM_LEN);
		if (policy_brief_parse(str_data(text), size, pool,
				       &epoch) > 0) {
			i_assert(epoch.uidnext > 0);
			check_set(&epoch.recorded);
			check_set(&epoch.stored);
		}
	}
	pool_unref(&pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_init();
	T_BEGIN {
		check_state(data, size);
		check_any_brief(data, size);
	} T_END;
	return 0;
}
