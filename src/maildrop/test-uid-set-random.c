/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "test-common.h"
#include "epoch.h"
#include "uid-set.h"
#include "test-mailbox.h"

/* Random mailboxes and sets, against rules that are written down UID by UID. */

#define ROUNDS 2000
#define MAX_UIDS 160

/* [0] is not used */
typedef bool naive_set[MAX_UIDS + 1];

struct naive {
	uint32_t uidnext, epoch_uidnext;
	naive_set messages, recorded, downloaded, stored;
};

/* Cheap and the same everywhere. */
static unsigned int random_below(unsigned int limit)
{
	static uint32_t state = 2463534242U;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % limit;
}

/* Runs of about this length, up to this UID; 0 for an empty set. */
static void random_set(naive_set set, unsigned int run, unsigned int last)
{
	bool member = random_below(2) == 0;
	unsigned int uid;

	memset(set, 0, sizeof(naive_set));
	if (run == 0)
		return;
	for (uid = 1; uid <= last; uid++) {
		if (random_below(run) == 0)
			member = !member;
		set[uid] = member;
	}
}

static void random_naive(struct naive *naive)
{
	static const unsigned int runs[] = { 0, 1, 2, 2, 3, 3, 5, 9, 40, 500 };
	unsigned int uid;

	naive->uidnext = 1 + random_below(MAX_UIDS + 1);
	naive->epoch_uidnext = 1 + random_below(naive->uidnext);
	random_set(naive->messages, runs[random_below(N_ELEMENTS(runs))],
		   naive->uidnext - 1);
	random_set(naive->recorded, runs[random_below(N_ELEMENTS(runs))],
		   naive->uidnext - 1);
	random_set(naive->downloaded, runs[random_below(N_ELEMENTS(runs))],
		   naive->uidnext - 1);
	random_set(naive->stored, runs[random_below(N_ELEMENTS(runs))],
		   MAX_UIDS);
	if (random_below(4) > 0)
		return;
	/* all messages are recorded, or all but one */
	for (uid = 1; uid < naive->epoch_uidnext; uid++) {
		if (naive->messages[uid])
			naive->recorded[uid] = TRUE;
	}
	if (random_below(2) == 0)
		naive->recorded[random_below(naive->epoch_uidnext)] = FALSE;
	naive->recorded[0] = FALSE;
}

static bool naive_all_recorded(const struct naive *naive)
{
	unsigned int uid;

	for (uid = 1; uid < naive->epoch_uidnext; uid++) {
		if (naive->messages[uid] && !naive->recorded[uid])
			return FALSE;
	}
	return TRUE;
}

static bool naive_any_stored(const struct naive *naive)
{
	unsigned int uid;

	for (uid = 1; uid < naive->uidnext; uid++) {
		if (naive->messages[uid] && naive->stored[uid])
			return TRUE;
	}
	return FALSE;
}

/* Whether the UID, which is not in the set, lies between two that are, with no
   message there. */
static bool
naive_is_gap(const struct naive *naive, const naive_set set, unsigned int uid)
{
	unsigned int left = uid, right = uid;

	while (left > 0 && !set[left] && !naive->messages[left])
		left--;
	while (right < MAX_UIDS && !set[right] && !naive->messages[right])
		right++;
	return left > 0 && set[left] && set[right];
}

static void naive_join(const struct naive *naive, naive_set set)
{
	unsigned int uid;

	for (uid = 1; uid <= MAX_UIDS; uid++) {
		if (!set[uid] && naive_is_gap(naive, set, uid))
			set[uid] = TRUE;
	}
}

static unsigned int naive_runs(const naive_set set)
{
	unsigned int uid, count = 0;

	for (uid = 1; uid <= MAX_UIDS; uid++) {
		if (set[uid] && (uid == 1 || !set[uid - 1]))
			count++;
	}
	return count;
}

/* The lowest gaps, and no more than must be. */
static void naive_join_lowest(const struct naive *naive, naive_set set)
{
	unsigned int uid, first;

	for (uid = 1; uid <= MAX_UIDS; uid++) {
		if (naive_runs(set) <= POLICY_EPOCH_MAX_RANGES)
			return;
		first = uid;
		while (!set[uid] && naive_is_gap(naive, set, uid))
			set[uid++] = TRUE;
		if (uid > first)
			uid--;
	}
}

