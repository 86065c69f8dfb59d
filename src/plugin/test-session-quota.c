/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "quota-text.h"
#include "store.h"
#include "session-quota.h"
#include "test-home.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BYTES POP3_QUOTA_BYTES
#define MESSAGES POP3_QUOTA_MESSAGES
#define HOUR POP3_QUOTA_WINDOW_HOUR
#define DAY POP3_QUOTA_WINDOW_DAY
#define MONTH POP3_QUOTA_WINDOW_MONTH

/* 2026-11-25 12:00 UTC, a Wednesday */
#define NOON 1795608000
#define LEASE_STEP (64 * 1024)

#define STATE_FAILED \
	"[SYS/TEMP] POP3 policy state is not available, try again later."

static struct pop3_quota_limits limits;
static const char *state_dir;

/* What a pop3 process has. */
struct session {
	struct policy_store *store;
	struct session_quota *quota;
	/* the reply to the last request that was refused */
	const char *reply;
};

static failure_callback_t *orig_info_handler;
static unsigned int info_count;
static string_t *info_last;

static void ATTR_FORMAT(2, 0)
info_handler(const struct failure_context *ctx ATTR_UNUSED, const char *format,
	     va_list args)
{
	va_list args2;

	VA_COPY(args2, args);
	str_truncate(info_last, 0);
	str_vprintfa(info_last, format, args2);
	va_end(args2);
	info_count++;
}

static void fixture_begin(const char *quota)
{
	failure_callback_t *fatal, *error, *debug;
	const char *parse_error;

	test_home_begin();
	state_dir = test_home_path("pop3-policy");
	test_time = NOON;
	if (pop3_quota_limits_parse(quota, &limits, &parse_error) < 0)
		i_fatal("%s: %s", quota, parse_error);
	info_count = 0;
	info_last = str_new(default_pool, 128);
	i_get_failure_handlers(&fatal, &error, &orig_info_handler, &debug);
	i_set_info_handler(info_handler);
}

static void fixture_end(void)
{
	i_set_info_handler(orig_info_handler);
	str_free(&info_last);
	test_time = 0;
	test_home_end();
}

static void session_begin_ignore(struct session *session, bool ignore_errors)
{
	session->store = policy_store_init(state_dir, FALSE, NULL);
	session->quota = session_quota_init(&limits, session->store,
					    ignore_errors, NULL);
	session->reply = NULL;
}

static void session_begin(struct session *session)
{
	session_begin_ignore(session, FALSE);
}

static void session_kill(struct session *session)
{
	session_quota_deinit(&session->quota);
	policy_store_deinit(&session->store);
}

/* Returns what is left, for the log. */
static const char *session_end(struct session *session)
{
	const char *left = session_quota_finish(session->quota);

	session_kill(session);
	return left;
}

/* RETR of a message that has size octets, of which the reply has a few more. */
static bool retr(struct session *session, uoff_t size)
{
	if (!session_quota_request(session->quota, size, size * 2 + 10,
				   &session->reply))
		return FALSE;
	session_quota_spend(session->quota, size + 10, TRUE);
	return TRUE;
}

/* TOP with a reply of that size. */
static void top(struct session *session, uoff_t size)
{
	session_quota_reserve(session->quota, size);
	session_quota_spend(session->quota, size, FALSE);
}

static uint64_t
disk(enum pop3_quota_window window, enum pop3_quota_resource resource)
{
	struct policy_store *store = policy_store_init(state_dir, FALSE, NULL);
	struct policy_state *state;
	const char *error;
	uint64_t used;

	if (policy_store_read(store, &state, &error) != POLICY_STORE_OK)
		i_fatal("%s", error);
	used = policy_state_quota(state)->window[window].used.n[resource];
	policy_state_deinit(&state);
	policy_store_deinit(&store);
	return used;
}

static void assert_disk(uint64_t bytes, uint64_t messages, unsigned int idx)
{
	unsigned int w;

	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		test_assert_idx(disk(w, BYTES) == bytes, idx * 10 + w);
		test_assert_idx(disk(w, MESSAGES) == messages, idx * 10 + w);
	}
}

/* Whether the state was written since this was asked before. */
static bool was_written(void)
{
	const char *path = t_strconcat(state_dir, "/state.json", NULL);
	static int old_fd = -1;
	struct stat old_st, st;
	bool written = TRUE;
	int fd;

	fd = open(path, O_RDONLY);
	if (fd != -1 && old_fd != -1) {
		/* no new file has this inode number while the old one is open */
		if (fstat(fd, &st) < 0 || fstat(old_fd, &old_st) < 0)
			i_fatal("fstat() failed: %m");
		written = old_st.st_ino != st.st_ino ||
			old_st.st_dev != st.st_dev;
	}
	i_close_fd(&old_fd);
	old_fd = fd;
	return fd != -1 && written;
}

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

