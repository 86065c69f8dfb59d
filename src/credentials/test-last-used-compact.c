/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "test-home.h"
#include "test-last-used-use.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_NAME TEST_LAST_USED_FILE
#define TEMP_NAME FILE_NAME".tmp"
#define OTHER_UID 65534
#define OTHER_GID 8

/* The calls below until this process is killed in one, or until one fails; 0
   for never. A write comes half through. */
static unsigned int calls_to_live, calls_to_fail;

static bool is_over(int fd, const void *data, size_t size)
{
	if (calls_to_live > 0 && --calls_to_live == 0) {
		if (size > 0)
			(void)syscall(SYS_write, fd, data, size / 2);
		(void)kill(getpid(), SIGKILL);
	}
	if (calls_to_fail == 0 || --calls_to_fail > 0)
		return FALSE;
	errno = EIO;
	return TRUE;
}

ssize_t write(int fd, const void *data, size_t size)
{
	/* what the test itself prints */
	if (fd > STDERR_FILENO && is_over(fd, data, size))
		return -1;
	return syscall(SYS_write, fd, data, size);
}

int fdatasync(int fd)
{
	return is_over(fd, NULL, 0) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fchown(int fd, uid_t uid, gid_t gid)
{
	return is_over(fd, NULL, 0) ? -1 : (int)syscall(SYS_fchown, fd, uid,
							gid);
}

int fchmod(int fd, mode_t mode)
{
	return is_over(fd, NULL, 0) ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

int rename(const char *old_path, const char *new_path)
{
	return is_over(-1, NULL, 0) ? -1 :
		(int)syscall(SYS_renameat2, AT_FDCWD, old_path, AT_FDCWD,
			     new_path, 0);
}

static const char *path(void)
{
	return test_home_path(FILE_NAME);
}

/* Lines of this many users; the last one of each says how many came before. */
static void write_lines(unsigned int lines, unsigned int users)
{
	string_t *text = str_new(default_pool, lines * 40);
	unsigned int i;

	for (i = 0; i < lines; i++) {
		str_printfa(text, "{\"user\":\"u%u\",\"time\":%u,"
			    "\"address\":\"::1\"}\n", i % users, i);
	}
	test_file_write(path(), str_c(text));
	str_free(&text);
}

/* Whether each of them is still there, and nobody else but "new". */
static void
expect_users(unsigned int lines, unsigned int users, unsigned int idx)
{
	struct last_used *used = test_last_used_init();
	unsigned int i, last;

	for (i = 0; i < users; i++) T_BEGIN {
		last = lines - 1 - (lines - 1 - i) % users;
		test_assert_strcmp_idx(test_last_used_show(used,
			t_strdup_printf("u%u", i)),
			t_strdup_printf("@%u/::1", last), idx);
	} T_END;
	test_assert_idx(used->entries_count <= users + 1, idx);
	last_used_deinit(&used);
}

static int note(time_t now, const char **error_r)
{
	struct last_used *used = test_last_used_init();
	int ret;

	ret = test_last_used_note(used, "new", "k7qmx3", "", now, error_r);
	last_used_deinit(&used);
	return ret;
}

static void test_when(void)
{
	static const struct {
		unsigned int lines, users, lines_after;
	} tests[] = {
		/* without and with the line that is noted */
		{ 999, 3, 1000 },
		{ 1000, 3, 4 },
		{ 1001, 3, 4 },
		{ 2000, 999, 1000 },
		{ 2000, 1000, 2001 },
		{ 5000, 1, 2 },
	};
	const char *error, *name;
	unsigned int i;

	test_begin("last used: when it is written anew");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		test_home_begin();
		write_lines(tests[i].lines, tests[i].users);
		test_assert_idx(note(5, &error) == 1, i);
		test_assert_idx(test_last_used_count("") ==
				tests[i].lines_after, i);
		expect_users(tests[i].lines, tests[i].users, i);
		test_assert_strcmp_idx(test_last_used_show_new("new"),
				       "k7qmx3@5/", i);
		test_assert_idx(test_file_mode(path()) == 0600, i);
		test_assert_idx(test_dir_count(test_home_path(""), "", &name) ==
				1, i);
		test_home_end();
	} T_END;
	test_end();
}

/* More than is written at once. Junk goes, and who has it in memory notices. */
static void test_large(void)
{
	struct last_used *used, *other;
	const char *error;
	unsigned int i;

	test_begin("last used: a large file is written anew");
	test_home_begin();
	write_lines(5000, 2000);
	used = test_last_used_init();
	other = test_last_used_init();
	test_assert_strcmp(test_last_used_show(other, "u1"), "@4001/::1");
	test_assert(test_last_used_note(used, "u1", "", "", 9000, &error) == 1);
	test_assert(test_last_used_count("") == 2000);
	test_assert_strcmp(test_last_used_show(other, "u1"), "@9000/");
	test_assert_strcmp(test_last_used_show(other, "u2"), "@4002/::1");
	test_assert(test_last_used_note(other, "u1", "", "", 9001,
					&error) == 0);
	test_assert(test_last_used_note(other, "u2", "", "", 9001,
					&error) == 1);
	test_assert_strcmp(test_last_used_show(used, "u2"), "@9001/");
	for (i = 0; i < 2500; i++) T_BEGIN {
		test_assert_idx(test_last_used_note(used, "u3", "", "",
						    10000 + i * 3600,
						    &error) == 1, i);
	} T_END;
	test_assert(test_last_used_count("") < 3000);
	test_assert_strcmp(test_last_used_show(used, "u3"), "@9006400/");
	test_assert_strcmp(test_last_used_show(other, "u2"), "@9001/");
	last_used_deinit(&used);
	last_used_deinit(&other);
	test_home_end();
	test_end();
}

static void test_rights(void)
{
	struct stat st;
	const char *error;

	test_begin("last used: owner and mode stay");
	test_home_begin();
	write_lines(1001, 3);
	if (chmod(path(), 0640) < 0)
		i_fatal("chmod() failed: %m");
	if (geteuid() == 0) {
		/* the group of the folder is none that a new file would get */
		if (chown(path(), 0, OTHER_GID) < 0)
			i_fatal("chown() failed: %m");
	}
	/* what somebody left who was killed */
	test_file_write(test_home_path("other"), "keep");
	if (symlink("other", test_home_path(TEMP_NAME)) < 0)
		i_fatal("symlink() failed: %m");
	test_assert(note(5, &error) == 1);
	test_assert(stat(path(), &st) == 0);
	test_assert((st.st_mode & 07777) == 0640);
	test_assert(st.st_uid == geteuid());
	test_assert(geteuid() != 0 || st.st_gid == OTHER_GID);
	test_assert(test_last_used_count("") == 4);
	test_assert_strcmp(test_file_read(test_home_path("other")), "keep");

	if (geteuid() == 0 && test_chown_other(test_home_path(""))) {
		write_lines(1001, 3);
		(void)test_chown_other(path());
		test_assert(note(5, &error) == 1);
		test_assert(stat(path(), &st) == 0);
		test_assert(st.st_uid == OTHER_UID);
		test_assert(test_last_used_count("") == 4);
	}
	test_home_end();
	test_end();
}

/* Its owner is not in the group of the file. */
static void test_group(void)
{
	struct stat st;
	const char *error;

	test_begin("last used: a group that cannot be kept");
	test_home_begin();
	test_user_begin();
	write_lines(1001, 3);
	test_user_end();
	if (geteuid() == 0) {
		if (chown(path(), OTHER_UID, OTHER_GID) < 0 ||
		    chmod(path(), 0640) < 0)
			i_fatal("chown() failed: %m");
		test_user_begin();
		test_assert(note(5, &error) < 0);
		test_assert_strcmp(error, "fchown("TEMP_NAME") failed: "
				   "Operation not permitted");
		if (chmod(path(), 0600) < 0)
			i_fatal("chmod() failed: %m");
		test_assert(note(9000, &error) == 1);
		test_user_end();
		test_assert(stat(path(), &st) == 0);
		test_assert(st.st_uid == OTHER_UID);
		test_assert(st.st_gid != OTHER_GID);
		test_assert((st.st_mode & 07777) == 0600);
		test_assert(test_last_used_count("") == 4);
	}
	test_home_end();
	test_end();
}

/* A line is noted all the same. */
static void test_folder(void)
{
	const char *error;

	test_begin("last used: a folder in which nothing can be made");
	test_home_begin();
	test_user_begin();
	write_lines(1001, 3);
	if (chmod(test_home_path(""), 0500) < 0)
		i_fatal("chmod() failed: %m");
	test_assert(note(5, &error) < 0);
	test_assert_strcmp(error, "open("TEMP_NAME") failed: Permission "
			   "denied");
	test_assert(note(6, &error) == 0);
	if (chmod(test_home_path(""), 0700) < 0)
		i_fatal("chmod() failed: %m");
	expect_users(1001, 3, 0);
	test_assert(test_last_used_count("") == 1002);
	test_assert(note(9000, &error) == 1);
	test_assert(test_last_used_count("") == 4);
	test_user_end();
	test_home_end();
	test_end();
}

/* Returns FALSE if the process lived through it. */
static bool killed_in_call(unsigned int call)
{
	const char *error;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		calls_to_live = call;
		_exit(note(5, &error) == 1 ? 0 : 1);
	}
	test_assert_idx(waitpid(pid, &status, 0) == pid, call);
	if (WIFSIGNALED(status))
		return TRUE;
	test_assert_idx(status == 0, call);
	return FALSE;
}

