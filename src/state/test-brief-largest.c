/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "test-common.h"
#include "journal-line.h"
#include "uidl.h"
#include "test-brief-use.h"

#define MAX_TIMES \
	" 9223372036854775807 9223372036854775807 9223372036854775807" \
	" 9223372036854775807 9223372036854775807 9223372036854775807" \
	" 4294967295"

static const char *long_word(size_t len)
{
	char *text = t_malloc_no0(len + 1);

	memset(text, '~', len);
	text[len] = '\0';
	return text;
}

/* An epoch with a brief in which all is as long as can be, but for the GUID of
   the last message. */
static void
fill_epoch(struct policy_epoch *epoch_r, unsigned int told, size_t guid_len)
{
	const struct policy_told all_told = {
		UINT32_MAX - 1, UINT32_MAX
	};
	unsigned int i;

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
	epoch_r->uidl_format = long_word(POLICY_EPOCH_MAX_FORMAT_LEN);
	t_array_init(&epoch_r->told, POLICY_EPOCH_MAX_TOLD);
	for (i = 0; i < told; i++)
		array_push_back(&epoch_r->told, &all_told);
	t_array_init(&epoch_r->recorded, 1);
	seq_range_array_add_range(&epoch_r->recorded, 1, UINT32_MAX - 1);
	t_array_init(&epoch_r->stored, 1);
	t_array_init(&epoch_r->downloaded, POLICY_EPOCH_MAX_RANGES);
	for (i = 0; i < POLICY_EPOCH_MAX_RANGES; i++) {
		seq_range_array_add_range(&epoch_r->downloaded,
					  UINT32_MAX - i * 3 - 1,
					  UINT32_MAX - i * 3);
	}
	epoch_r->anchors_count = POLICY_EPOCH_MAX_ANCHORS;
	for (i = 0; i < POLICY_EPOCH_MAX_ANCHORS; i++) {
		epoch_r->anchors[i] = (struct policy_anchor){
			.uid = UINT32_MAX,
			.guid = long_word(POP3_GUID_MAX_LEN),
			.hash = long_word(JOURNAL_HASH_MAX_LEN),
			.uidl = long_word(POP3_UIDL_MAX_LEN),
		};
	}
	epoch_r->anchors[i - 1].guid = long_word(guid_len);
}

/* The size goes up in single octets to where the text is printed in one line. */
static void test_worst_case(void)
{
	struct pop3_quota_counters *counters;
	struct policy_state *state;
	struct policy_epoch epoch;
	size_t len, largest = 0;
	const char *text;
	unsigned int told, w;

	test_begin("brief: the largest state");
	state = policy_state_init();
	counters = policy_state_quota(state);
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		counters->window[w].start = counters->window[w].behind_since =
			(time_t)INT64_MAX;
		counters->window[w].used.n[POP3_QUOTA_BYTES] =
			counters->window[w].used.n[POP3_QUOTA_MESSAGES] =
			INT64_MAX;
		counters->window[w].warned = counters->window[w].used;
	}
	for (told = 0; told <= POLICY_EPOCH_MAX_TOLD; told++) {
		for (len = 0; len <= POP3_GUID_MAX_LEN; len++) T_BEGIN {
			fill_epoch(&epoch, told, len);
			policy_state_set_epoch(state, &epoch);
			text = print(state);
			test_assert_strcmp_idx(brief_of(text), t_strdup_printf(
				"%u %u %u %u 0 %s 1:%u %u %s %s %s" MAX_TIMES,
				UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX,
				epoch.uidl_format, UINT32_MAX - 1, UINT32_MAX,
				epoch.anchors[0].guid, epoch.anchors[0].hash,
				epoch.anchors[0].uidl), told * 1000 + len);
			largest = I_MAX(largest, strlen(text));
		} T_END;
	}
	policy_state_deinit(&state);
	test_assert_cmp(largest, <, 4096);
	/* it did come near */
	test_assert_cmp(largest, >, 2800);
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
