/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "test-session-use.h"

#include <unistd.h>

#define LEASE_STEP (64 * 1024)

static void test_one_lease(void)
{
	struct session session;
	const struct pop3_quota_amount *total;
	const char *left;
	unsigned int i;

	test_begin("session quota: one lease for many messages");
	fixture_begin("100M/day 1000msg/month");
	session_begin(&session);
	/* who asks for nothing writes nothing */
	test_assert(session_end(&session) == NULL);
	test_assert(access(state_dir, F_OK) < 0);

	session_begin(&session);
	for (i = 0; i < 100; i++) {
		test_assert_idx(retr(&session, 1000), i);
		test_assert_idx(was_written() == (i == 0), i);
	}
	/* an eighth of what was left */
	assert_disk(100 * 1024 * 1024 / 8, 1000 / 8, 0);
	total = session_quota_total(session.quota);
	test_assert(total->n[BYTES] == 101000 && total->n[MESSAGES] == 100);

	left = session_end(&session);
	test_assert_strcmp(left, "99M of 100M/day, 900msg of 1000msg/month");
	test_assert(was_written());
	assert_disk(101000, 100, 1);
	test_assert(info_count == 0);
	fixture_end();
	test_end();
}

static void test_refusal(void)
{
	struct session session;
	unsigned int i;

	test_begin("session quota: refusal");
	fixture_begin("3msg/day");
	session_begin(&session);
	for (i = 0; i < 3; i++)
		test_assert_idx(retr(&session, 100), i);
	(void)was_written();
	test_assert(info_count == 0);
	for (i = 0; i < 3; i++) {
		test_assert_idx(!retr(&session, 100), i);
		test_assert_strcmp(session.reply,
			"[SYS/TEMP] Download quota used up (3 messages a day), "
			"try again after 2026-11-26 00:00 +0000");
		test_assert_idx(!was_written(), i);
		test_assert_idx(info_count == 1, i);
	}
	test_assert_strcmp(str_c(info_last), "quota used up: 3msg/day, "
			   "refused until 2026-11-26 00:00 +0000");
	test_assert_strcmp(session_end(&session), "0 of 3msg/day");
	assert_disk(330, 3, 0);

	/* another session gets nothing, and has nothing to give back */
	(void)was_written();
	session_begin(&session);
	test_assert(!retr(&session, 100));
	test_assert(info_count == 2);
	test_assert_strcmp(session_end(&session), "0 of 3msg/day");
	test_assert(!was_written());
	fixture_end();

	/* there is room, but not enough */
	fixture_begin("10k/day 5k/hour");
	session_begin(&session);
	test_assert(retr(&session, 3000));
	(void)was_written();
	test_assert(!retr(&session, 3000));
	test_assert(!was_written());
	test_assert_strcmp(session.reply,
		"[SYS/TEMP] Message does not fit in the download quota "
		"(5 kB an hour, 2 kB left), try again after "
		"2026-11-25 13:00 +0000");
	test_assert_strcmp(str_c(info_last), "message does not fit in the "
		"quota: 5k/hour, refused until 2026-11-25 13:00 +0000");
	test_assert(retr(&session, 1000));
	test_assert(info_count == 1);
	(void)session_end(&session);
	assert_disk(4020, 2, 1);
	fixture_end();
	test_end();
}

static void test_large_message(void)
{
	struct session session;

	test_begin("session quota: a message larger than the limit");
	fixture_begin("10k/day");
	session_begin(&session);
	test_assert(retr(&session, 50000));
	test_assert(!retr(&session, 1));
	(void)session_end(&session);
	assert_disk(50010, 1, 0);
	session_begin(&session);
	test_assert(!retr(&session, 50000));
	(void)session_end(&session);
	fixture_end();

	fixture_begin("10k/day");
	session_begin(&session);
	test_assert(retr(&session, 1));
	test_assert(!retr(&session, 50000));
	(void)session_end(&session);
	assert_disk(11, 1, 1);
	fixture_end();
	test_end();
}