static void test_kill(void)
{
	const char *error, *name;
	unsigned int call, killed = 0;
	bool more = TRUE;

	test_begin("last used: killed at each step");
	for (call = 1; more; call++) T_BEGIN {
		test_home_begin();
		write_lines(1001, 3);
		more = killed_in_call(call);
		if (more)
			killed++;
		expect_users(1001, 3, call);
		/* who comes next can do it */
		test_assert_idx(note(9000, &error) == 1, call);
		expect_users(1001, 3, call);
		test_assert_strcmp_idx(test_last_used_show_new("new"),
				       "k7qmx3@9000/", call);
		test_assert_idx(test_last_used_count("") <= 5, call);
		test_assert_idx(test_dir_count(test_home_path(""), "", &name) ==
				1, call);
		test_home_end();
	} T_END;
	/* write, fchown, fchmod, write, fdatasync, rename */
	test_assert(killed == 6);
	test_end();
}

static void test_failures(void)
{
	static const char *const errors[] = {
		"write("FILE_NAME")", "fchown("TEMP_NAME")",
		"fchmod("TEMP_NAME")", "write("TEMP_NAME")",
		"fdatasync("TEMP_NAME")", "rename("TEMP_NAME")",
	};
	const char *error, *name;
	unsigned int i;

	test_begin("last used: each step fails");
	for (i = 0; i < N_ELEMENTS(errors); i++) T_BEGIN {
		test_home_begin();
		write_lines(1001, 3);
		calls_to_fail = i + 1;
		test_assert_idx(note(5, &error) < 0, i);
		test_assert_idx(calls_to_fail == 0, i);
		test_assert_strcmp_idx(error, t_strconcat(errors[i],
			" failed: Input/output error", NULL), i);
		expect_users(1001, 3, i);
		test_assert_idx(test_last_used_count("") ==
				(i == 0 ? 1001 : 1002), i);
		test_assert_strcmp_idx(test_last_used_show_new("new"),
				       i == 0 ? "" : "k7qmx3@5/", i);
		test_assert_idx(test_dir_count(test_home_path(""), "", &name) ==
				1, i);
		test_home_end();
	} T_END;
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_when,
		test_large,
		test_rights,
		test_group,
		test_folder,
		test_kill,
		test_failures,
		NULL
	};
	return test_run(test_functions);
}
