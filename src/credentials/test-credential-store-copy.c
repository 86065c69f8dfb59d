/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "credential-store.h"
#include "test-credential-store-use.h"
#include "test-credential-use.h"
#include "test-home.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY NAME".good"
#define FILE_A TEST_FILE(A "\n")
#define FILE_AB TEST_FILE(A ",\n" B "\n")
#define FILE_B TEST_FILE(B "\n")
#define WRONG "\"c\":{\"password\":\"plain\"}"

/* As after a login. */
static int keep_copy(void)
{
	const char *error = NULL;
	int ret;

	ret = credential_store_keep_copy(test_store.store, test_home_path(NAME),
					 test_store.now, &error);
	test_assert((error != NULL) == (ret < 0));
	return ret;
}

/* "" if there is none. */
static const char *get_copy(void)
{
	const char *text = test_file_read(test_home_path(COPY));

	return text == NULL ? "" : text;
}

/* The next worker has nothing in memory. */
static void restart(void)
{
	credential_store_deinit(&test_store.store);
	test_store.store = credential_store_init(MAX_SIZE, NULL);
}

static void assert_logged(const char *words)
{
	test_assert(test_store.log_count == 1);
	if (test_store.log_text == NULL ||
	    strstr(test_store_shorten(test_store.log_text), words) == NULL)
		test_assert_strcmp(test_store.log_text, words);
}

static void test_use(void)
{
	test_begin("credential store copy: it is used as long as it must");
	test_store_begin(MAX_SIZE);
	test_store_write(FILE_A);
	test_assert_strcmp(test_store_find("a"), "a:$1$a");
	test_assert(keep_copy() == 0);
	test_assert_strcmp(get_copy(), FILE_A);

	restart();
	test_store_make_torn();
	test_assert_strcmp(test_store_find("a"), "a:$1$a");
	assert_logged(NAME": line 2 column ");
	assert_logged(" (users who were in it before still can log in)");
	test_assert(test_begins(test_store_find("b"), TEMPORARY));
	/* a broken file is not copied */
	test_assert(keep_copy() == 0);
	test_assert_strcmp(get_copy(), FILE_A);
	/* it is in memory now */
	i_unlink(test_home_path(COPY));
	test_assert_strcmp(test_store_find("a"), "a:$1$a");

	test_store_write(FILE_B);
	test_assert_strcmp(test_store_find("a"), "none");
	test_assert_strcmp(test_store_find("b"), "b:$1$b");
	test_assert(keep_copy() == 0);
	test_assert_strcmp(get_copy(), FILE_B);

	/* no file at all */
	restart();
	test_store_remove();
	test_assert_strcmp(test_store_find("b"), "b:$1$b");
	test_assert(test_begins(test_store_find("a"), TEMPORARY));
	test_store_end();
	test_end();
}

static void test_prefers(void)
{
	test_begin("credential store copy: file, memory and copy");
	test_store_begin(MAX_SIZE);
	test_file_write(test_home_path(COPY), FILE_B);
	test_store_write(FILE_A);
	test_assert_strcmp(test_store_find("b"), "none");
	test_assert_strcmp(test_store_find("a"), "a:$1$a");
	test_store_make_torn();
	test_assert_strcmp(test_store_find("a"), "a:$1$a");
	test_assert(test_begins(test_store_find("b"), TEMPORARY));
	restart();
	test_assert_strcmp(test_store_find("b"), "b:$1$b");
	test_assert(test_begins(test_store_find("a"), TEMPORARY));
	/* who is wrong in it is so there */
	restart();
	test_file_write(test_home_path(COPY), TEST_FILE(B ",\n" WRONG "\n"));
	test_assert(test_begins(test_store_find("c"),
				COPY": line 3 column 1: user \"c\": "));
	test_store_write(TEST_FILE(WRONG "\n"));
	test_assert(test_begins(test_store_find("c"),
				NAME": line 2 column 1: user \"c\": "));
	test_store_end();
	test_end();
}

static void test_broken(void)
{
	test_begin("credential store copy: it is broken, too");
	test_store_begin(MAX_SIZE);
	test_file_write(test_home_path(COPY), "{");
	test_store_make_torn();
	test_assert(test_begins(test_store_find("a"), TEMPORARY));
	assert_logged(" (no user in it can log in; of the copy: "
		      COPY": line 1 ");
	test_assert(test_store.read_count == 2);
	/* neither is read again */
	test_assert(test_begins(test_store_find("a"), TEMPORARY));
	test_assert(test_store.log_count == 0);
	test_assert(test_store.read_count == 0);
	/* the admin has a better one */
	i_unlink(test_home_path(COPY));
	test_assert(test_begins(test_store_find("a"), TEMPORARY));
	test_file_write(test_home_path(COPY), FILE_A);
	test_assert_strcmp(test_store_find("a"), "a:$1$a");
	test_store_end();
	test_end();
}

