/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "run-lock.h"
#include "test-home.h"
#include "test-intruder.h"
#include "test-store-use.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIR_NAME "pop3-policy"
#define LOCK DIR_NAME"/retention.lock"

static unsigned int count_fds(void)
{
	unsigned int count = 0;
	int fd;

	for (fd = 0; fd < 100; fd++) {
		if (fcntl(fd, F_GETFD) != -1)
			count++;
	}
	return count;
}

/* Try to lock, and unlock at once. An error must have these words. */
static void
expect_lock(struct policy_store *store, int expected, const char *words,
	    unsigned int idx)
{
	struct policy_run_lock *lock = NULL;
	const char *error = "";
	unsigned int fds = count_fds();

	test_assert_idx(policy_run_try_lock(store, &lock, &error) == expected,
			idx);
	test_assert_idx((lock != NULL) == (expected > 0), idx);
	if (expected < 0 && strstr(error, words) == NULL)
		test_assert_strcmp_idx(error, words, (int)idx);
	policy_run_unlock(&lock);
	test_assert_idx(lock == NULL, idx);
	test_assert_idx(count_fds() == fds, idx);
}

/* A process that has the lock. */
struct holder {
	pid_t pid;
	/* What is written there makes it unlock, and is sent back then. It
	   exits when this is closed. */
	int fd;
};

static void ATTR_NORETURN hold_lock(int fd)
{
	/* valgrind finds them here when it exits */
	static struct policy_store *store;
	static struct policy_run_lock *lock;
	const char *error;
	char byte = 'x';

	store = test_store_init(DIR_NAME);
	if (policy_run_try_lock(store, &lock, &error) <= 0)
		_exit(1);
	while (write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 1)
		policy_run_unlock(&lock);
	_exit(0);
}

static void holder_wait(const struct holder *holder)
{
	char byte;

	if (read(holder->fd, &byte, 1) != 1)
		i_fatal("the holder of the lock failed");
}

static void holder_init(struct holder *holder_r)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) < 0 ||
	    (holder_r->pid = fork()) == -1)
		i_fatal("fork() failed: %m");
	if (holder_r->pid == 0) {
		i_close_fd(&fd[0]);
		hold_lock(fd[1]);
	}
	i_close_fd(&fd[1]);
	holder_r->fd = fd[0];
	holder_wait(holder_r);
}

static void holder_unlock(struct holder *holder)
{
	if (write(holder->fd, "u", 1) != 1)
		i_fatal("write() failed: %m");
	holder_wait(holder);
}

static void holder_exit(struct holder *holder)
{
	int status;

	i_close_fd(&holder->fd);
	test_assert(waitpid(holder->pid, &status, 0) == holder->pid);
}

static void holder_kill(struct holder *holder)
{
	test_assert(kill(holder->pid, SIGKILL) == 0);
	holder_exit(holder);
}

static struct policy_store *home_begin(void)
{
	struct policy_store *store;

	intruder_home_begin();
	store = test_store_init(DIR_NAME);
	test_store_add(store, 1, 1);
	return store;
}

static void home_end(struct policy_store **store, unsigned int idx)
{
	policy_store_deinit(store);
	intruder_home_end(idx);
}

static void test_use(void)
{
	struct policy_store *store;
	struct policy_run_lock *none = NULL;

	test_begin("run lock: one process");
	store = home_begin();
	expect_lock(store, 1, "", 0);
	test_assert(test_file_mode(test_home_path(LOCK)) == 0600);
	test_assert_strcmp(test_file_read(test_home_path(LOCK)), "");
	expect_lock(store, 1, "", 1);
	policy_run_unlock(&none);
	home_end(&store, 0);
	test_end();
}

static void test_two_processes(void)
{
	struct policy_store *store;
	struct holder holder;

	test_begin("run lock: held by another process");
	store = home_begin();
	holder_init(&holder);
	expect_lock(store, 0, "", 0);
	expect_lock(store, 0, "", 1);
	/* it is not the lock of the state */
	test_store_add(store, 1, 1);
	test_assert(test_store_bytes(store) == 2);
	expect_lock(store, 0, "", 2);
	holder_unlock(&holder);
	expect_lock(store, 1, "", 3);
	holder_exit(&holder);

	holder_init(&holder);
	expect_lock(store, 0, "", 4);
	holder_exit(&holder);
	expect_lock(store, 1, "", 5);

	holder_init(&holder);
	expect_lock(store, 0, "", 6);
	holder_kill(&holder);
	expect_lock(store, 1, "", 7);
	home_end(&store, 0);
	test_end();
}

