/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#define _GNU_SOURCE /* AT_EMPTY_PATH */
#include "lib.h"
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

#define NAME TEST_LAST_USED_NAME
#define FILE_NAME TEST_LAST_USED_FILE
#define OTHER_UID 65534
#define OTHER_GID 8

/* What the disk has room for in the calls below, or -1. */
static ssize_t write_room = -1;
static bool truncate_fails;

ssize_t write(int fd, const void *data, size_t size)
{
	/* what the test itself prints */
	if (write_room < 0 || fd <= STDERR_FILENO)
		return syscall(SYS_write, fd, data, size);
	if (write_room == 0) {
		errno = ENOSPC;
		return -1;
	}
	size = I_MIN(size, (size_t)write_room);
	write_room -= size;
	return syscall(SYS_write, fd, data, size);
}

int ftruncate(int fd, off_t size)
{
	if (truncate_fails) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_ftruncate, fd, size);
}

/* What somebody else does before the call of this number below, from 1. */
static void (*meanwhile)(void);
static unsigned int calls_until;

int fstat(int fd, struct stat *st)
{
	if (calls_until > 0 && --calls_until == 0)
		meanwhile();
	return fstatat(fd, "", st, AT_EMPTY_PATH);
}

static const char *path(void)
{
	return test_home_path(FILE_NAME);
}

/* What noting and showing say, which must be the same. */
static const char *both_errors(void)
{
	struct last_used *used = test_last_used_init();
	const char *error, *shown;

	test_assert(test_last_used_note(used, "a", "", "", 1, &error) < 0);
	shown = test_last_used_show(used, "a");
	test_assert_strcmp(shown, error);
	last_used_deinit(&used);
	return error;
}

static void test_intruders(void)
{
	test_begin("last used: not a file");
	test_home_begin();
	if (symlink("other", path()) < 0)
		i_fatal("symlink() failed: %m");
	test_assert_strcmp(both_errors(),
			   FILE_NAME" is a link, which is not followed");
	test_assert(test_file_mode(test_home_path("other")) == 0);
	test_file_write(test_home_path("other"), "");
	test_assert_strcmp(both_errors(),
			   FILE_NAME" is a link, which is not followed");
	i_unlink(path());
	if (link(test_home_path("other"), path()) < 0)
		i_fatal("link() failed: %m");
	test_assert_strcmp(both_errors(), FILE_NAME" has another name");
	i_unlink(path());
	if (mkfifo(path(), 0600) < 0)
		i_fatal("mkfifo() failed: %m");
	test_assert_strcmp(both_errors(), FILE_NAME" is not a regular file");
	i_unlink(path());
	if (test_mknod_null(path())) {
		test_assert_strcmp(both_errors(),
				   FILE_NAME" is not a regular file");
		i_unlink(path());
	}
	test_assert_strcmp(test_file_read(test_home_path("other")), "");
	test_home_end();
	test_end();
}

static void test_modes(void)
{
	static const unsigned int good[] = { 0600, 0640, 0700 };
	static const unsigned int bad[] = {
		0644, 0604, 0602, 0601, 0660, 0620, 0610, 0777,
	};
	struct last_used *used;
	const char *error;
	unsigned int i;

	test_begin("last used: modes");
	test_home_begin();
	test_file_write(path(), "");
	used = test_last_used_init();
	for (i = 0; i < N_ELEMENTS(good); i++) {
		if (chmod(path(), good[i]) < 0)
			i_fatal("chmod() failed: %m");
		test_assert_idx(test_last_used_note(used, "a", "", "",
						    3600 * (i + 1),
						    &error) == 1, i);
		test_assert_idx(test_file_mode(path()) == good[i], i);
	}
	for (i = 0; i < N_ELEMENTS(bad); i++) {
		if (chmod(path(), bad[i]) < 0)
			i_fatal("chmod() failed: %m");
		test_assert_strcmp_idx(both_errors(), t_strdup_printf(
			FILE_NAME" has mode 0%o, expected 0600, or 0640 for a "
			"group that reads it", bad[i]), i);
	}
	last_used_deinit(&used);
	test_home_end();
	test_end();
}

static void test_folder(void)
{
	struct last_used *used;
	const char *error;

	test_begin("last used: no folder, and one that cannot be written");
	test_home_begin();
	used = last_used_init(test_home_path("none/"NAME));
	test_assert(test_last_used_note(used, "a", "", "", 1, &error) < 0);
	test_assert_strcmp(error, "open(none/"FILE_NAME") failed: No such file "
			   "or directory");
	test_assert_strcmp(test_last_used_show(used, "a"), "");
	last_used_deinit(&used);
	test_user_begin();
	if (chmod(test_home_path(""), 0500) < 0)
		i_fatal("chmod() failed: %m");
	used = test_last_used_init();
	test_assert(test_last_used_note(used, "a", "", "", 1, &error) < 0);
	test_assert_strcmp(error, "open("FILE_NAME") failed: Permission "
			   "denied");
	test_assert_strcmp(test_last_used_show(used, "a"), "");
	last_used_deinit(&used);
	if (chmod(test_home_path(""), 0700) < 0)
		i_fatal("chmod() failed: %m");
	test_user_end();
	test_file_write(path(), "{\"user\":\"a\",\"time\":5}\n");
	test_user_begin();
	test_assert_strcmp(both_errors(), "open("FILE_NAME") failed: "
			   "Permission denied");
	test_user_end();
	test_home_end();
	test_end();
}

