/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "login-stamp.h"
#include "test-home.h"
#include "test-stamp-use.h"
#include "test-store-use.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OK POLICY_STORE_OK
#define UNUSABLE POLICY_STORE_UNUSABLE

#define DIR_NAME "pop3-policy"
#define STAMP DIR_NAME"/login.json"
#define WHOLE "{\"version\":1,\"next\":          1795446060}\n"

static void test_use(void)
{
	static const uint64_t numbers[] = {
		1795446060, 1, 1795446061, 0, INT64_MAX, 1795446060
	};
	struct policy_store *store;
	struct stat first, st;
	const char *path, *name;
	uint64_t number = 0;
	unsigned int i;

	test_begin("login stamp: one process");
	test_home_begin();
	store = test_store_init("a/"DIR_NAME);
	path = test_home_path("a/"STAMP);
	/* to read is to make nothing */
	expect_stamp(store, 0, 0);
	test_assert(test_dir_count(test_home_path(""), "", &name) == 0);
	for (i = 0; i < N_ELEMENTS(numbers); i++) {
		expect_set(store, number, numbers[i], TRUE, i);
		number = numbers[i];
		expect_stamp(store, number, i);
		/* it is this file that was written, and none beside it */
		test_assert_idx(stat(path, &st) == 0, i);
		if (i == 0)
			first = st;
		test_assert_idx(st.st_ino == first.st_ino &&
				st.st_size == first.st_size, i);
		test_assert_idx(test_dir_count(test_home_path("a/"DIR_NAME), "",
					       &name) == 1, i);
	}
	test_assert_strcmp(test_file_read(path), WHOLE);
	test_assert(test_file_mode(path) == 0600);
	test_assert(test_file_mode(test_home_path("a/"DIR_NAME)) == 0700);

	/* another one was faster: nothing is written */
	expect_set(store, number - 1, 5, FALSE, i);
	expect_set(store, 0, 5, FALSE, i);
	test_assert_strcmp(test_file_read(path), WHOLE);
	policy_store_deinit(&store);
	test_home_end();
	test_end();
}

static void test_contents(void)
{
	static const struct {
		const char *text;
		/* NULL if the number can be read */
		const char *error;
		uint64_t number;
	} tests[] = {
		{ WHOLE, NULL, 1795446060 },
		{ "{\"version\":1,\"next\":5}", NULL, 5 },
		{ " {\n\"x\": [1],\n\"next\": 5, \"version\": 1 }\n", NULL,
		  5 },
		{ "{\"version\":1,\"next\":9223372036854775807}", NULL,
		  INT64_MAX },
		/* as a disk leaves it that was full */
		{ "", NULL, 0 },
		{ "{\"version\":1,\"next\":          17954460", "login.json: ",
		  0 },
		{ WHOLE"}", "login.json: ", 0 },
		{ " ", "login.json: ", 0 },
		{ "5", "login.json: ", 0 },
		{ "[]", "login.json: ", 0 },
		{ "{}", "login.json: version is not a whole number", 0 },
		{ "{\"version\":1}", "login.json: next is not a whole number",
		  0 },
		{ "{\"version\":0,\"next\":5}", "version 0 does not exist", 0 },
		{ "{\"version\":1,\"next\":-5}", "next is not a whole number",
		  0 },
		{ "{\"version\":1,\"next\":1.5}", "next is not a whole number",
		  0 },
		{ "{\"version\":1,\"next\":\"5\"}",
		  "next is not a whole number", 0 },
		{ "{\"version\":1,\"next\":5,\"next\":5}", "login.json: ", 0 },
		{ "{\"version\":1,\"next\":18446744073709551616}",
		  "login.json: ", 0 },
		{ "\xff\xfe", "login.json: ", 0 },
	};
	struct policy_store *store;
	unsigned int i;

	test_begin("login stamp: what is in the file");
	test_home_begin();
	store = test_store_init(DIR_NAME);
	expect_set(store, 0, 1, TRUE, 0);
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		test_file_write(test_home_path(STAMP), tests[i].text);
		expect_stamp(store, tests[i].number, i);
		test_assert_strcmp_idx(test_file_read(test_home_path(STAMP)),
				       tests[i].text, (int)i);
		if (tests[i].error != NULL)
			test_expect_error_string(tests[i].error);
		expect_set(store, tests[i].number, 1795446060, TRUE, i);
		if (tests[i].error != NULL)
			test_expect_no_more_errors();
		test_assert_strcmp_idx(test_file_read(test_home_path(STAMP)),
				       WHOLE, (int)i);
	}
	policy_store_deinit(&store);
	test_home_end();
	test_end();
}

/* A file of somebody else, as large as it may be; its contents are not read. */
static void test_large(void)
{
	static const struct {
		size_t size;
		bool taken;
	} tests[] = {
		{ 1024, TRUE }, { 1025, FALSE }, { 100 * 1024 * 1024, FALSE },
	};
	struct policy_store *store;
	string_t *text;
	const char *path;
	unsigned int i;
	int fd;

	test_begin("login stamp: a large file");
	test_home_begin();
	store = test_store_init(DIR_NAME);
	path = test_home_path(STAMP);
	expect_set(store, 0, 1, TRUE, 0);
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		text = t_str_new(2048);
		str_append(text, WHOLE);
		while (str_len(text) < I_MIN(tests[i].size, 2000))
			str_append_c(text, ' ');
		test_file_write(path, str_c(text));
		fd = open(path, O_WRONLY);
		if (fd == -1 || ftruncate(fd, tests[i].size) < 0)
			i_fatal("ftruncate() failed: %m");
		i_close_fd(&fd);
		expect_stamp(store, tests[i].taken ? 1795446060 : 0, i);
		if (!tests[i].taken)
			test_expect_error_string("more than 1024 octets");
		expect_set(store, tests[i].taken ? 1795446060 : 0, 1795446060,
			   TRUE, i);
		if (!tests[i].taken)
			test_expect_no_more_errors();
		test_assert_strcmp_idx(test_file_read(path), WHOLE, (int)i);
	}
	policy_store_deinit(&store);
	test_home_end();
	test_end();
}

