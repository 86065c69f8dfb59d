/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "imap-util.h"
#include "test-common.h"
#include "epoch.h"
#include "journal-line.h"
#include "state.h"
#include "uidl.h"
#include "test-state-text.h"
#include "test-epoch-text.h"

#define BYTES POP3_QUOTA_BYTES
#define MESSAGES POP3_QUOTA_MESSAGES
#define DAY POP3_QUOTA_WINDOW_DAY

static struct policy_state *parse(const char *text)
{
	struct policy_state *state;
	const char *error;

	if (policy_state_parse(text, strlen(text), &state, &error) !=
	    POLICY_STATE_PARSED)
		i_fatal("policy_state_parse(%s): %s", text, error);
	return state;
}

static const char *print(struct policy_state *state)
{
	string_t *text = t_str_new(4096);

	policy_state_print(state, text);
	return str_c(text);
}

static const char *ranges_text(const ARRAY_TYPE(seq_range) *ranges)
{
	string_t *text = t_str_new(128);

	imap_write_seq_range(text, ranges);
	return str_c(text);
}

static void assert_retention(const struct pop3_retention_bounds *bounds)
{
	test_assert(bounds->checked == 1600000001);
	test_assert(bounds->oldest_downloaded == 1600000002);
	test_assert(bounds->oldest_undownloaded == 1600000003);
	test_assert(bounds->recheck == 1600000004);
	test_assert(bounds->clock_jumped == 1600000005);
}

static const char *devices_text(const struct policy_epoch *epoch)
{
	const struct policy_device *device;
	string_t *text = t_str_new(128);

	array_foreach(&epoch->devices, device) {
		str_printfa(text, "%s%s=%s", str_len(text) == 0 ? "" : " ",
			    device->name, ranges_text(&device->downloaded));
	}
	return str_c(text);
}

/* The epoch of EPOCH_TEXT. */
static void assert_epoch(const struct policy_epoch *epoch)
{
	const struct policy_told *told;

	test_assert(epoch->number == 3);
	test_assert(epoch->uidvalidity == 1700000000);
	test_assert(epoch->uidnext == 100001);
	test_assert(epoch->live == 99990);
	test_assert(epoch->listed == 1650000000);
	test_assert_strcmp(epoch->uidl_format, "%08Xu%08Xv");
	test_assert(!epoch->reuse_xuidl);
	test_assert(epoch->imported);
	test_assert(array_count(&epoch->told) == 1);
	told = array_front(&epoch->told);
	test_assert(told->uidvalidity == 11 && told->below == 12);
	test_assert_strcmp(ranges_text(&epoch->recorded), "1:5000,6000:6001");
	test_assert_strcmp(ranges_text(&epoch->downloaded), "1:10");
	test_assert_strcmp(devices_text(epoch), "phone=1:4,9 laptop=2");
	test_assert_strcmp(ranges_text(&epoch->stored), "7");
	test_assert(epoch->journal_generation == 4);
	test_assert(epoch->journal_lines == 1234);
	test_assert(epoch->journal_gone == 5);
	assert_retention(&epoch->retention);
	test_assert(epoch->anchors_count == 2);
	test_assert(epoch->anchors[0].uid == 21);
	test_assert_strcmp(epoch->anchors[0].guid, "a.guid");
	test_assert_strcmp(epoch->anchors[0].hash, "a.hash");
	test_assert_strcmp(epoch->anchors[0].uidl, "a.uidl");
	test_assert(epoch->anchors[1].uid == 22);
	test_assert_strcmp(epoch->anchors[1].guid, "");
	test_assert_strcmp(epoch->anchors[1].hash, "");
	test_assert_strcmp(epoch->anchors[1].uidl, "b.uidl");
}