static void test_relative(void)
{
	struct last_used *used;
	const char *error;

	test_begin("last used: a path without a folder");
	test_home_begin();
	if (chdir(test_home_path("")) < 0)
		i_fatal("chdir() failed: %m");
	used = last_used_init(NAME);
	test_assert(test_last_used_note(used, "a", "", "", 5, &error) == 1);
	if (test_chown_other(path())) {
		test_assert(test_last_used_note(used, "a", "", "", 9999,
						&error) < 0);
		if (test_chown_other(test_home_path(""))) {
			test_assert_strcmp(test_last_used_show(used, "a"),
					   "@5/");
		}
	}
	last_used_deinit(&used);
	if (chdir("/") < 0)
		i_fatal("chdir() failed: %m");
	test_home_end();
	test_end();
}

static void test_owners(void)
{
	static const char *const foreign = FILE_NAME" is owned by uid 65534, "
		"expected 0, or the owner of "NAME;

	test_begin("last used: owners");
	test_home_begin();
	test_file_write(path(), "{\"user\":\"a\",\"time\":5}\n");
	if (geteuid() == 0 && test_chown_other(path())) {
		test_assert_strcmp(both_errors(), foreign);
		test_file_write(test_home_path(NAME), "");
		test_assert_strcmp(both_errors(), foreign);
		(void)test_chown_other(test_home_path(NAME));
		test_assert_strcmp(test_last_used_show_new("a"), "@5/");
		i_unlink(test_home_path(NAME));
		test_assert_strcmp(both_errors(), foreign);
		/* whose folder it is */
		(void)test_chown_other(test_home_path(""));
		test_assert_strcmp(test_last_used_show_new("a"), "@5/");
		/* one of root's that a group may read */
		i_unlink(path());
		test_file_write(path(), "{\"user\":\"a\",\"time\":6}\n");
		if (chmod(path(), 0640) < 0 ||
		    chown(path(), 0, OTHER_GID) < 0 || setegid(OTHER_GID) < 0)
			i_fatal("chown() failed: %m");
		test_user_begin();
		test_assert_strcmp(test_last_used_show_new("a"), "@6/");
		test_user_end();
		if (setegid(getgid()) < 0)
			i_fatal("setegid() failed: %m");
	}
	test_home_end();
	test_end();
}

/* Root makes it for the owner of the credential file, anybody else for
   themselves. */
static void test_new_owner(void)
{
	struct last_used *used;
	const char *error;
	struct stat st;

	test_begin("last used: the owner of a new file");
	test_home_begin();
	used = test_last_used_init();
	test_file_write(test_home_path(NAME), "");
	if (geteuid() == 0 && test_chown_other(test_home_path(NAME))) {
		test_assert(test_last_used_note(used, "a", "", "", 1,
						&error) == 1);
		test_assert(stat(path(), &st) == 0);
		test_assert(st.st_uid == OTHER_UID);
		test_assert((st.st_mode & 07777) == 0600);
		i_unlink(path());
		i_unlink(test_home_path(NAME));
		/* they cannot give it away */
		test_file_write(test_home_path(NAME), "");
		if (chown(test_home_path(NAME), OTHER_UID - 1, 0) < 0)
			i_fatal("chown() failed: %m");
	}
	test_user_begin();
	test_assert(test_last_used_note(used, "a", "", "", 1, &error) == 1);
	test_user_end();
	test_assert(stat(path(), &st) == 0);
	test_assert(geteuid() != 0 || st.st_uid == OTHER_UID);
	if (geteuid() == 0) {
		/* in a folder that is another one's, without being root's */
		test_user_begin();
		if (chmod(test_home_path(""), 0755) < 0)
			i_fatal("chmod() failed: %m");
		test_user_end();
		if (chown(test_home_path(""), 0, 0) < 0 ||
		    seteuid(OTHER_UID) < 0)
			i_fatal("seteuid() failed: %m");
		test_assert(test_last_used_note(used, "a", "", "", 9000,
						&error) == 1);
		test_user_end();
	}
	last_used_deinit(&used);
	test_home_end();
	test_end();
}

