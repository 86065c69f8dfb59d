/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "store.h"
#include "test-home.h"
#include "test-session-use.h"

#include <stdio.h>
#include <unistd.h>

#define RATE (64 * 1024)
#define STEP_BYTES (64 * 1024)
#define STEP_MESSAGES 16

static enum session_quota_answer ask(struct session *session, uoff_t size)
{
	return session_quota_request(session->quota, size, size * 2 + 10,
				     &session->reply);
}

/* As retr(), and what was answered must be that. */
static void
assert_retr(struct session *session, uoff_t size,
	    enum session_quota_answer answer, unsigned int i)
{
	test_assert_idx(ask(session, size) == answer, i);
	session_quota_spend(session->quota, size + 10, TRUE);
}

static void throttle_begin(const char *quota)
{
	fixture_begin(quota);
	throttle_rate = RATE;
}

static void test_slowed(void)
{
	struct session session;
	unsigned int i;

	test_begin("session throttle: over quota");
	throttle_begin("3msg/day");
	session_begin(&session);
	for (i = 0; i < 3; i++)
		assert_retr(&session, 100, SESSION_QUOTA_GRANTED, i);
	test_assert(info_count == 0);
	(void)was_written();
	for (i = 0; i < 100; i++) {
		assert_retr(&session, 100, SESSION_QUOTA_SLOWED, i);
		/* what is sent is in the counters before, in steps */
		test_assert_idx(was_written() == (i % STEP_MESSAGES == 0), i);
		test_assert_idx(disk(DAY, MESSAGES) >= i + 4, i);
		test_assert_idx(disk(DAY, MESSAGES) < i + 4 + STEP_MESSAGES, i);
		/* and logged once */
		test_assert_idx(info_count == 1, i);
	}
	test_assert_strcmp(str_c(info_last), "quota used up: 3msg/day, "
		"slowed to 64k/s until 2026-11-26 00:00 +0000");
	test_assert(session.reply == NULL);
	test_assert_strcmp(session_end(&session), "0 of 3msg/day");
	assert_disk(103 * 110, 103, 0);

	/* another session is slow from the beginning */
	session_begin(&session);
	assert_retr(&session, 100, SESSION_QUOTA_SLOWED, 1000);
	test_assert(info_count == 2);
	(void)session_end(&session);
	assert_disk(104 * 110, 104, 1);
	fixture_end();
	test_end();
}

static void test_bytes(void)
{
	struct session session;
	uint64_t sent;
	unsigned int i;

	test_begin("session throttle: limit of bytes");
	throttle_begin("10k/day");
	session_begin(&session);
	assert_retr(&session, 6000, SESSION_QUOTA_GRANTED, 0);
	/* it does not fit, and is not cut off */
	assert_retr(&session, 6000, SESSION_QUOTA_SLOWED, 1);
	test_assert_strcmp(str_c(info_last), "message does not fit in the "
		"quota: 10k/day, slowed to 64k/s until "
		"2026-11-26 00:00 +0000");
	sent = 2 * 6010;
	for (i = 0; i < 50; i++) {
		assert_retr(&session, 30000, SESSION_QUOTA_SLOWED, i);
		sent += 30010;
		test_assert_idx(disk(DAY, BYTES) >= sent, i);
		test_assert_idx(disk(DAY, BYTES) < sent + STEP_BYTES * 2, i);
	}
	/* more than a step */
	test_assert(ask(&session, 1000000) == SESSION_QUOTA_SLOWED);
	test_assert(disk(DAY, BYTES) >= sent + 2000010);
	session_quota_spend(session.quota, 1000010, TRUE);
	test_assert(info_count == 1);
	(void)session_end(&session);
	assert_disk(sent + 1000010, 53, 0);

	/* small ones need no write each */
	session_begin(&session);
	(void)was_written();
	for (i = 0; i < STEP_MESSAGES; i++) {
		assert_retr(&session, 100, SESSION_QUOTA_SLOWED, i);
		test_assert_idx(was_written() == (i == 0), i);
	}
	session_kill(&session);
	fixture_end();
	test_end();
}