static void test_round_trip(void)
{
	struct policy_state *state = parse(EPOCH_STATE_TEXT), *fresh, *again;
	struct policy_epoch epoch;
	const char *text;

	test_begin("epoch: parse and print");
	assert_epoch(policy_state_epoch(state));
	text = print(state);
	again = parse(text);
	assert_epoch(policy_state_epoch(again));
	test_assert_strcmp(print(again), text);

	/* put into a state that had none */
	fresh = policy_state_init();
	test_assert(policy_state_epoch(fresh) == NULL);
	test_assert(strstr(print(fresh), "uidl") == NULL);
	policy_state_set_epoch(fresh, policy_state_epoch(again));
	policy_state_deinit(&again);
	assert_epoch(policy_state_epoch(fresh));
	again = parse(print(fresh));
	assert_epoch(policy_state_epoch(again));
	policy_state_deinit(&again);
	policy_state_deinit(&fresh);

	/* a shallow copy that is changed has strings of the old one */
	epoch = *policy_state_epoch(state);
	epoch.number++;
	epoch.reuse_xuidl = TRUE;
	policy_state_set_epoch(state, &epoch);
	epoch = *policy_state_epoch(state);
	epoch.number--;
	epoch.reuse_xuidl = FALSE;
	policy_state_set_epoch(state, &epoch);
	assert_epoch(policy_state_epoch(state));
	test_assert_strcmp(print(state), text);
	epoch = *policy_state_epoch(state);
	epoch.reuse_xuidl = TRUE;
	policy_state_set_epoch(state, &epoch);
	test_assert(strstr(print(state), "\"reuse_xuidl\":true") != NULL);
	policy_state_deinit(&state);
	test_end();
}

static const char *times_text(const struct pop3_retention_bounds *bounds)
{
	return t_strdup_printf("%"PRIdTIME_T" %"PRIdTIME_T" %"PRIdTIME_T
		" %"PRIdTIME_T" %"PRIdTIME_T, bounds->checked,
		bounds->oldest_downloaded, bounds->oldest_undownloaded,
		bounds->recheck, bounds->clock_jumped);
}

static void test_little(void)
{
	struct policy_state *state;
	struct policy_epoch epoch;
	const struct policy_epoch *read;

	test_begin("epoch: members that have nothing to say");
	state = parse("{\"version\":1,\"uidl\":{\"epoch\":1,\"uidvalidity\":2,"
		      "\"uidnext\":3,\"live\":0,\"format\":\"\"}}");
	read = policy_state_epoch(state);
	test_assert(read->number == 1 && read->uidvalidity == 2 &&
		    read->uidnext == 3 && read->live == 0 &&
		    read->listed == 0);
	test_assert(!read->reuse_xuidl && read->journal_generation == 0 &&
		    read->anchors_count == 0);
	test_assert_strcmp(times_text(&read->retention), "0 0 0 0 0");
	test_assert(array_count(&read->told) == 0 &&
		    array_count(&read->recorded) == 0 &&
		    array_count(&read->downloaded) == 0 &&
		    array_count(&read->stored) == 0 &&
		    array_count(&read->devices) == 0);
	policy_state_deinit(&state);

	/* arrays that were not created are empty */
	i_zero(&epoch);
	epoch.number = epoch.uidvalidity = epoch.uidnext = 1;
	epoch.uidl_format = "";
	state = parse(EPOCH_STATE_TEXT);
	policy_state_set_epoch(state, &epoch);
	test_assert(strstr(print(state), "\"uidl\":{\"epoch\":1,"
		"\"uidvalidity\":1,\"uidnext\":1,\"live\":0,"
		"\"format\":\"\",\"reuse_xuidl\":false,\"told\":[],"
		"\"journal\":{\"generation\":0,\"lines\":0,\"gone\":0},"
		"\"anchors\":[]}") != NULL);
	policy_state_deinit(&state);
	test_end();
}

