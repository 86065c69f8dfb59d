/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "test-common.h"
#include "credential-edit.h"
#include "credential-file.h"
#include "test-credential-use.h"
#include "test-home.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME "credentials.json"
#define WRITERS 4
#define USERS 15

/* The calls below until this process is killed in one; 0 for never. A write
   comes half through. */
static unsigned int calls_to_live;

static void die_if_due(void)
{
	if (calls_to_live > 0 && --calls_to_live == 0)
		(void)kill(getpid(), SIGKILL);
}

ssize_t write(int fd, const void *data, size_t size)
{
	if (calls_to_live == 1)
		(void)syscall(SYS_write, fd, data, size / 2);
	die_if_due();
	return syscall(SYS_write, fd, data, size);
}

int fdatasync(int fd)
{
	die_if_due();
	return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	die_if_due();
	return (int)syscall(SYS_fsync, fd);
}

int fchown(int fd, uid_t uid, gid_t gid)
{
	die_if_due();
	return (int)syscall(SYS_fchown, fd, uid, gid);
}

int fchmod(int fd, mode_t mode)
{
	die_if_due();
	return (int)syscall(SYS_fchmod, fd, mode);
}

int renameat(int old_dir, const char *old_name, int new_dir,
	     const char *new_name)
{
	die_if_due();
	return (int)syscall(SYS_renameat2, old_dir, old_name, new_dir,
			    new_name, 0);
}

static bool add(const char *name)
{
	struct credential_file_edit *edit;
	struct credential_user user;
	string_t *text = t_str_new(256);
	const char *error;

	credential_user_init(&user, name, pool_datastack_create());
	return credential_file_edit_begin(test_home_path(NAME), 60, &edit,
					  &error) > 0 &&
		credential_edit_add(credential_file_edit_get(edit), &user,
				    text, &error) > 0 &&
		credential_file_edit_commit(&edit, text, &error) == 0;
}

static bool has(const char *name)
{
	const char *data = test_file_read(test_home_path(NAME)), *error;
	struct credentials *credentials;
	bool found;

	credentials = test_credentials_load(data, strlen(data), &error);
	test_assert_strcmp(error, NULL);
	found = credentials != NULL &&
		strcmp(test_credentials_show(credentials, name), "none") != 0;
	credentials_deinit(&credentials);
	return found;
}

static pid_t writer_start(unsigned int writer)
{
	pid_t pid = fork();
	unsigned int i;

	if (pid != 0)
		return pid;
	for (i = 0; i < USERS; i++) T_BEGIN {
		if (!add(t_strdup_printf("w%uu%u", writer, i)))
			_exit(1);
	} T_END;
	_exit(0);
}

static void test_writers(void)
{
	pid_t pids[WRITERS];
	unsigned int w, i;
	int status;

	test_begin("credential file: writers at once");
	test_home_begin();
	for (w = 0; w < WRITERS; w++)
		pids[w] = writer_start(w);
	for (w = 0; w < WRITERS; w++) {
		test_assert_idx(waitpid(pids[w], &status, 0) == pids[w], w);
		test_assert_idx(status == 0, w);
	}
	for (w = 0; w < WRITERS; w++) {
		for (i = 0; i < USERS; i++) T_BEGIN {
			test_assert_idx(has(t_strdup_printf("w%uu%u", w, i)),
					w * USERS + i);
		} T_END;
	}
	test_home_end();
	test_end();
}

/* Dovecot's processes do not die of it either. */
static void on_alarm(int signo ATTR_UNUSED)
{
}

/* Whoever held the lock was killed, or is still there. */
static void test_lock(void)
{
	struct credential_file_edit *edit = NULL;
	const char *error;
	int fds[2], status;
	char byte;
	pid_t pid;
	const struct sigaction action = { .sa_handler = on_alarm };

	if (sigaction(SIGALRM, &action, NULL) < 0)
		i_fatal("sigaction() failed: %m");
	test_begin("credential file: locked by another one");
	test_home_begin();
	if (pipe(fds) < 0 || (pid = fork()) == -1)
		i_fatal("fork() failed: %m");
	if (pid == 0) {
		if (credential_file_edit_begin(test_home_path(NAME), 0, &edit,
					       &error) <= 0)
			_exit(1);
		(void)syscall(SYS_write, fds[1], "x", 1);
		pause();
		_exit(0);
	}
	i_close_fd(&fds[1]);
	test_assert(read(fds[0], &byte, 1) == 1);
	test_assert(credential_file_edit_begin(test_home_path(NAME), 0, &edit,
					       &error) == 0);
	test_assert(credential_file_edit_begin(test_home_path(NAME), 1, &edit,
					       &error) == 0);
	test_assert(edit == NULL);
	test_assert(strstr(error, NAME".lock") != NULL);
	test_assert(kill(pid, SIGKILL) == 0);
	test_assert(waitpid(pid, &status, 0) == pid);
	test_assert(add("a"));
	test_assert(has("a"));
	i_close_fd(&fds[0]);
	test_home_end();
	test_end();
}

/* Returns FALSE if the process lived through it. */
static bool killed_in_call(unsigned int call)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		calls_to_live = call;
		_exit(add("new") ? 0 : 1);
	}
	test_assert_idx(waitpid(pid, &status, 0) == pid, call);
	if (WIFSIGNALED(status))
		return TRUE;
	test_assert_idx(status == 0, call);
	return FALSE;
}

static void test_kill(void)
{
	unsigned int call, old = 0, killed = 0;
	bool more = TRUE;

	test_begin("credential file: killed at each step");
	for (call = 1; more; call++) T_BEGIN {
		test_home_begin();
		test_assert_idx(add("old"), call);
		more = killed_in_call(call);
		if (more)
			killed++;
		test_assert_idx(has("old"), call);
		if (!has("new")) {
			old++;
			/* who comes next can do it */
			test_assert_idx(add("new"), call);
		}
		test_assert_idx(has("new"), call);
		test_assert_idx(has("old"), call);
		test_assert_idx(add("next"), call);
		test_assert_idx(test_file_mode(test_home_path(NAME)) == 0600,
				call);
		test_assert_idx(test_file_mode(test_home_path(NAME".tmp")) == 0,
				call);
		test_home_end();
	} T_END;
	/* write, fdatasync, fchown, fchmod, fsync, rename, fsync */
	test_assert(killed == 7);
	test_assert(old == 6);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_writers,
		test_lock,
		test_kill,
		NULL
	};
	return test_run(test_functions);
}