/* What fits is served as fast as ever, also after what did not. */
static void test_small_after_large(void)
{
	struct session session;

	test_begin("session throttle: a small message after a large one");
	throttle_begin("100k/day");
	session_begin(&session);
	assert_retr(&session, 60000, SESSION_QUOTA_GRANTED, 0);
	test_assert(ask(&session, 60000) == SESSION_QUOTA_SLOWED);
	/* the line broke at the beginning of it */
	session_quota_spend(session.quota, 500, TRUE);
	assert_retr(&session, 20000, SESSION_QUOTA_GRANTED, 1);
	assert_retr(&session, 60000, SESSION_QUOTA_SLOWED, 2);
	assert_retr(&session, 20, SESSION_QUOTA_SLOWED, 3);
	(void)session_end(&session);
	assert_disk(60010 + 500 + 20010 + 60010 + 30, 5, 0);
	fixture_end();
	test_end();
}

/* The clock was wrong when the counters were written. */
static void test_clock(void)
{
	static const char *const text = "{\"version\":1,\"quota\":{\"windows\":"
		"{\"day\":{\"start\":2000000000,\"bytes\":0,\"messages\":3}}}}";
	struct session session;

	test_begin("session throttle: counters of the future");
	throttle_begin("1msg/day");
	session_begin(&session);
	assert_retr(&session, 100, SESSION_QUOTA_GRANTED, 0);
	assert_retr(&session, 100, SESSION_QUOTA_SLOWED, 1);
	test_file_write(t_strconcat(state_dir, "/state.json", NULL), text);
	(void)was_written();
	/* the lease has room, but that must not be forgotten */
	assert_retr(&session, 100, SESSION_QUOTA_SLOWED, 2);
	test_assert(was_written());
	assert_retr(&session, 100, SESSION_QUOTA_SLOWED, 3);
	test_assert(!was_written());
	(void)session_end(&session);
	fixture_end();
	test_end();
}

static void test_new_window(void)
{
	struct session session;

	test_begin("session throttle: a new window");
	throttle_begin("2msg/hour");
	session_begin(&session);
	assert_retr(&session, 100, SESSION_QUOTA_GRANTED, 0);
	assert_retr(&session, 100, SESSION_QUOTA_GRANTED, 1);
	assert_retr(&session, 100, SESSION_QUOTA_SLOWED, 2);
	test_time = NOON + 3599;
	assert_retr(&session, 100, SESSION_QUOTA_SLOWED, 3);
	test_time = NOON + 3600;
	assert_retr(&session, 100, SESSION_QUOTA_GRANTED, 4);
	assert_retr(&session, 100, SESSION_QUOTA_GRANTED, 5);
	assert_retr(&session, 100, SESSION_QUOTA_SLOWED, 6);
	(void)session_end(&session);
	test_assert(disk(HOUR, MESSAGES) == 3 && disk(HOUR, BYTES) == 330);
	test_assert(disk(DAY, MESSAGES) == 7 && disk(DAY, BYTES) == 770);
	test_assert(info_count == 1);
	fixture_end();

	/* one window ends, and another one is still used up: what is leased
	   must be so in the new one too */
	throttle_begin("1msg/day");
	session_begin(&session);
	assert_retr(&session, 100, SESSION_QUOTA_GRANTED, 7);
	assert_retr(&session, 100, SESSION_QUOTA_SLOWED, 8);
	test_time = NOON + 3600;
	test_assert(ask(&session, 100) == SESSION_QUOTA_SLOWED);
	test_assert(disk(HOUR, MESSAGES) == STEP_MESSAGES);
	session_kill(&session);
	fixture_end();

	/* one that is being sent as the window ends */
	throttle_begin("1msg/hour");
	session_begin(&session);
	assert_retr(&session, 100, SESSION_QUOTA_GRANTED, 10);
	test_assert(ask(&session, 100) == SESSION_QUOTA_SLOWED);
	test_time = NOON + 3600;
	session_quota_spend(session.quota, 110, TRUE);
	(void)session_end(&session);
	test_assert(disk(HOUR, MESSAGES) == 1 && disk(HOUR, BYTES) == 110);
	test_assert(disk(DAY, MESSAGES) == 2 && disk(DAY, BYTES) == 220);
	fixture_end();
	test_end();
}

static void test_reset(void)
{
	struct session session;
	struct policy_store *store;
	struct policy_state *state;
	const char *error;

	test_begin("session throttle: reset in the middle");
	throttle_begin("1msg/day");
	session_begin(&session);
	assert_retr(&session, 100, SESSION_QUOTA_GRANTED, 0);
	assert_retr(&session, 100, SESSION_QUOTA_SLOWED, 1);
	store = policy_store_init(state_dir, FALSE, NULL);
	test_assert(policy_store_begin(store, &state, &error) ==
		    POLICY_STORE_OK);
	pop3_quota_reset(policy_state_quota(state), test_time);
	test_assert(policy_store_commit(store, state, &error) ==
		    POLICY_STORE_OK);
	policy_state_deinit(&state);
	policy_store_deinit(&store);
	/* the one that was slowed counts after the reset, as its lease is
	   still out */
	assert_retr(&session, 100, SESSION_QUOTA_SLOWED, 2);
	(void)session_end(&session);
	assert_disk(220, 2, 0);
	fixture_end();
	test_end();
}

