/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "quota-text.h"
#include "store.h"
#include "test-home.h"
#include "test-session-use.h"

#include <unistd.h>

static unsigned int told_count;
static string_t *told;

/* Who is told finds it written, and the state unlocked. */
static void warn(const struct pop3_quota_warning *warning, void *context)
{
	struct policy_store *store = policy_store_init(state_dir, FALSE, NULL);
	struct policy_state *state;
	const char *error;
	uint64_t warned;

	test_assert(context == &told_count);
	if (policy_store_begin(store, &state, &error) != POLICY_STORE_OK)
		i_fatal("%s", error);
	policy_store_rollback(store);
	warned = policy_state_quota(state)->
		window[warning->window].warned.n[warning->resource];
	test_assert(warned == warning->limit - (warning->percent == 100 ? 0 :
						warning->limit / 5));
	policy_state_deinit(&state);
	policy_store_deinit(&store);
	str_printfa(told, "%u%% of %s (%"PRIu64")\n", warning->percent,
		    pop3_quota_limit_to_text(warning->window, warning->resource,
					     warning->limit), warning->used);
	told_count++;
}

static void begin(struct session *session)
{
	session_begin(session);
	session_quota_set_warn(session->quota, warn, &told_count);
}

/* What was told since this was asked before. */
static const char *news(void)
{
	const char *text = t_strdup(str_c(told));

	str_truncate(told, 0);
	return text;
}

static void test_thresholds(void)
{
	struct session session;
	unsigned int i;

	test_begin("session warnings: in one session");
	fixture_begin("10msg/day");
	begin(&session);
	for (i = 0; i < 8; i++)
		test_assert_idx(retr(&session, 100), i);
	test_assert_strcmp(news(), "");
	/* a lease is one message now */
	test_assert(retr(&session, 100));
	test_assert_strcmp(news(), "80% of 10msg/day (8)\n");
	test_assert(retr(&session, 100));
	test_assert_strcmp(news(), "");
	(void)was_written();
	test_assert(!retr(&session, 100));
	test_assert(was_written());
	test_assert_strcmp(news(), "100% of 10msg/day (10)\n");
	test_assert(!retr(&session, 100));
	test_assert(!was_written());
	(void)session_end(&session);
	test_assert_strcmp(news(), "");
	fixture_end();

	/* at the end, when it was not seen before */
	fixture_begin("10msg/day 1000k/month");
	begin(&session);
	for (i = 0; i < 7; i++)
		test_assert_idx(retr(&session, 100), i);
	(void)session_end(&session);
	test_assert_strcmp(news(), "");
	begin(&session);
	test_assert(retr(&session, 900 * 1024));
	(void)session_end(&session);
	test_assert_strcmp(news(), "80% of 10msg/day (8)\n"
			   "80% of 1000k/month (922380)\n");
	fixture_end();
	test_end();
}

static void test_refused_only(void)
{
	struct session session;

	test_begin("session warnings: what is left is too little");
	fixture_begin("100k/day");
	begin(&session);
	test_assert(retr(&session, 70 * 1024));
	test_assert(!retr(&session, 40 * 1024));
	test_assert_strcmp(news(), "");
	test_assert(retr(&session, 11 * 1024));
	test_assert(!retr(&session, 40 * 1024));
	test_assert_strcmp(news(), "100% of 100k/day (82964)\n");
	(void)session_end(&session);
	test_assert_strcmp(news(), "");
	fixture_end();
	test_end();
}

static void test_killed(void)
{
	struct session session;
	unsigned int i;

	test_begin("session warnings: the next session tells what a killed one "
		   "has not");
	fixture_begin("3msg/day");
	begin(&session);
	for (i = 0; i < 3; i++)
		test_assert_idx(retr(&session, 100), i);
	session_kill(&session);
	test_assert_strcmp(news(), "");
	begin(&session);
	test_assert(!retr(&session, 100));
	test_assert_strcmp(news(), "100% of 3msg/day (3)\n");
	(void)session_end(&session);
	fixture_end();
	test_end();
}