static void test_interval(void)
{
	time_t start;

	test_begin("credential store copy: it is not written all the time");
	test_store_begin(MAX_SIZE);
	test_store_write(FILE_A);
	start = test_store.now;
	test_assert_strcmp(test_store_find("a"), "a:$1$a");
	test_assert(keep_copy() == 0);
	test_store_write(FILE_AB);
	test_store.now = start + 9;
	test_assert_strcmp(test_store_find("b"), "b:$1$b");
	test_assert(keep_copy() == 0);
	test_assert_strcmp(get_copy(), FILE_A);
	test_store.now = start + 10;
	test_assert(keep_copy() == 0);
	test_assert_strcmp(get_copy(), FILE_AB);

	/* once for each time that it was read */
	i_unlink(test_home_path(COPY));
	test_store.now = start + 20;
	test_assert_strcmp(test_store_find("b"), "b:$1$b");
	test_assert(test_store.read_count == 0);
	test_assert(keep_copy() == 0);
	test_assert_strcmp(get_copy(), "");

	/* the clock was set back */
	usleep(20 * 1000);
	test_store_write(FILE_A);
	test_store.now = start + 9;
	test_assert_strcmp(test_store_find("a"), "a:$1$a");
	test_assert(keep_copy() == 0);
	test_assert_strcmp(get_copy(), FILE_A);
	test_store_end();
	test_end();
}

/* Another worker has written it, or is about to. */
static void test_others(void)
{
	struct stat st, new_st;

	test_begin("credential store copy: other workers write it");
	test_store_begin(MAX_SIZE);
	test_store_write(FILE_A);
	test_store_set_age(1);
	test_assert_strcmp(test_store_find("a"), "a:$1$a");
	test_assert(keep_copy() == 0);
	if (stat(test_home_path(COPY), &st) < 0)
		i_fatal("stat() failed: %m");
	restart();
	test_assert_strcmp(test_store_find("a"), "a:$1$a");
	test_assert(keep_copy() == 0);
	if (stat(test_home_path(COPY), &new_st) < 0)
		i_fatal("stat() failed: %m");
	test_assert(st.st_ino == new_st.st_ino);

	usleep(20 * 1000);
	test_store_write(FILE_AB);
	test_file_write(test_home_path(COPY".tmp"), "half");
	test_assert_strcmp(test_store_find("b"), "b:$1$b");
	test_assert(keep_copy() == 0);
	test_assert_strcmp(get_copy(), FILE_A);
	/* which was killed; nothing was written, so nothing is waited for */
	i_unlink(test_home_path(COPY".tmp"));
	test_assert(keep_copy() == 0);
	test_assert_strcmp(get_copy(), FILE_AB);
	test_store_end();
	test_end();
}

/* What was read is not what there is any more. */
static void test_changed(void)
{
	test_begin("credential store copy: nobody comes back by it");
	test_store_begin(MAX_SIZE);
	test_file_write(test_home_path(COPY), FILE_B);
	test_store_write(FILE_AB);
	test_assert_strcmp(test_store_find("a"), "a:$1$a");
	usleep(20 * 1000);
	test_store_write(FILE_B);
	test_assert(keep_copy() == 0);
	test_assert_strcmp(get_copy(), FILE_B);
	test_store_remove();
	test_assert(keep_copy() == 0);
	test_assert_strcmp(get_copy(), FILE_B);
	/* the file that was read last was a broken one */
	test_store_write(FILE_AB);
	test_assert_strcmp(test_store_find("a"), "a:$1$a");
	test_store_make_torn();
	test_assert_strcmp(test_store_find("a"), "a:$1$a");
	test_assert(keep_copy() == 0);
	test_assert_strcmp(get_copy(), FILE_B);
	test_store_end();
	test_end();
}

static void test_failure(void)
{
	time_t start;

	test_begin("credential store copy: it cannot be written");
	test_store_begin(MAX_SIZE);
	test_store_write(FILE_A);
	start = test_store.now;
	test_assert_strcmp(test_store_find("a"), "a:$1$a");
	if (mkdir(test_home_path(COPY), 0700) < 0)
		i_fatal("mkdir() failed: %m");
	test_assert(keep_copy() == -1);
	if (rmdir(test_home_path(COPY)) < 0)
		i_fatal("rmdir() failed: %m");
	/* tried again, but not at once */
	test_store.now = start + 9;
	test_assert(keep_copy() == 0);
	test_assert_strcmp(get_copy(), "");
	test_store.now = start + 10;
	test_assert(keep_copy() == 0);
	test_assert_strcmp(get_copy(), FILE_A);
	test_store_end();
	test_end();
}

static void test_own_files(void)
{
	test_begin("credential store copy: files of users have none");
	test_store_begin(MAX_SIZE);
	test_store_write(FILE_A);
	/* nothing was read */
	test_assert(keep_copy() == 0);
	test_assert_strcmp(test_store_find_in(NAME, TRUE, "a"), "a:$1$a");
	test_assert(keep_copy() == 0);
	test_assert_strcmp(get_copy(), "");
	restart();
	test_file_write(test_home_path(COPY), FILE_A);
	test_store_make_torn();
	test_assert(test_begins(test_store_find_in(NAME, TRUE, "a"),
				TEMPORARY));
	test_store_end();
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_use,
		test_prefers,
		test_broken,
		test_interval,
		test_others,
		test_changed,
		test_failure,
		test_own_files,
		NULL
	};
	return test_run(test_functions);
}