static void test_unwritable(void)
{
	static const char *const errors[] = {
		"/state.lock) failed: Read-only file system",
		"/state.json.tmp) failed: No space left on device",
	};
	struct session session;
	const char *disk_path, *left;
	unsigned int i, j;

	test_begin("session quota: state that cannot be written");
	for (i = 0; i < N_ELEMENTS(errors); i++) {
		bool full = i == 1;

		fixture_begin("16msg/day");
		disk_path = test_home_path("disk");
		state_dir = test_home_path("disk/pop3-policy");
		/* the root, the folder, its two files and one more */
		if (!test_mount_tmpfs(disk_path, "nr_inodes=5")) {
			fixture_end();
			break;
		}
		session_begin(&session);
		test_assert_idx(retr(&session, 100), i);
		test_assert_idx(retr(&session, 100), i);
		(void)was_written();
		if (full)
			test_file_write(test_home_path("disk/filler"), "");
		else
			test_mount_read_only(disk_path, TRUE);
		/* goes on, says so once, and holds the limit */
		test_expect_error_string(t_strconcat(
			"quota is counted in this session only: open(",
			state_dir, errors[i], NULL));
		test_assert_idx(retr(&session, 100), i);
		test_expect_no_more_errors();
		for (j = 3; j < 16; j++)
			test_assert_idx(retr(&session, 100), i * 100 + j);
		test_assert_idx(!retr(&session, 100), i);
		test_assert_strcmp(session.reply, "[SYS/TEMP] Download quota "
			"used up (16 messages a day), try again after "
			"2026-11-26 00:00 +0000");
		top(&session, 1000);
		test_assert_idx(!was_written(), i);

		if (full)
			i_unlink(test_home_path("disk/filler"));
		else
			test_mount_read_only(disk_path, FALSE);
		left = session_end(&session);
		test_assert_strcmp(left, "0 of 16msg/day");
		test_assert_idx(disk(DAY, MESSAGES) == 16, i);
		test_assert_idx(disk(DAY, BYTES) >= 16 * 110 + 1000, i);
		i_unlink_if_exists(t_strconcat(state_dir, "/state.json", NULL));
		(void)was_written();
		test_umount(disk_path);
		fixture_end();
	}
	test_end();
}

/* Make the state unusable in a way that can be undone. */
static void spoil(const char *name, bool undo)
{
	const char *path = t_strconcat(state_dir, "/", name, NULL);
	const char *away = t_strconcat(state_dir, "/away", NULL);

	if (undo) {
		i_unlink(path);
		if (rename(away, path) < 0)
			i_fatal("rename() failed: %m");
	} else {
		if (rename(path, away) < 0)
			i_fatal("rename() failed: %m");
		if (symlink(away, path) < 0)
			i_fatal("symlink() failed: %m");
	}
}

static void test_unusable(void)
{
	static const struct {
		const char *name;
		bool ignore_errors, undo;
		const char *consequence;
	} tests[] = {
		{ "state.lock", FALSE, FALSE, "RETR is refused" },
		{ "state.json", FALSE, TRUE, "RETR is refused" },
		{ "state.lock", TRUE, FALSE, "went on without it" },
		{ "state.json", TRUE, TRUE, "went on without it" },
	};
	struct session session;
	unsigned int i, j;
	const char *left, *error;

	test_begin("session quota: state that cannot be known");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		fixture_begin("16msg/day");
		session_begin_ignore(&session, tests[i].ignore_errors);
		test_assert_idx(retr(&session, 100), i);
		spoil(tests[i].name, FALSE);
		/* what was leased can be spent */
		test_assert_idx(retr(&session, 100), i);
		error = t_strdup_printf("quota state is not available, %s: "
			"%s/%s is a link", tests[i].consequence, state_dir,
			tests[i].name);
		test_expect_error_string(error);
		test_assert_idx(retr(&session, 100) == tests[i].ignore_errors,
				i);
		test_expect_no_more_errors();
		test_assert_strcmp(session.reply, STATE_FAILED);
		/* that was logged once, and is not tried again */
		for (j = 0; j < 20; j++) {
			test_assert_idx(retr(&session, 100) ==
					tests[i].ignore_errors, i);
			top(&session, 100);
		}
		test_assert_strcmp(session.reply, STATE_FAILED);

		if (tests[i].undo) {
			spoil(tests[i].name, TRUE);
			left = session_end(&session);
			test_assert_strcmp(left, tests[i].ignore_errors ?
					   "0 of 16msg/day" : "14msg of 16msg/day");
			j = tests[i].ignore_errors ? 23 : 2;
			assert_disk(j * 110 + 2000, j, i);
		} else {
			test_expect_error_string(error);
			(void)session_end(&session);
			test_expect_no_more_errors();
			spoil(tests[i].name, TRUE);
			test_assert_idx(disk(DAY, MESSAGES) == 2, i);
		}
		fixture_end();
	}
	test_end();
}

static void test_no_rights(void)
{
	struct session session;

	test_begin("session quota: state without rights");
	fixture_begin("16msg/day");
	test_user_begin();
	session_begin(&session);
	test_assert(retr(&session, 100));
	test_assert(retr(&session, 100));
	test_assert(chmod(state_dir, 0) == 0);
	test_expect_error_string("RETR is refused");
	test_assert(!retr(&session, 100));
	test_expect_no_more_errors();
	test_assert_strcmp(session.reply, STATE_FAILED);
	test_assert(chmod(state_dir, 0700) == 0);
	test_assert_strcmp(session_end(&session), "14msg of 16msg/day");
	assert_disk(220, 2, 0);

	/* the counters can be read, and the lock taken */
	session_begin(&session);
	test_assert(chmod(state_dir, 0500) == 0);
	test_expect_error_string("RETR is refused");
	test_assert(!retr(&session, 100));
	test_expect_no_more_errors();
	test_assert(chmod(state_dir, 0700) == 0);
	session_kill(&session);
	assert_disk(220, 2, 1);
	test_user_end();
	fixture_end();
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
		test_windows,
		test_clock,
		test_reset,
		test_unwritable,
		test_unusable,
		test_no_rights,
		NULL
	};

	if (setenv("TZ", "UTC", 1) < 0)
		i_fatal("setenv() failed: %m");
	tzset();
	return test_run(test_functions);
}
