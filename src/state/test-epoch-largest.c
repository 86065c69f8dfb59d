/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "test-common.h"
#include "journal-line.h"
#include "uidl.h"
#include "test-epoch-use.h"

#define BYTES POP3_QUOTA_BYTES
#define MESSAGES POP3_QUOTA_MESSAGES

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
	epoch_r->listed = epoch_r->unsure_until = (time_t)INT64_MAX;
	epoch_r->unsure_below = UINT32_MAX;
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
		test_worst_case,
		NULL
	};
	return test_run(test_functions);
}