static void naive_forget_lowest(naive_set set)
{
	unsigned int uid = 1;

	while (naive_runs(set) > POLICY_EPOCH_MAX_RANGES)
		set[uid++] = FALSE;
}

static void naive_make_superset(naive_set set)
{
	unsigned int first = 1, last = MAX_UIDS;

	if (naive_runs(set) <= POLICY_EPOCH_MAX_RANGES)
		return;
	while (!set[first])
		first++;
	while (!set[last])
		last--;
	for (; first < last; first++)
		set[first] = TRUE;
}

static void naive_tidy(struct naive *naive)
{
	unsigned int uid;

	if (naive_all_recorded(naive)) {
		for (uid = 1; uid < naive->epoch_uidnext; uid++)
			naive->recorded[uid] = TRUE;
	}
	if (!naive_any_stored(naive))
		memset(naive->stored, 0, sizeof(naive->stored));
	naive_join(naive, naive->recorded);
	naive_join_lowest(naive, naive->downloaded);
	naive_join(naive, naive->stored);
	naive_forget_lowest(naive->recorded);
	naive_forget_lowest(naive->downloaded);
	naive_make_superset(naive->stored);
}

static void set_to_ranges(const naive_set set, ARRAY_TYPE(seq_range) *ranges_r)
{
	unsigned int uid;

	t_array_init(ranges_r, MAX_UIDS);
	for (uid = 1; uid <= MAX_UIDS; uid++) {
		if (set[uid])
			seq_range_array_add(ranges_r, uid);
	}
}

static void assert_same(const ARRAY_TYPE(seq_range) *ranges,
			const naive_set expected, unsigned int idx)
{
	ARRAY_TYPE(seq_range) expected_ranges;

	set_to_ranges(expected, &expected_ranges);
	test_assert_strcmp_idx(test_uids_text(ranges),
			       test_uids_text(&expected_ranges), idx);
	test_assert_idx(array_count(ranges) <= POLICY_EPOCH_MAX_RANGES, idx);
}

/* What must be, by whatever rules. */
static void
assert_no_harm(const struct naive *before, const struct policy_epoch *epoch,
	       unsigned int idx)
{
	unsigned int uid;

	for (uid = 1; uid < before->uidnext; uid++) {
		if (!before->messages[uid])
			continue;
		test_assert_idx(before->recorded[uid] ||
				!seq_range_exists(&epoch->recorded, uid), idx);
		test_assert_idx(before->downloaded[uid] ||
				!seq_range_exists(&epoch->downloaded, uid),
				idx);
		test_assert_idx(!before->stored[uid] ||
				seq_range_exists(&epoch->stored, uid), idx);
	}
	if (naive_runs(before->downloaded) > POLICY_EPOCH_MAX_RANGES)
		return;
	/* a message may come back, also where there is none now */
	for (uid = 1; uid <= MAX_UIDS; uid++) {
		test_assert_idx(before->downloaded[uid] ==
				seq_range_exists(&epoch->downloaded, uid),
				idx);
	}
}

static void test_random(void)
{
	ARRAY_TYPE(seq_range) messages;
	struct naive naive, before;
	struct policy_epoch epoch;
	struct maildrop drop;
	unsigned int i;

	test_begin("UID set: tidy at random");
	for (i = 0; i < ROUNDS; i++) T_BEGIN {
		i_zero(&naive);
		random_naive(&naive);
		before = naive;
		i_zero(&epoch);
		epoch.uidnext = naive.epoch_uidnext;
		set_to_ranges(naive.messages, &messages);
		set_to_ranges(naive.recorded, &epoch.recorded);
		set_to_ranges(naive.downloaded, &epoch.downloaded);
		set_to_ranges(naive.stored, &epoch.stored);
		t_array_init(&epoch.devices, 1);
		test_maildrop_init(&drop, &messages, naive.uidnext);

		epoch_tidy_sets(&drop, &epoch);
		assert_no_harm(&before, &epoch, i);
		naive_tidy(&naive);
		assert_same(&epoch.recorded, naive.recorded, i);
		assert_same(&epoch.downloaded, naive.downloaded, i);
		assert_same(&epoch.stored, naive.stored, i);
	} T_END;
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_random,
		NULL
	};
	return test_run(test_functions);
}