static void test_devices(void)
{
	static const char *const no_devices[] = {
		"{}", "{\"phone\":\"\"}",
	};
	struct policy_state *state;
	struct policy_epoch epoch;
	pool_t pool = pool_alloconly_create("test devices", 4096);
	unsigned int i;

	test_begin("epoch: devices");
	for (i = 0; i < N_ELEMENTS(no_devices); i++) {
		state = parse(replace(EPOCH_STATE_TEXT, DEVICES_TEXT,
				      no_devices[i]));
		policy_epoch_copy(pool, policy_state_epoch(state), &epoch);
		epoch.number++;
		policy_state_set_epoch(state, &epoch);
		/* nothing is left of them */
		test_assert_idx(strstr(print(state), "devices") == NULL, i);
		policy_state_deinit(&state);
	}

	state = parse(EPOCH_STATE_TEXT);
	policy_epoch_copy(pool, policy_state_epoch(state), &epoch);
	test_assert(policy_epoch_device_has(&epoch, "phone", 9));
	test_assert(!policy_epoch_device_has(&epoch, "phone", 5));
	test_assert(!policy_epoch_device_has(&epoch, "Phone", 9));
	policy_epoch_device_add(pool, &epoch, "tablet", 3);
	policy_epoch_device_add(pool, &epoch, "laptop", 3);
	test_assert_strcmp(devices_text(&epoch),
			   "phone=1:4,9 laptop=2:3 tablet=3");
	/* the state has its own */
	test_assert_strcmp(devices_text(policy_state_epoch(state)),
			   "phone=1:4,9 laptop=2");
	policy_state_set_epoch(state, &epoch);
	test_assert(strstr(print(state), "\"devices\":{\"phone\":\"1:4,9\","
		"\"laptop\":\"2:3\",\"tablet\":\"3\"},") != NULL);
	array_delete(&epoch.devices, 1, 2);
	policy_state_set_epoch(state, &epoch);
	test_assert(strstr(print(state), "\"devices\":{\"phone\":\"1:4,9\"},")
		    != NULL);
	policy_state_deinit(&state);
	pool_unref(&pool);
	test_end();
}

static void test_too_many_devices(void)
{
	struct policy_epoch epoch;
	pool_t pool = pool_alloconly_create("test devices", 4096);
	const struct policy_epoch none = { .uidl_format = "" };
	unsigned int i, uid;

	test_begin("epoch: too many devices");
	policy_epoch_copy(pool, &none, &epoch);
	test_assert(!policy_epoch_device_has(&epoch, "d0", 1));
	/* d0 has 20 UIDs, d7 only one, the others more */
	for (i = 0; i < POP3_DEVICES_MAX; i++) {
		for (uid = 1; uid <= (i == 7 ? 1 : 20 - i); uid++) {
			policy_epoch_device_add(pool, &epoch,
				t_strdup_printf("d%u", i), uid);
		}
	}
	test_assert(array_count(&epoch.devices) == POP3_DEVICES_MAX);
	policy_epoch_device_add(pool, &epoch, "d3", 30);
	test_assert(policy_epoch_device_has(&epoch, "d7", 1));
	policy_epoch_device_add(pool, &epoch, "new", 1);
	test_assert(array_count(&epoch.devices) == POP3_DEVICES_MAX);
	test_assert(!policy_epoch_device_has(&epoch, "d7", 1));
	test_assert(policy_epoch_device_has(&epoch, "new", 1));
	policy_epoch_device_add(pool, &epoch, "newer", 2);
	test_assert(!policy_epoch_device_has(&epoch, "new", 1));
	test_assert(policy_epoch_device_has(&epoch, "newer", 2));
	for (i = 0; i < POP3_DEVICES_MAX; i++) {
		test_assert_idx(i == 7 || policy_epoch_device_has(&epoch,
			t_strdup_printf("d%u", i), 20 - i), i);
	}
	pool_unref(&pool);
	test_end();
}

