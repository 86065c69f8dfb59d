/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "credential-store.h"
#include "test-credential-store-use.h"
#include "test-credential-use.h"
#include "test-home.h"

#include <sys/stat.h>
#include <unistd.h>

#define C "\"c\":{\"password\":\"plain\"}"

static void make_removed(void)
{
	i_unlink_if_exists(test_home_path(NAME));
}

static void make_empty(void)
{
	test_store_write("");
}

static void make_open(void)
{
	test_store_make_good();
	test_store_set_mode(0644);
}

static void make_link(void)
{
	make_removed();
	test_file_write(test_home_path("other"), TEST_FILE(A "\n"));
	if (symlink("other", test_home_path(NAME)) < 0)
		i_fatal("symlink() failed: %m");
	test_store_set_age(10);
}

static void make_dangling_link(void)
{
	make_removed();
	if (symlink("nowhere", test_home_path(NAME)) < 0)
		i_fatal("symlink() failed: %m");
	test_store_set_age(10);
}

static void make_folder(void)
{
	make_removed();
	if (mkdir(test_home_path(NAME), 0700) < 0)
		i_fatal("mkdir() failed: %m");
	test_store_set_age(10);
}

static void make_newer(void)
{
	test_store_write("{\"version\":2,\"users\":{\n" A "\n}}\n");
}

static const struct {
	void (*make)(void);
	/* of a user who was not in the file before; NULL is "none" */
	const char *words;
	bool for_own_file, for_shared_file;
} state_tests[] = {
	{ make_removed, NULL, TRUE, FALSE },
	{ make_removed, "lstat("NAME") failed: No such file", FALSE, TRUE },
	{ make_empty, NAME": line ", TRUE, TRUE },
	{ test_store_make_torn, NAME": line ", TRUE, TRUE },
	{ make_open, NAME" has mode 0644", TRUE, TRUE },
	{ make_link, NAME" is a link", TRUE, TRUE },
	{ make_dangling_link, NAME" is a link", TRUE, TRUE },
	{ make_folder, NAME" is not a regular file", TRUE, TRUE },
	{ make_newer, NAME": version 2 is newer", TRUE, TRUE },
};

static void
assert_state_result(const char *result, const char *words, unsigned int idx)
{
	if (words == NULL)
		test_assert_strcmp_idx(result, "none", idx);
	else if (!test_begins(result, TEMPORARY) ||
		 strstr(result, words) == NULL)
		test_assert_strcmp_idx(result, words, idx);
}

static void test_state(unsigned int i, bool own_file)
{
	const char *words = state_tests[i].words;
	const unsigned int logged = words == NULL ? 0 : 1;

	/* from the start */
	test_store_begin(MAX_SIZE);
	test_store_make_good();
	state_tests[i].make();
	assert_state_result(test_store_find_in(NAME, own_file, "a"), words, i);
	test_assert_idx(test_store.log_count == logged, i);
	if (test_store.log_text != NULL) {
		test_assert_idx(strstr(test_store.log_text,
				" (no user in it can log in)") != NULL, i);
	}
	assert_state_result(test_store_find_in(NAME, own_file, "a"), words, i);
	test_assert_idx(test_store.log_count == 0, i);
	test_store_remove();
	test_store_make_good();
	test_assert_strcmp_idx(test_store_find_in(NAME, own_file, "a"),
			       "a:$1$a", i);
	test_store_end();

	/* and later */
	test_store_begin(MAX_SIZE);
	test_store_make_good();
	test_assert_strcmp_idx(test_store_find_in(NAME, own_file, "a"),
			       "a:$1$a", i);
	test_assert_strcmp_idx(test_store_find_in(NAME, own_file, "b"),
			       "none", i);
	test_assert_idx(test_store.log_count == 0, i);
	state_tests[i].make();
	assert_state_result(test_store_find_in(NAME, own_file, "b"), words, i);
	test_assert_idx(test_store.log_count == logged, i);
	if (test_store.log_text != NULL && words != NULL) {
		test_assert_idx(test_begins(
			test_store_shorten(test_store.log_text), words), i);
		test_assert_idx(strstr(test_store.log_text,
			" (users who were in it before still can log in)") !=
			NULL, i);
	}
	test_assert_strcmp_idx(test_store_find_in(NAME, own_file, "a"),
			       words == NULL ? "none" : "a:$1$a", i);
	assert_state_result(test_store_find_in(NAME, own_file, "b"), words, i);
	test_assert_idx(test_store.log_count == 0, i);
	test_store_remove();
	test_store_write(TEST_FILE(B "\n"));
	test_assert_strcmp_idx(test_store_find_in(NAME, own_file, "b"),
			       "b:$1$b", i);
	test_assert_strcmp_idx(test_store_find_in(NAME, own_file, "a"),
			       "none", i);
	test_assert_idx(test_store.log_count == 0, i);
	test_store_end();
}

static void test_states(void)
{
	unsigned int i;

	test_begin("credential store: files that break");
	for (i = 0; i < N_ELEMENTS(state_tests); i++) {
		if (state_tests[i].for_own_file)
			test_state(i, TRUE);
		if (state_tests[i].for_shared_file)
			test_state(i, FALSE);
	}
	test_end();
}