static void test_top(void)
{
	struct session session;
	unsigned int i;

	test_begin("session quota: TOP is counted in steps");
	fixture_begin("10k/day");
	session_begin(&session);
	(void)was_written();
	for (i = 0; i < 100; i++) {
		top(&session, 2048);
		/* 32 fit in a step */
		test_assert_idx(was_written() == (i % 32 == 0), i);
		test_assert_idx(disk(DAY, BYTES) >= (i + 1) * 2048, i);
		test_assert_idx(disk(DAY, BYTES) < i * 2048 + LEASE_STEP * 2,
				i);
	}
	top(&session, 1000000);
	test_assert(disk(DAY, BYTES) >= 1204800);
	test_assert(session_quota_total(session.quota)->n[MESSAGES] == 0);
	test_assert(!retr(&session, 1));
	test_assert(info_count == 1);
	(void)session_end(&session);
	assert_disk(1204800, 0, 0);
	fixture_end();

	/* one that the client got all the same, of a size that was not known */
	fixture_begin("10k/day");
	session_begin(&session);
	test_assert(session_quota_request(session.quota, 100, 200,
					  &session.reply));
	session_quota_spend(session.quota, 1000000, TRUE);
	test_assert(!retr(&session, 1));
	(void)session_end(&session);
	assert_disk(1000000, 1, 1);
	fixture_end();
	test_end();
}

static void test_killed(void)
{
	struct session session;

	test_begin("session quota: a killed session");
	fixture_begin("80k/day 80msg/day");
	session_begin(&session);
	test_assert(retr(&session, 1000));
	session_kill(&session);
	assert_disk(10 * 1024, 10, 0);

	/* what it took is gone for the next one */
	session_begin(&session);
	test_assert(!retr(&session, 72000));
	test_assert(retr(&session, 71000));
	/* this is sent, and the session dies in the middle of the reply */
	session_kill(&session);
	test_assert(disk(DAY, BYTES) >= 10 * 1024 + 142000);
	fixture_end();
	test_end();
}

/* Many sessions, in any order, some of which are killed. */
static void test_interleaved(void)
{
	enum { SESSIONS = 5, LARGEST = 9000, STEPS = 300 };
	static const struct {
		const char *quota;
		uint64_t bytes, messages;
		bool kill;
	} tests[] = {
		{ "300k/day", 300 * 1024, UINT64_MAX, FALSE },
		{ "100msg/day", UINT64_MAX, 100, FALSE },
		{ "200k/week 60msg/month 1M/month", 200 * 1024, 60, FALSE },
		{ "300k/day", 300 * 1024, UINT64_MAX, TRUE },
		{ "100msg/day", UINT64_MAX, 100, TRUE },
		{ "1b/hour", LARGEST * 2, 1, FALSE },
	};
	struct session sessions[SESSIONS];
	struct pop3_quota_amount sent;
	unsigned int i, s, n;
	uoff_t size;

	test_begin("session quota: many sessions hold one limit");
	for (i = 0; i < N_ELEMENTS(tests) * 3; i++) {
		unsigned int t = i % N_ELEMENTS(tests);

		fixture_begin(tests[t].quota);
		i_zero(&sent);
		for (s = 0; s < SESSIONS; s++)
			session_begin(&sessions[s]);
		for (n = 0; n < STEPS; n++) {
			s = i_rand_limit(SESSIONS);
			size = i_rand_minmax(1, LARGEST);
			if (i_rand_limit(20) == 0) {
				if (tests[t].kill)
					session_kill(&sessions[s]);
				else
					(void)session_end(&sessions[s]);
				session_begin(&sessions[s]);
			} else if (retr(&sessions[s], size)) {
				sent.n[BYTES] += size + 10;
				sent.n[MESSAGES]++;
			}
			/* all that was sent is counted, also if all of these
			   die now */
			test_assert_idx(disk(MONTH, BYTES) >= sent.n[BYTES], i);
			test_assert_idx(disk(MONTH, MESSAGES) >=
					sent.n[MESSAGES], i);
		}
		test_assert_idx(sent.n[BYTES] <= tests[t].bytes ||
				sent.n[BYTES] - tests[t].bytes <=
				LARGEST + 10, i);
		test_assert_idx(sent.n[MESSAGES] <= tests[t].messages, i);
		/* the limit was reached: nothing is withheld for long */
		test_assert_idx(info_count > 0, i);
		for (s = 0; s < SESSIONS; s++)
			(void)session_end(&sessions[s]);
		if (!tests[t].kill) {
			test_assert_idx(disk(MONTH, BYTES) == sent.n[BYTES], i);
			test_assert_idx(disk(MONTH, MESSAGES) ==
					sent.n[MESSAGES], i);
		}
		fixture_end();
	}
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_one_lease,
		test_refusal,
		test_large_message,
		test_top,
		test_killed,
		test_interleaved,
		NULL
	};
	return test_run(test_functions);
}