static void test_disk_full(void)
{
	static const char *const before = "{\"user\":\"a\",\"time\":5}\n",
		*const line = "{\"user\":\"b\",\"id\":\"\",\"time\":5}\n";
	struct last_used *used;
	const char *error;
	ssize_t room;

	test_begin("last used: a full disk");
	test_home_begin();
	used = test_last_used_init();
	test_file_write(path(), before);
	for (room = 0; room < (ssize_t)strlen(line); room++) T_BEGIN {
		write_room = room;
		test_assert_idx(test_last_used_note(used, "b", "", "", 5,
						    &error) < 0, room);
		write_room = -1;
		test_assert_strcmp_idx(error, "write("FILE_NAME") failed: No "
				       "space left on device", room);
		test_assert_strcmp_idx(test_file_read(path()), before, room);
	} T_END;
	/* not even that can be undone; who comes next begins a line */
	write_room = 20;
	truncate_fails = TRUE;
	test_assert(test_last_used_note(used, "b", "", "", 5, &error) < 0);
	write_room = -1;
	truncate_fails = FALSE;
	test_assert_strcmp(error, "write("FILE_NAME") failed: No space left on "
			   "device, and so did ftruncate(): Input/output "
			   "error");
	test_assert(test_last_used_note(used, "c", "", "", 5, &error) == 1);
	test_assert_strcmp(test_last_used_show(used, "b"), "");
	test_assert_strcmp(test_last_used_show(used, "c"), "@5/");
	test_assert_strcmp(test_last_used_show_new("a"), "@5/");
	last_used_deinit(&used);
	test_home_end();
	test_end();
}

/* Another process has the lock. */
static void test_busy(void)
{
	struct flock lock = { .l_type = F_WRLCK };
	struct last_used *used;
	const char *error;
	int fd, fds[2], status;
	char byte;
	pid_t pid;

	test_begin("last used: locked by another one");
	test_home_begin();
	test_file_write(path(), "{\"user\":\"a\",\"time\":5}\n");
	if (pipe(fds) < 0 || (pid = fork()) == -1)
		i_fatal("fork() failed: %m");
	if (pid == 0) {
		fd = open(path(), O_RDWR);
		if (fd == -1 || fcntl(fd, F_SETLK, &lock) < 0)
			_exit(1);
		(void)syscall(SYS_write, fds[1], "x", 1);
		pause();
		_exit(0);
	}
	i_close_fd(&fds[1]);
	test_assert(read(fds[0], &byte, 1) == 1);
	used = test_last_used_init();
	test_assert(test_last_used_note(used, "a", "", "", 9000, &error) == 0);
	test_assert(test_last_used_note(used, "b", "", "", 9000, &error) == 0);
	test_assert_strcmp(test_last_used_show(used, "a"), "@5/");
	test_assert(kill(pid, SIGKILL) == 0);
	test_assert(waitpid(pid, &status, 0) == pid);
	test_assert(test_last_used_note(used, "a", "", "", 9000, &error) == 1);
	test_assert(test_last_used_note(used, "b", "", "", 9000, &error) == 1);
	test_assert(test_last_used_count("") == 3);
	last_used_deinit(&used);
	i_close_fd(&fds[0]);
	test_home_end();
	test_end();
}

static void append_same(void)
{
	FILE *file = fopen(path(), "a");

	if (file == NULL ||
	    fputs("{\"user\":\"a\",\"time\":8000}\n", file) < 0 ||
	    fclose(file) < 0)
		i_fatal("fopen() failed: %m");
}

static void replace(void)
{
	test_file_write(test_home_path("new"), "{\"user\":\"b\",\"time\":6}\n");
	if (rename(test_home_path("new"), path()) < 0)
		i_fatal("rename() failed: %m");
}

static void remove_file(void)
{
	i_unlink(path());
}

/* Before the lock, what was read may get old. */
static void test_meanwhile(void)
{
	static const struct {
		void (*what)(void);
		const char *a, *b;
	} tests[] = {
		{ append_same, "@8000/", "" },
		{ replace, "", "@6/" },
		{ remove_file, "", "" },
	};
	struct last_used *used;
	const char *error;
	unsigned int i;

	test_begin("last used: somebody is faster");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		test_home_begin();
		test_file_write(path(), "{\"user\":\"a\",\"time\":5}\n");
		used = test_last_used_init();
		meanwhile = tests[i].what;
		/* when it is opened, before and under the lock */
		calls_until = 3;
		test_assert_idx(test_last_used_note(used, "a", "", "", 9000,
						    &error) == 0, i);
		test_assert_idx(calls_until == 0, i);
		test_assert_strcmp_idx(test_last_used_show(used, "a"),
				       tests[i].a, i);
		test_assert_strcmp_idx(test_last_used_show(used, "b"),
				       tests[i].b, i);
		last_used_deinit(&used);
		test_home_end();
	} T_END;
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_intruders,
		test_modes,
		test_folder,
		test_relative,
		test_owners,
		test_new_owner,
		test_disk_full,
		test_busy,
		test_meanwhile,
		NULL
	};
	return test_run(test_functions);
}