static void test_paths(void)
{
	char name[300];

	test_begin("credential store: paths");
	test_store_begin(MAX_SIZE);
	test_store.now = 1000;
	test_assert_strcmp(test_store_find_below("x/", "x/a", "a"),
			   TEMPORARY"stat(x/) failed: No such file or "
			   "directory");
	/* nobody of a domain is there */
	test_assert_strcmp(test_store_find_below("", "x/a", "a"), "none");
	test_assert(test_store.log_count == 0);
	test_assert_strcmp(test_store_find_in("x/a", FALSE, "a"),
			   TEMPORARY"lstat(x/a) failed: No such file or "
			   "directory");
	/* a file in place of the folder */
	test_file_write(test_home_path("x"), "");
	test_assert_strcmp(test_store_find_in("x/a", TRUE, "a"),
			   TEMPORARY"lstat(x/a) failed: Not a directory");
	i_unlink(test_home_path("x"));
	/* a link to no folder */
	if (symlink("nowhere", test_home_path("x")) < 0)
		i_fatal("symlink() failed: %m");
	test_assert_strcmp(test_store_find_below("x/", "x/a", "a"),
			   TEMPORARY"stat(x/) failed: No such file or "
			   "directory");
	i_unlink(test_home_path("x"));
	/* no user can have this file */
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	test_assert_strcmp(test_store_find_in(name, TRUE, "a"), "none");
	test_assert(test_store.log_count == 0);
	test_assert(test_begins(test_store_find_in(name, FALSE, "a"),
				    TEMPORARY"lstat(nnn"));
	/* each user has a file, in which others have no place */
	test_store_make_good();
	test_assert_strcmp(test_store_find_in(NAME, TRUE, "a"), "a:$1$a");
	test_assert_strcmp(test_store_find_in(NAME, TRUE, "b"), "none");
	test_assert_strcmp(test_store_find_in("b", TRUE, "b"), "none");
	test_assert_strcmp(test_store_find_in("b", TRUE, "a"), "none");
	/* who was removed is not known any more */
	make_removed();
	test_assert_strcmp(test_store_find_in(NAME, TRUE, "a"), "none");
	test_store_make_torn();
	test_assert(test_begins(test_store_find_in(NAME, TRUE, "a"),
				TEMPORARY));
	test_store_end();
	test_end();
}

/* Only the user is wrong, not the file. */
static void test_wrong_user(void)
{
	const char *const error = NAME": line 3 column 1: user \"c\": ";

	test_begin("credential store: a user who is wrong");
	test_store_begin(MAX_SIZE);
	test_store_write(TEST_FILE(A ",\n" C "\n"));
	test_assert(test_begins(test_store_find("c"), error));
	test_assert_strcmp(test_store_find("a"), "a:$1$a");
	test_assert_strcmp(test_store_find("b"), "none");
	test_assert(test_store.log_count == 0);
	/* in what is in use, too */
	test_store_make_torn();
	test_assert(test_begins(test_store_find("c"), error));
	test_assert(test_store.log_count == 1);
	test_assert_strcmp(test_store_find("a"), "a:$1$a");
	/* who was good before: what the file says now is what counts */
	test_store_write(TEST_FILE("\"c\":{\"password\":\"$1$c\"}\n"));
	test_assert_strcmp(test_store_find("c"), "c:$1$c");
	test_store_write(TEST_FILE(C "\n"));
	test_assert(strstr(test_store_find("c"),
			   ": line 2 column 1: user") != NULL);
	test_store_end();
	test_end();
}

static void assert_logs(unsigned int count, unsigned int idx)
{
	test_assert_idx(test_begins(test_store_find("c"), TEMPORARY), idx);
	test_assert_idx(test_store.log_count == count, idx);
}

static void test_log(void)
{
	time_t start;

	test_begin("credential store: what is logged");
	test_store_begin(MAX_SIZE);
	test_store_make_torn();
	start = test_store.now;
	assert_logs(1, 0);
	test_store.now = start + 3600;
	assert_logs(0, 1);
	/* another state, of which nothing is said before its time */
	make_empty();
	test_store.now = start + 59;
	assert_logs(0, 2);
	test_store.now = start + 60;
	assert_logs(1, 3);
	assert_logs(0, 4);
	/* the same words for another state */
	usleep(20 * 1000);
	make_empty();
	test_store.now = start + 119;
	assert_logs(0, 5);
	test_store.now = start + 120;
	assert_logs(1, 6);
	/* it was good meanwhile */
	make_removed();
	test_store.now = start + 180;
	assert_logs(1, 7);
	test_store_make_good();
	test_store.now = start + 181;
	test_assert_strcmp(test_store_find("a"), "a:$1$a");
	make_removed();
	assert_logs(0, 8);
	test_store.now = start + 240;
	assert_logs(1, 9);
	/* the clock is set back */
	make_folder();
	test_store.now = start + 200;
	assert_logs(1, 10);
	/* each file by itself; another reason without another state */
	test_assert(test_begins(test_store_find_in("x/a", FALSE, "a"),
				TEMPORARY));
	test_assert(test_store.log_count == 1);
	test_file_write(test_home_path("x"), "");
	test_store.now += 60;
	test_assert(test_begins(test_store_find_in("x/a", FALSE, "a"),
				TEMPORARY));
	test_assert(test_store.log_count == 1);
	test_store_end();
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_states,
		test_paths,
		test_wrong_user,
		test_log,
		NULL
	};
	return test_run(test_functions);
}
