/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "test-home.h"
#include "test-session-use.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_FAILED \
	"[SYS/TEMP] POP3 policy state is not available, try again later."

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
		test_unwritable,
		test_unusable,
		test_no_rights,
		NULL
	};
	return test_run(test_functions);
}