static void test_intruders(void)
{
	static const struct {
		const char *name;
		enum intruder kind;
		const char *words;
	} tests[] = {
		{ LOCK, LINK_TO_FILE,
		  "retention.lock is a link, which is not followed" },
		{ LOCK, LINK_TO_FOLDER, "retention.lock is a link" },
		{ LOCK, LINK_TO_NOTHING, "retention.lock is a link" },
		{ LOCK, FIFO, "retention.lock is not a regular file" },
		{ LOCK, FOLDER, "retention.lock) failed: Is a directory" },
		{ LOCK, DEVICE, "retention.lock" },
		{ LOCK, OTHERS_FILE, "retention.lock is owned by uid " },
		{ DIR_NAME, LINK_TO_FILE, "pop3-policy is not a folder" },
		{ DIR_NAME, LINK_TO_FOLDER, "pop3-policy is not a folder" },
		{ DIR_NAME, LINK_TO_NOTHING, "pop3-policy is not a folder" },
		{ DIR_NAME, FIFO, "pop3-policy is not a folder" },
		{ DIR_NAME, OTHERS_FILE, "pop3-policy is not a folder" },
	};
	struct policy_store *store;
	struct stat st;
	const char *path;
	unsigned int i;

	test_begin("run lock: what is no file of ours");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		store = home_begin();
		expect_lock(store, 1, "", i);
		path = test_home_path(tests[i].name);
		test_assert_idx(rename(path, test_home_path("old")) == 0, i);
		if (intruder_put(path, tests[i].kind)) {
			test_assert_idx(lstat(path, &st) == 0, i);
			expect_lock(store, -1, tests[i].words, i);
			intruder_assert_same(path, &st, i);
		}
		home_end(&store, i);
	}
	test_end();
}

/* Where nothing was ever written, nothing is known that could be removed. */
static void test_no_folder(void)
{
	struct policy_store *store;
	const char *name;

	test_begin("run lock: no folder");
	test_home_begin();
	store = test_store_init(DIR_NAME);
	expect_lock(store, -1, "pop3-policy does not exist", 0);
	test_assert(test_dir_count(test_home_path(""), "", &name) == 0);
	policy_store_deinit(&store);
	store = policy_store_init("/dev/null/"DIR_NAME, FALSE, NULL);
	expect_lock(store, -1, "/dev/null/"DIR_NAME, 1);
	policy_store_deinit(&store);
	test_home_end();
	test_end();
}

static void test_rights(void)
{
	static const struct {
		const char *name;
		mode_t mode;
		int ret;
		const char *words;
	} tests[] = {
		{ LOCK, 0, -1, "retention.lock) failed: Permission denied" },
		{ LOCK, 0400, -1, "retention.lock) failed: Permission denied" },
		{ LOCK, 0644, 1, "" },
		{ DIR_NAME, 0, -1, "pop3-policy) failed: Permission denied" },
		/* it is there already */
		{ DIR_NAME, 0500, 1, "" },
		{ DIR_NAME, 0770, -1, "lets others write" },
		{ "", 0, -1, "pop3-policy) failed: Permission denied" },
	};
	struct policy_store *store;
	unsigned int i;

	test_begin("run lock: files without rights");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		test_home_begin();
		test_user_begin();
		store = test_store_init(DIR_NAME);
		test_store_add(store, 1, 1);
		expect_lock(store, 1, "", i);
		test_assert_idx(chmod(test_home_path(tests[i].name),
				      tests[i].mode) == 0, i);
		expect_lock(store, tests[i].ret, tests[i].words, i);
		test_assert_idx(chmod(test_home_path(""), 0700) == 0, i);
		test_assert_idx(chmod(test_home_path(DIR_NAME), 0700) == 0, i);
		i_unlink(test_home_path(LOCK));
		/* and it cannot be made */
		test_assert_idx(chmod(test_home_path(DIR_NAME), 0500) == 0, i);
		expect_lock(store, -1,
			    "retention.lock) failed: Permission denied", i);
		test_assert_idx(chmod(test_home_path(DIR_NAME), 0700) == 0, i);
		test_user_end();
		policy_store_deinit(&store);
		test_home_end();
	}
	test_end();
}

/* Who cannot have the lock removes no mail. */
static void test_disk(void)
{
	struct policy_store *store;
	const char *disk, *name;

	test_begin("run lock: a full disk and a read-only one");
	test_home_begin();
	disk = test_home_path("disk");
	/* the root, the folder, two files and one more */
	if (test_mount_tmpfs(disk, "nr_inodes=5")) {
		store = test_store_init("disk/"DIR_NAME);
		test_store_add(store, 1, 1);
		test_file_write(test_home_path("disk/filler"), "");
		expect_lock(store, -1,
			    "retention.lock) failed: No space left", 0);
		i_unlink(test_home_path("disk/filler"));
		test_mount_read_only(disk, TRUE);
		expect_lock(store, -1,
			    "retention.lock) failed: Read-only file system", 1);
		test_assert(test_dir_count(test_home_path("disk/"DIR_NAME), "",
					   &name) == 2);

		/* one that is there takes no room */
		test_mount_read_only(disk, FALSE);
		expect_lock(store, 1, "", 2);
		expect_lock(store, 1, "", 3);
		test_mount_read_only(disk, TRUE);
		expect_lock(store, -1,
			    "retention.lock) failed: Read-only file system", 4);
		policy_store_deinit(&store);
		test_umount(disk);
	}
	test_home_end();
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_use,
		test_two_processes,
		test_intruders,
		test_no_folder,
		test_rights,
		test_disk,
		NULL
	};
	return test_run(test_functions);
}