/* What is read of the retention, and whether printing that gives it again. */
static void test_retention(void)
{
	static const struct {
		const char *text, *times, *printed;
	} tests[] = {
		{ RETENTION_TEXT, "1600000001 1600000002 1600000003 "
		  "1600000004 1600000005", RETENTION_TEXT },
		{ "{}", "0 0 0 0 0", NULL },
		{ "{\"checked\":0,\"recheck\":0}", "0 0 0 0 0", NULL },
		{ "{\"checked\":1}", "1 0 0 0 0", "{\"checked\":1}" },
		{ "{\"oldest_downloaded\":9223372036854775807}",
		  "0 9223372036854775807 0 0 0",
		  "{\"oldest_downloaded\":9223372036854775807}" },
		{ "{\"oldest_undownloaded\":4294967296}",
		  "0 0 4294967296 0 0",
		  "{\"oldest_undownloaded\":4294967296}" },
		{ "{\"recheck\":2147483648}", "0 0 0 2147483648 0",
		  "{\"recheck\":2147483648}" },
		{ "{\"clock_jumped\":5}", "0 0 0 0 5",
		  "{\"clock_jumped\":5}" },
		{ "{\"x-old\":1,\"recheck\":0}", "0 0 0 0 0",
		  "{\"x-old\":1}" },
	};
	struct policy_state *state;
	struct policy_epoch epoch;
	const char *text;
	unsigned int i;

	test_begin("epoch: what is known of retention");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		state = parse(replace(EPOCH_STATE_TEXT, RETENTION_TEXT,
				      tests[i].text));
		epoch = *policy_state_epoch(state);
		test_assert_strcmp_idx(times_text(&epoch.retention),
				       tests[i].times, i);
		policy_state_set_epoch(state, &epoch);
		text = print(state);
		if (tests[i].printed == NULL) {
			test_assert_idx(strstr(text, "retention") == NULL, i);
		} else {
			test_assert_idx(strstr(text, t_strconcat(
				"\"retention\":", tests[i].printed, ",",
				NULL)) != NULL, i);
		}
		policy_state_deinit(&state);
	}
	test_end();
}

/* Times that are over go, and none is written that could not be read. */
static void test_retention_over(void)
{
	struct policy_state *state = parse(EPOCH_STATE_TEXT);
	struct policy_epoch epoch = *policy_state_epoch(state);

	test_begin("epoch: retention of which nothing is known any more");
	epoch.retention.recheck = 0;
	epoch.retention.clock_jumped = -1;
	epoch.retention.checked = (time_t)INT64_MIN;
	policy_state_set_epoch(state, &epoch);
	test_assert(strstr(print(state), "\"retention\":{"
		"\"oldest_downloaded\":1600000002,"
		"\"oldest_undownloaded\":1600000003},") != NULL);
	epoch = *policy_state_epoch(state);
	i_zero(&epoch.retention);
	policy_state_set_epoch(state, &epoch);
	test_assert(strstr(print(state), "retention") == NULL);
	policy_state_deinit(&state);
	test_end();
}

static void test_ranges(void)
{
	static const struct {
		const char *text, *result;
	} tests[] = {
		{ "", "" },
		{ "1", "1" },
		{ "1:1", "1" },
		{ "4294967295", "4294967295" },
		{ "1:4294967295", "1:4294967295" },
		{ "4294967294:4294967295", "4294967294:4294967295" },
		{ "9:7", "7:9" },
		{ "5,3,4", "3:5" },
		{ "1:5,2:9,7:8", "1:9" },
		{ "007", "7" },
		{ "2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32,34,36",
		  "2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32,34,36" },
	};
	struct policy_state *state;
	unsigned int i;

	test_begin("epoch: sets of UIDs");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		state = parse(replace(EPOCH_STATE_TEXT, "1:5000,6000:6001",
				      tests[i].text));
		test_assert_strcmp_idx(ranges_text(&policy_state_epoch(state)->
						   recorded),
				       tests[i].result, i);
		policy_state_deinit(&state);
	}
	test_end();
}