static void test_next_window(void)
{
	struct session session;
	unsigned int day;

	test_begin("session warnings: once in each window");
	fixture_begin("1msg/day 2msg/month");
	for (day = 0; day < 3; day++) {
		begin(&session);
		(void)retr(&session, 100);
		(void)session_end(&session);
		begin(&session);
		test_assert_idx(!retr(&session, 100), day);
		(void)session_end(&session);
		if (day < 2) {
			test_assert_strcmp(news(), day == 0 ?
				"100% of 1msg/day (1)\n" :
				"100% of 1msg/day (1)\n"
				"100% of 2msg/month (2)\n");
		}
		test_time += 24 * 3600;
	}
	test_assert_strcmp(news(), "");
	fixture_end();
	test_end();
}

static void test_not_written(void)
{
	struct session session;
	const char *lock;
	unsigned int i;

	test_begin("session warnings: not told when that cannot be written");
	fixture_begin("10msg/day");
	begin(&session);
	for (i = 0; i < 8; i++)
		test_assert_idx(retr(&session, 100), i);
	lock = t_strconcat(state_dir, "/state.lock", NULL);
	i_unlink(lock);
	if (symlink("away", lock) < 0)
		i_fatal("symlink() failed: %m");
	test_expect_error_string("quota state is not available");
	test_assert(!retr(&session, 100));
	test_expect_no_more_errors();
	test_assert_strcmp(news(), "");
	i_unlink(lock);
	(void)session_end(&session);
	test_assert_strcmp(news(), "80% of 10msg/day (8)\n");
	fixture_end();
	test_end();
}

/* A disk that takes no writes: the state is known, but stays as it is. */
static void test_unwritable(void)
{
	struct session session;
	const char *disk_path;
	unsigned int i, full;

	test_begin("session warnings: told when it can be written again");
	for (full = 0; full <= 1; full++) {
		fixture_begin("10msg/day");
		disk_path = test_home_path("disk");
		state_dir = test_home_path("disk/pop3-policy");
		/* the root, the folder, its two files and one more */
		if (!test_mount_tmpfs(disk_path, "nr_inodes=5")) {
			fixture_end();
			break;
		}
		begin(&session);
		for (i = 0; i < 8; i++)
			test_assert_idx(retr(&session, 100), i);
		if (full == 1)
			test_file_write(test_home_path("disk/filler"), "");
		else
			test_mount_read_only(disk_path, TRUE);
		test_expect_error_string("quota is counted in this session");
		test_assert_idx(retr(&session, 100), full);
		test_expect_no_more_errors();
		test_assert_strcmp_idx(news(), "", full);
		if (full == 1)
			i_unlink(test_home_path("disk/filler"));
		else
			test_mount_read_only(disk_path, FALSE);
		(void)session_end(&session);
		test_assert_strcmp_idx(news(), "80% of 10msg/day (9)\n", full);
		i_unlink_if_exists(t_strconcat(state_dir, "/state.json", NULL));
		(void)was_written();
		test_umount(disk_path);
		fixture_end();
	}
	test_end();
}

static void test_parallel(void)
{
	enum { SESSIONS = 5 };
	struct session sessions[SESSIONS];
	unsigned int i, s;

	test_begin("session warnings: once for many sessions");
	for (i = 0; i < 20; i++) {
		fixture_begin("200msg/day 1M/month");
		told_count = 0;
		for (s = 0; s < SESSIONS; s++)
			begin(&sessions[s]);
		while (told_count < 4) {
			s = i_rand_limit(SESSIONS);
			if (i_rand_limit(10) == 0) {
				(void)session_end(&sessions[s]);
				begin(&sessions[s]);
			} else {
				(void)retr(&sessions[s],
					   i_rand_minmax(1, 9000));
			}
			/* one of the two limits is reached long before the
			   other one, which then is not */
			if (info_count > 0)
				break;
		}
		for (s = 0; s < SESSIONS; s++)
			(void)session_end(&sessions[s]);
		test_assert_idx(told_count >= 2 && told_count <= 4, i);
		test_assert_idx(strstr(str_c(told), "80% of ") != NULL, i);
		test_assert_idx(strstr(str_c(told), "100% of ") != NULL, i);
		for (s = 0; s < SESSIONS; s++) {
			begin(&sessions[s]);
			(void)retr(&sessions[s], 9000);
			(void)session_end(&sessions[s]);
		}
		test_assert_idx(told_count <= 4, i);
		(void)news();
		fixture_end();
	}
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_thresholds,
		test_refused_only,
		test_killed,
		test_next_window,
		test_not_written,
		test_unwritable,
		test_parallel,
		NULL
	};
	int ret;

	told = str_new(default_pool, 256);
	ret = test_run(test_functions);
	str_free(&told);
	return ret;
}