static void test_killed(void)
{
	struct session session;

	test_begin("session throttle: a killed session");
	throttle_begin("1msg/day");
	session_begin(&session);
	assert_retr(&session, 100, SESSION_QUOTA_GRANTED, 0);
	assert_retr(&session, 100, SESSION_QUOTA_SLOWED, 1);
	test_assert(ask(&session, 3000) == SESSION_QUOTA_SLOWED);
	session_kill(&session);
	test_assert(disk(DAY, BYTES) >= 220 + 3010);
	test_assert(disk(DAY, MESSAGES) >= 3);
	fixture_end();
	test_end();
}

/* Beside a TOP of the headers, which takes bytes only. */
static void test_top(void)
{
	struct session session;
	unsigned int i;

	test_begin("session throttle: TOP");
	throttle_begin("1msg/day");
	session_begin(&session);
	assert_retr(&session, 100, SESSION_QUOTA_GRANTED, 0);
	for (i = 0; i < 40; i++) {
		top(&session, 2000);
		assert_retr(&session, 3000, SESSION_QUOTA_SLOWED, i);
		test_assert_idx(disk(DAY, BYTES) >= 110 + (i + 1) * 5010, i);
		test_assert_idx(disk(DAY, MESSAGES) >= i + 2, i);
	}
	(void)session_end(&session);
	assert_disk(110 + 40 * 5010, 41, 0);
	fixture_end();
	test_end();
}

/* Only what is over the limits is slowed: without a state nobody knows. */
static void test_no_state(void)
{
	struct session session;
	const char *path, *away;
	unsigned int i;

	test_begin("session throttle: state that cannot be known");
	for (i = 0; i < 2; i++) {
		throttle_begin("1msg/day");
		session_begin_ignore(&session, i == 1);
		assert_retr(&session, 100, SESSION_QUOTA_GRANTED, i);
		assert_retr(&session, 100, SESSION_QUOTA_SLOWED, i);
		path = t_strconcat(state_dir, "/state.json", NULL);
		away = t_strconcat(state_dir, "/away", NULL);
		if (rename(path, away) < 0 || symlink(away, path) < 0)
			i_fatal("cannot make a link: %m");
		test_expect_error_string(i == 1 ? "went on without it" :
					 "RETR is refused");
		test_assert_idx(ask(&session, 100) ==
				(i == 1 ? SESSION_QUOTA_GRANTED :
				 SESSION_QUOTA_REFUSED), i);
		test_expect_no_more_errors();
		test_assert_strcmp(session.reply, "[SYS/TEMP] POP3 policy "
			"state is not available, try again later.");
		session_kill(&session);
		fixture_end();
	}
	test_end();
}

/* On a disk that is full the session counts on by itself. */
static void test_unwritable(void)
{
	struct session session;
	const char *disk_path;
	unsigned int i;

	test_begin("session throttle: state that cannot be written");
	throttle_begin("1msg/day");
	disk_path = test_home_path("disk");
	state_dir = test_home_path("disk/pop3-policy");
	if (test_mount_tmpfs(disk_path, "nr_inodes=5")) {
		session_begin(&session);
		assert_retr(&session, 100, SESSION_QUOTA_GRANTED, 0);
		test_file_write(test_home_path("disk/filler"), "");
		test_expect_error_string("quota is counted in this session "
					 "only");
		for (i = 0; i < 40; i++)
			assert_retr(&session, 100, SESSION_QUOTA_SLOWED, i);
		test_expect_no_more_errors();
		i_unlink(test_home_path("disk/filler"));
		test_assert_strcmp(session_end(&session), "0 of 1msg/day");
		test_assert(disk(DAY, MESSAGES) == 41);
		test_assert(disk(DAY, BYTES) >= 41 * 110);
		(void)was_written();
		i_unlink(t_strconcat(state_dir, "/state.json", NULL));
		(void)was_written();
		test_umount(disk_path);
	}
	fixture_end();
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_slowed,
		test_bytes,
		test_small_after_large,
		test_clock,
		test_new_window,
		test_reset,
		test_killed,
		test_top,
		test_no_state,
		test_unwritable,
		NULL
	};
	return test_run(test_functions);
}