static void test_unknown_members(void)
{
	static const char *const places[] = {
		"{\"epoch\":3", "{\"generation\":4", "{\"version\":1",
		"{\"checked\":1",
	};
	struct policy_state *state;
	struct policy_epoch epoch;
	const char *text;
	unsigned int i;

	test_begin("epoch: unknown members are kept");
	for (i = 0; i < N_ELEMENTS(places); i++) {
		text = t_strconcat("{\"x-old\":[1,{\"a\":null}],",
				   places[i] + 1, NULL);
		state = parse(replace(EPOCH_STATE_TEXT, places[i], text));
		epoch = *policy_state_epoch(state);
		epoch.number = epoch.journal_generation = 77;
		i_zero(&epoch.retention);
		policy_state_set_epoch(state, &epoch);
		policy_state_quota(state)->window[DAY].used.n[BYTES] = 5;
		text = print(state);
		test_assert_idx(strstr(text, "\"x-old\":[1,{\"a\":null}]")
				!= NULL, i);
		test_assert_idx(strstr(text, "\"epoch\":77") != NULL, i);
		test_assert_idx(strstr(text, "\"generation\":77") != NULL, i);
		policy_state_deinit(&state);
	}

	/* also when the epoch is not touched, and those in lists then, too */
	state = parse(replace(EPOCH_STATE_TEXT, "\"uid\":21",
			      "\"x-old\":1,\"uid\":21"));
	policy_state_quota(state)->window[DAY].used.n[BYTES] = 5;
	test_assert(strstr(print(state), "\"x-old\":1") != NULL);
	policy_state_deinit(&state);
	test_end();
}

/* What was set and not written is not what is known. */
static void test_unchanged(void)
{
	struct policy_state *state = parse(EPOCH_STATE_TEXT), *again;
	struct policy_epoch epoch = *policy_state_epoch(state);

	test_begin("epoch: what was set and not written");
	epoch.number = 8;
	policy_state_set_epoch(state, &epoch);
	epoch.number = 9;
	policy_state_set_epoch(state, &epoch);
	test_assert(policy_state_epoch(state)->number == 9);
	again = policy_state_ref(state);
	test_assert(policy_state_ref_unchanged(state) == NULL);
	test_assert(policy_state_epoch(state)->number == 9);
	policy_state_deinit(&again);
	again = policy_state_ref_unchanged(state);
	assert_epoch(policy_state_epoch(state));
	policy_state_deinit(&again);

	/* what was printed is what it is */
	epoch = *policy_state_epoch(state);
	epoch.number = 8;
	policy_state_set_epoch(state, &epoch);
	(void)print(state);
	epoch = *policy_state_epoch(state);
	epoch.number = 9;
	policy_state_set_epoch(state, &epoch);
	again = policy_state_ref_unchanged(state);
	test_assert(policy_state_epoch(state)->number == 8);
	policy_state_deinit(&again);
	policy_state_deinit(&state);

	/* that there was none, too */
	state = parse(EPOCH_STATE_TEXT);
	again = policy_state_init();
	policy_state_set_epoch(again, policy_state_epoch(state));
	policy_state_deinit(&state);
	assert_epoch(policy_state_epoch(again));
	state = policy_state_ref_unchanged(again);
	test_assert(policy_state_epoch(state) == NULL);
	policy_state_deinit(&state);
	policy_state_deinit(&again);
	test_end();
}

static void test_copy(void)
{
	struct policy_state *state = parse(EPOCH_STATE_TEXT);
	pool_t pool = pool_alloconly_create("test epoch", 128);
	struct policy_epoch copy;

	test_begin("epoch: copy");
	policy_epoch_copy(pool, policy_state_epoch(state), &copy);
	assert_epoch(policy_state_epoch(state));
	seq_range_array_add(&copy.recorded, 8000);
	array_clear(&copy.told);
	assert_epoch(policy_state_epoch(state));
	policy_epoch_copy(pool, policy_state_epoch(state), &copy);
	policy_state_deinit(&state);
	assert_epoch(&copy);
	pool_unref(&pool);
	test_end();
}