static void test_newer(void)
{
	const char *text = "{\"version\":2,\"next\":5}", *error = "";
	struct policy_store *store;
	uint64_t number = 0;
	bool set = FALSE;

	test_begin("login stamp: of a newer version");
	test_home_begin();
	store = test_store_init(DIR_NAME);
	expect_set(store, 0, 1, TRUE, 0);
	test_file_write(test_home_path(STAMP), text);
	test_assert(policy_login_stamp_read(store, &number, &error) ==
		    UNUSABLE);
	test_assert(strstr(error, "login.json: version 2 is newer") != NULL);
	error = "";
	test_assert(policy_login_stamp_set(store, 5, 6, &set, &error) ==
		    UNUSABLE);
	test_assert(strstr(error, "login.json: version 2 is newer") != NULL);
	test_assert_strcmp(test_file_read(test_home_path(STAMP)), text);
	policy_store_deinit(&store);
	test_home_end();
	test_end();
}

static pid_t fork_setter(unsigned int count)
{
	struct policy_store *store;
	uint64_t number = 0;
	const char *error;
	bool set = FALSE;
	pid_t pid = fork();

	if (pid == -1)
		i_fatal("fork() failed: %m");
	if (pid != 0)
		return pid;
	store = test_store_init(DIR_NAME);
	while (count > 0) T_BEGIN {
		if (policy_login_stamp_read(store, &number, &error) != OK ||
		    policy_login_stamp_set(store, number, number + 1, &set,
					   &error) != OK)
			test_exit(1);
		if (set)
			count--;
	} T_END;
	policy_store_deinit(&store);
	test_exit(0);
}

static void test_processes(void)
{
	enum { COUNT = 300 };
	struct policy_store *store;
	pid_t pid[3];
	unsigned int i;
	int status;

	test_begin("login stamp: no two processes set it from the same number");
	test_home_begin();
	for (i = 0; i < N_ELEMENTS(pid); i++)
		pid[i] = fork_setter(COUNT);
	for (i = 0; i < N_ELEMENTS(pid); i++) {
		test_assert_idx(waitpid(pid[i], &status, 0) == pid[i] &&
				status == 0, i);
	}
	store = test_store_init(DIR_NAME);
	expect_stamp(store, N_ELEMENTS(pid) * COUNT, 0);
	policy_store_deinit(&store);
	test_home_end();
	test_end();
}

/* Ten seconds have passed. */
static void lock_wait_ends(int signo ATTR_UNUSED)
{
	test_time += 10;
}

/* A process that holds the lock until it is killed, and does soon what alarm()
   would do in ten seconds. */
static pid_t fork_holder(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK };
	int fd[2];
	char byte;
	pid_t pid;

	if (pipe(fd) < 0 || (pid = fork()) == -1)
		i_fatal("fork() failed: %m");
	if (pid != 0) {
		i_close_fd(&fd[1]);
		if (read(fd[0], &byte, 1) != 1)
			i_fatal("the holder of the lock failed");
		i_close_fd(&fd[0]);
		return pid;
	}
	if (fcntl(open(path, O_RDWR), F_SETLK, &lock) < 0 ||
	    write(fd[1], "x", 1) != 1)
		_exit(1);
	(void)usleep(500 * 1000);
	(void)kill(getppid(), SIGALRM);
	for (;;)
		(void)pause();
}

static void test_lock(void)
{
	struct sigaction action = { .sa_handler = lock_wait_ends };
	struct policy_store *store;
	const char *error = "";
	bool set = FALSE;
	pid_t holder;
	int status;

	test_begin("login stamp: locked by another process");
	test_home_begin();
	store = test_store_init(DIR_NAME);
	expect_set(store, 0, 1, TRUE, 0);
	test_time = time(NULL);
	if (sigaction(SIGALRM, &action, NULL) < 0)
		i_fatal("sigaction() failed: %m");
	holder = fork_holder(test_home_path(STAMP));
	/* who must wait anyway does not wait for the lock */
	expect_stamp(store, 1, 0);
	test_assert(policy_login_stamp_set(store, 1, 2, &set, &error) ==
		    UNUSABLE);
	test_time = 0;
	test_assert(strstr(error, STAMP) != NULL &&
		    strstr(error, "Timed out after 10 seconds") != NULL);
	expect_stamp(store, 1, 1);
	test_assert(kill(holder, SIGKILL) == 0);
	test_assert(waitpid(holder, &status, 0) == holder);
	expect_set(store, 1, 2, TRUE, 1);
	/* the lock of the state is another one */
	test_store_add(store, 1, 1);
	policy_store_deinit(&store);
	test_home_end();
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_use,
		test_contents,
		test_large,
		test_newer,
		test_processes,
		test_lock,
		NULL
	};
	return test_run(test_functions);
}
