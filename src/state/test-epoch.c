/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "test-common.h"
#include "test-state-text.h"
#include "test-epoch-text.h"
#include "test-epoch-use.h"

#define BYTES POP3_QUOTA_BYTES
#define DAY POP3_QUOTA_WINDOW_DAY

static void assert_retention(const struct pop3_retention_bounds *bounds)
{
	test_assert(bounds->checked == 1600000001);
	test_assert(bounds->oldest_downloaded == 1600000002);
	test_assert(bounds->oldest_undownloaded == 1600000003);
	test_assert(bounds->recheck == 1600000004);
	test_assert(bounds->clock_jumped == 1600000005);
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
	test_assert(epoch->unsure_below == 77);
	test_assert(epoch->unsure_until == 1600000006);
	test_assert_strcmp(ranges_text(&epoch->stored), "7");
	test_assert(epoch->journal_generation == 4);
	test_assert(epoch->journal_lines == 1234);
	test_assert(epoch->journal_gone == 5);
	test_assert(epoch->journal_lost);
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
	test_assert(read->unsure_below == 0 && read->unsure_until == 0);
	test_assert(!read->reuse_xuidl && !read->journal_lost &&
		    read->journal_generation == 0 &&
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

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_round_trip,
		test_little,
		test_unknown_members,
		test_unchanged,
		test_copy,
		NULL
	};
	return test_run(test_functions);
}