/* Every number and string as long as it can be. */
static void fill_epoch(struct policy_epoch *epoch_r, char c)
{
	ARRAY_TYPE(seq_range) *const sets[] = {
		&epoch_r->recorded, &epoch_r->downloaded, &epoch_r->stored
	};
	const struct policy_told told = { UINT32_MAX, UINT32_MAX };
	char *text = t_malloc_no0(POP3_GUID_MAX_LEN + 1);
	unsigned int i, j;

	i_zero(epoch_r);
	epoch_r->number = epoch_r->uidvalidity = epoch_r->uidnext =
		epoch_r->live = epoch_r->journal_generation =
		epoch_r->journal_lines = epoch_r->journal_gone = UINT32_MAX;
	epoch_r->listed = (time_t)INT64_MAX;
	epoch_r->retention = (struct pop3_retention_bounds){
		.checked = (time_t)INT64_MAX,
		.oldest_downloaded = (time_t)INT64_MAX,
		.oldest_undownloaded = (time_t)INT64_MAX,
		.recheck = (time_t)INT64_MAX,
		.clock_jumped = (time_t)INT64_MAX,
	};
	memset(text, c, POP3_GUID_MAX_LEN);
	text[POP3_GUID_MAX_LEN] = '\0';
	epoch_r->uidl_format = t_strndup(text, POLICY_EPOCH_MAX_FORMAT_LEN);
	t_array_init(&epoch_r->told, POLICY_EPOCH_MAX_TOLD);
	for (i = 0; i < POLICY_EPOCH_MAX_TOLD; i++)
		array_push_back(&epoch_r->told, &told);
	for (i = 0; i < N_ELEMENTS(sets); i++) {
		t_array_init(sets[i], POLICY_EPOCH_MAX_RANGES);
		for (j = 0; j < POLICY_EPOCH_MAX_RANGES; j++) {
			seq_range_array_add_range(sets[i],
						  UINT32_MAX - j * 3 - 1,
						  UINT32_MAX - j * 3);
		}
		test_assert(array_count(sets[i]) == POLICY_EPOCH_MAX_RANGES);
	}
	epoch_r->anchors_count = POLICY_EPOCH_MAX_ANCHORS;
	for (i = 0; i < POLICY_EPOCH_MAX_ANCHORS; i++) {
		struct policy_anchor *anchor = &epoch_r->anchors[i];

		anchor->uid = UINT32_MAX;
		anchor->guid = text;
		anchor->hash = t_strndup(text, JOURNAL_HASH_MAX_LEN);
		anchor->uidl = t_strndup(text, POP3_UIDL_MAX_LEN);
	}
}

static const char *print_full(char c)
{
	struct policy_state *state = policy_state_init();
	struct pop3_quota_counters *counters = policy_state_quota(state);
	struct policy_epoch epoch;
	const char *text;
	unsigned int w;

	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		counters->window[w].start = counters->window[w].behind_since =
			(time_t)INT64_MAX;
		counters->window[w].used.n[BYTES] =
			counters->window[w].used.n[MESSAGES] = INT64_MAX;
		counters->window[w].warned = counters->window[w].used;
	}
	fill_epoch(&epoch, c);
	policy_state_set_epoch(state, &epoch);
	text = print(state);
	policy_state_deinit(&state);
	return text;
}

static void test_worst_case(void)
{
	const struct policy_epoch *epoch;
	struct policy_state *state;
	const char *text;

	test_begin("epoch: the largest state");
	text = print_full('~');
	test_assert(strlen(text) < 4096);
	state = parse(text);
	test_assert_strcmp(print(state), text);
	epoch = policy_state_epoch(state);
	test_assert(epoch->anchors_count == POLICY_EPOCH_MAX_ANCHORS);
	test_assert(strlen(epoch->anchors[0].guid) == POP3_GUID_MAX_LEN);
	policy_state_deinit(&state);

	/* not below 4 KB, but read again */
	text = print_full('"');
	test_assert(strlen(text) < 6000);
	state = parse(text);
	test_assert_strcmp(print(state), text);
	policy_state_deinit(&state);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_round_trip,
		test_little,
		test_devices,
		test_too_many_devices,
		test_retention,
		test_retention_over,
		test_ranges,
		test_unknown_members,
		test_unchanged,
		test_copy,
		test_worst_case,
		NULL
	};
	return test_run(test_functions);
}
