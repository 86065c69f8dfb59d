/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "store.h"
#include "test-home.h"
#include "test-session-use.h"

#define LEASE_STEP (64 * 1024)

static void test_windows(void)
{
	struct session session;

	test_begin("session quota: windows end in the middle");
	fixture_begin("4msg/hour 100msg/day");
	test_time = NOON + 3590;
	session_begin(&session);
	test_assert(retr(&session, 100));
	test_assert(retr(&session, 100));
	test_assert(retr(&session, 100));
	test_time = NOON + 3600;
	test_assert(retr(&session, 100));
	test_assert(disk(HOUR, MESSAGES) == 1);
	test_assert(retr(&session, 100));
	test_assert(retr(&session, 100));
	test_assert(retr(&session, 100));
	test_assert(!retr(&session, 100));
	/* what began before belongs to the new hour as well */
	test_time = NOON + 7199;
	(void)session_end(&session);
	test_assert(disk(HOUR, MESSAGES) == 4);
	test_assert(disk(DAY, MESSAGES) == 7);
	test_assert(disk(DAY, BYTES) == 770);
	fixture_end();

	fixture_begin("4msg/hour 100msg/day");
	test_time = NOON + 3599;
	session_begin(&session);
	test_assert(session_quota_request(session.quota, 100, 200,
					  &session.reply));
	test_time = NOON + 3600;
	session_quota_spend(session.quota, 150, TRUE);
	(void)session_end(&session);
	test_assert(disk(HOUR, MESSAGES) == 1 && disk(HOUR, BYTES) == 150);
	test_assert(disk(DAY, MESSAGES) == 1 && disk(DAY, BYTES) == 150);
	fixture_end();

	/* a reply to TOP that begins in a new window is leased in it */
	fixture_begin("4msg/hour 400k/day");
	session_begin(&session);
	top(&session, 1000);
	test_time = NOON + 3600;
	session_quota_reserve(session.quota, 1000);
	session_kill(&session);
	test_assert(disk(HOUR, BYTES) == LEASE_STEP);
	test_assert(disk(DAY, BYTES) == 1000 + LEASE_STEP);
	fixture_end();

	/* what comes back after the window is nobody's any more */
	fixture_begin("4msg/hour 100msg/day");
	session_begin(&session);
	test_assert(retr(&session, 100));
	test_time = NOON + 24 * 3600;
	(void)session_end(&session);
	test_assert(disk(HOUR, MESSAGES) == 0 && disk(HOUR, BYTES) == 0);
	test_assert(disk(DAY, MESSAGES) == 0 && disk(DAY, BYTES) == 0);
	test_assert(disk(MONTH, MESSAGES) == 1 && disk(MONTH, BYTES) == 110);
	fixture_end();
	test_end();
}

/* The clock was wrong when the counters were written. */
static void test_clock(void)
{
	static const char *const text = "{\"version\":1,\"quota\":{\"windows\":"
		"{\"day\":{\"start\":2000000000,\"bytes\":0,\"messages\":3}}}}";
	struct session session;

	test_begin("session quota: counters of the future");
	fixture_begin("3msg/day");
	session_begin(&session);
	test_assert(retr(&session, 100));
	test_file_write(t_strconcat(state_dir, "/state.json", NULL), text);
	(void)was_written();
	/* they count in the day that the clock shows, and end with it */
	test_assert(!retr(&session, 100));
	test_assert(was_written());
	test_assert(!retr(&session, 100));
	test_assert(!was_written());
	test_assert_strcmp(session_end(&session), "0 of 3msg/day");
	test_assert(!was_written());
	test_assert(disk(DAY, MESSAGES) >= 3);
	test_time = NOON + 12 * 3600;
	session_begin(&session);
	test_assert(retr(&session, 100));
	(void)session_end(&session);
	test_assert(disk(DAY, MESSAGES) == 1);

	/* a clock that goes back opens no window */
	test_time = NOON;
	session_begin(&session);
	test_assert(retr(&session, 100));
	test_assert(retr(&session, 100));
	test_assert(!retr(&session, 100));
	(void)session_end(&session);
	test_assert(disk(DAY, MESSAGES) == 3);
	fixture_end();
	test_end();
}

static void test_reset(void)
{
	struct session session;
	struct policy_store *store;
	struct policy_state *state;
	const char *error;

	test_begin("session quota: reset in the middle");
	fixture_begin("80msg/day");
	session_begin(&session);
	test_assert(retr(&session, 100));
	store = policy_store_init(state_dir, FALSE, NULL);
	test_assert(policy_store_begin(store, &state, &error) ==
		    POLICY_STORE_OK);
	pop3_quota_reset(policy_state_quota(state), test_time);
	test_assert(policy_store_commit(store, state, &error) ==
		    POLICY_STORE_OK);
	policy_state_deinit(&state);
	policy_store_deinit(&store);
	assert_disk(0, 0, 0);
	test_assert(retr(&session, 100));
	(void)session_end(&session);
	assert_disk(220, 2, 1);
	fixture_end();
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_windows,
		test_clock,
		test_reset,
		NULL
	};
	return test_run(test_functions);
}
