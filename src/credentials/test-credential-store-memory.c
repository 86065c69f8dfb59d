/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "credential-store.h"
#include "test-credential-store-use.h"
#include "test-credential-use.h"
#include "test-home.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* What lstat() makes of a file in this program. */
static enum seen {
	SEEN_AS_IT_IS,
	SEEN_OTHER_DEV,
	SEEN_OTHER_INO,
	SEEN_OTHER_SIZE,
	SEEN_OTHER_MTIME,
	SEEN_OTHER_MTIME_NSEC,
	SEEN_OTHER_CTIME,
	SEEN_OTHER_CTIME_NSEC,
	SEEN_COUNT,

	/* it is removed after that */
	SEEN_THOUGH_GONE
} seen;

int lstat(const char *path, struct stat *st_r)
{
	if (seen == SEEN_THOUGH_GONE) {
		i_zero(st_r);
		return 0;
	}
	if (fstatat(AT_FDCWD, path, st_r, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	st_r->st_dev ^= seen == SEEN_OTHER_DEV;
	st_r->st_ino ^= seen == SEEN_OTHER_INO;
	st_r->st_size ^= seen == SEEN_OTHER_SIZE;
	st_r->st_mtim.tv_sec ^= seen == SEEN_OTHER_MTIME;
	st_r->st_mtim.tv_nsec ^= seen == SEEN_OTHER_MTIME_NSEC;
	st_r->st_ctim.tv_sec ^= seen == SEEN_OTHER_CTIME;
	st_r->st_ctim.tv_nsec ^= seen == SEEN_OTHER_CTIME_NSEC;
	return 0;
}

/* Another file in its place. */
static void replace(const char *text)
{
	const char *other = test_home_path("other");

	test_file_write(other, text);
	if (rename(other, test_home_path(NAME)) < 0)
		i_fatal("rename() failed: %m");
	test_store_set_age(10);
}

static void touch(void)
{
	if (utimensat(AT_FDCWD, test_home_path(NAME), NULL, 0) < 0)
		i_fatal("utimensat() failed: %m");
	test_store_set_age(10);
}

/* Each is another state of the file, for one reason or more. */
static void change(unsigned int i)
{
	switch (i) {
	case 0:
		touch();
		break;
	case 1:
		test_store_set_mode(0640);
		break;
	case 2:
		test_store_set_mode(0600);
		break;
	case 3:
		test_store_write(TEST_FILE(A ",\n" B "\n"));
		break;
	case 4:
		replace(TEST_FILE(A ",\n" B "\n"));
		break;
	default:
		i_unreached();
	}
}

static void test_reads(void)
{
	unsigned int i;
	int age;

	test_begin("credential store: how often a file is read");
	test_store_begin(MAX_SIZE);
	test_store_make_good();
	for (age = -5; age <= 2; age++) {
		test_store_set_age(age);
		test_assert_strcmp_idx(test_store_find("a"), "a:$1$a", age);
		test_assert_idx(test_store.read_count == 1, age);
	}
	/* once it was that old when it was read */
	for (age = 3; age < 6; age++) {
		test_store_set_age(age);
		test_assert_strcmp_idx(test_store_find("a"), "a:$1$a", age);
		test_assert_idx(test_store.read_count == (age == 3 ? 1 : 0),
				age);
		test_assert_strcmp_idx(test_store_find("b"), "none", age);
		test_assert_idx(test_store.read_count == 0, age);
	}
	for (i = 0; i < 5; i++) {
		/* time passes in each file system */
		usleep(20 * 1000);
		change(i);
		test_assert_strcmp_idx(test_store_find("a"), "a:$1$a", i);
		test_assert_idx(test_store.read_count == 1, i);
		test_assert_strcmp_idx(test_store_find("a"), "a:$1$a", i);
		test_assert_idx(test_store.read_count == 0, i);
	}
	for (seen = SEEN_AS_IT_IS + 1; seen < SEEN_COUNT; seen++) {
		test_assert_strcmp_idx(test_store_find("a"), "a:$1$a", seen);
		test_assert_idx(test_store.read_count == 1, seen);
	}
	seen = SEEN_AS_IT_IS;
	test_assert_strcmp(test_store_find("a"), "a:$1$a");
	test_assert(test_store.read_count == 0);
	/* a text that is not good is not read again and again */
	test_store_make_torn();
	test_store_set_age(2);
	for (i = 0; i < 2; i++) {
		test_assert_idx(test_begins(test_store_find("c"), TEMPORARY),
				i);
		test_assert_idx(test_store.read_count == 1, i);
	}
	test_store_set_age(3);
	for (i = 0; i < 3; i++) {
		test_assert_idx(test_begins(test_store_find("c"), TEMPORARY),
				i);
		test_assert_strcmp_idx(test_store_find("a"), "a:$1$a", i);
		test_assert_idx(test_store.read_count == 0, i);
	}
	test_store_end();
	test_end();
}

static void test_gone(void)
{
	test_begin("credential store: removed as soon as it was seen");
	test_store_begin(MAX_SIZE);
	seen = SEEN_THOUGH_GONE;
	test_assert_strcmp(test_store_find_in("b", TRUE, "b"), "none");
	test_assert(test_begins(test_store_find_in("b", FALSE, "b"),
			   TEMPORARY"open(b) failed: No such file"));
	seen = SEEN_AS_IT_IS;
	test_store_end();
	test_end();
}

/* What keeps a file from being read may go without a trace in the file. */
static void test_read_fails(void)
{
	struct rlimit limit, none;

	test_begin("credential store: the process cannot read");
	test_store_begin(MAX_SIZE);
	test_store_make_good();
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		i_fatal("getrlimit() failed: %m");
	none = limit;
	none.rlim_cur = 0;
	if (setrlimit(RLIMIT_NOFILE, &none) < 0)
		i_fatal("setrlimit() failed: %m");
	test_assert_strcmp(test_store_find("a"),
			   TEMPORARY"open("NAME") failed: Too many open files");
	test_assert(test_store.log_count == 1);
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		i_fatal("setrlimit() failed: %m");
	test_assert_strcmp(test_store_find("a"), "a:$1$a");

	test_store_set_mode(0);
	test_user_begin();
	test_store.now += 60;
	test_assert_strcmp(test_store_find("b"),
			   TEMPORARY"open("NAME") failed: Permission denied");
	test_assert(test_store.log_count == 1);
	test_assert_strcmp(test_store_find("a"), "a:$1$a");
	test_user_end();
	test_store_set_mode(0600);
	test_assert_strcmp(test_store_find("b"), "none");

	/* the file is as it was, so that it need not be read */
	if (chmod(test_home_path(""), 0) < 0)
		i_fatal("chmod() failed: %m");
	test_user_begin();
	test_assert(strstr(test_store_find("b"), "Permission denied") != NULL);
	test_assert_strcmp(test_store_find("a"), "a:$1$a");
	test_user_end();
	if (chmod(test_home_path(""), 0700) < 0)
		i_fatal("chmod() failed: %m");
	test_assert_strcmp(test_store_find("b"), "none");
	test_assert(test_store.read_count == 0);
	test_store_end();
	test_end();
}

/* Two texts of one size within a tick of the clock. */
static void test_same_tick(void)
{
	unsigned int i;

	test_begin("credential store: changes within a tick");
	test_store_begin(MAX_SIZE);
	for (i = 0; i < 100; i++) {
		test_store_write(TEST_FILE(A "\n"));
		test_store_set_age(0);
		test_assert_strcmp_idx(test_store_find("a"), "a:$1$a", i);
		test_store_write(TEST_FILE(B "\n"));
		test_store_set_age(0);
		test_assert_strcmp_idx(test_store_find("a"), "none", i);
		test_assert_strcmp_idx(test_store_find("b"), "b:$1$b", i);
	}
	test_store_end();
	test_end();
}

/* What was found stays when nothing of the file is left in memory. */
static void test_pool(void)
{
	pool_t pool = pool_alloconly_create("test store", 1024);
	struct credential_user user;
	const char *error;

	test_begin("credential store: what was found stays");
	test_store_begin(0);
	test_store_write(TEST_FILE(TEST_JANE "\n"));
	test_assert(credential_store_find(test_store.store,
			test_home_path(NAME), FALSE, t_strdup_noconst("jane"),
			test_store.now, pool, &user, &error) == 1);
	test_store_make_good();
	test_assert_strcmp(test_store_find("jane"), "none");
	test_store_end();
	test_assert(test_begins(test_credential_user_show(&user),
				    "jane:"TEST_HASH" +imap +pop3"));
	pool_unref(&pool);
	test_end();
}

/* A file of about 10,000 octets with a user whose name is that of the file. */
static void write_large(const char *file, unsigned int size)
{
	string_t *text = t_str_new(size + 128);

	str_append(text, "{\"version\":1,\"users\":{\n");
	str_printfa(text, "\"%s\":{\"password\":\"$1$", file);
	str_printfa(text, "%s\"},\n\"pad\":{\"x\":\"", file);
	while (str_len(text) < size)
		str_append_c(text, 'x');
	str_append(text, "\"}\n}}\n");
	test_file_write(test_home_path(file), str_c(text));
	test_store.now = time(NULL) + 10;
}

/* A file of about 10,000 octets with 1,000 users. */
static void write_users(const char *file)
{
	string_t *text = t_str_new(16 * 1024);
	unsigned int i;

	str_append(text, "{\"version\":1,\"users\":{\n");
	str_printfa(text, "\"%s\":{\"password\":\"$1$%s\"}", file, file);
	for (i = 100; i < 1100; i++)
		str_printfa(text, ",\n\"%u\":{}", i);
	str_append(text, "\n}}\n");
	test_file_write(test_home_path(file), str_c(text));
	test_store.now = time(NULL) + 10;
}

/* Whether the file is in memory: without that it would be read. */
static bool is_kept(const char *file)
{
	test_assert_strcmp(test_store_find_in(file, FALSE, file),
			   t_strdup_printf("%s:$1$%s", file, file));
	return test_store.read_count == 0;
}

static void test_limit(void)
{
	test_begin("credential store: files push each other out");
	test_store_begin(25000);
	write_large("a", 10000);
	write_large("b", 10000);
	write_large("c", 10000);
	write_large("d", 10000);
	test_assert(!is_kept("a") && !is_kept("b") && !is_kept("c"));
	/* the one that was used last is not counted */
	test_assert(is_kept("a") && is_kept("b") && is_kept("c"));
	test_assert(is_kept("a"));
	test_assert(!is_kept("d"));
	/* b was not used for the longest time */
	test_assert(is_kept("c") && is_kept("a") && is_kept("d"));
	test_assert(!is_kept("b"));
	/* one becomes larger than all may be: it is kept while it is the last
	   one, and the others are as long as they are few enough */
	write_large("b", 50000);
	test_assert(!is_kept("b"));
	test_assert(is_kept("b"));
	test_assert(is_kept("d"));
	test_assert(!is_kept("b"));
	test_store_end();

	/* each user of a file takes memory beside the text */
	test_store_begin(20000);
	write_users("a");
	write_large("b", 100);
	test_assert(!is_kept("a") && !is_kept("b"));
	test_assert(!is_kept("a"));
	test_store_end();

	/* a file that is broken is pushed out like another one */
	test_store_begin(0);
	write_large("a", 100);
	write_large("b", 100);
	test_assert(!is_kept("a"));
	test_assert(is_kept("a"));
	if (chmod(test_home_path("a"), 0644) < 0)
		i_fatal("chmod() failed: %m");
	test_assert_strcmp(test_store_find_in("a", FALSE, "a"), "a:$1$a");
	test_assert(!is_kept("b"));
	test_assert(is_kept("b"));
	test_assert(test_begins(test_store_find_in("a", FALSE, "a"),
				TEMPORARY));
	test_assert(!is_kept("b"));
	test_store_end();
	test_end();
}

#define MANY 10000

static const char *many_name(unsigned int i)
{
	return t_strdup_printf("user%u", i);
}

static const char *missing_name(unsigned int i)
{
	return t_strdup_printf("missing%u", i);
}

static void test_many(void)
{
	unsigned int i, kept = 0;
	bool in_memory = TRUE;

	test_begin("credential store: 10,000 files");
	test_store_begin(MAX_SIZE);
	for (i = 0; i < MANY; i++) T_BEGIN {
		write_large(many_name(i), 1000);
		test_assert_idx(!is_kept(many_name(i)), i);
	} T_END;
	for (i = MANY; i > 0 && in_memory; i--) T_BEGIN {
		in_memory = is_kept(many_name(i - 1));
		if (in_memory)
			kept++;
	} T_END;
	test_assert(kept > MAX_SIZE / 2 / 1000 && kept <= MAX_SIZE / 1000);

	/* paths without a file take memory, too */
	test_store.now += 3600;
	for (i = 0; i < MANY; i++) T_BEGIN {
		(void)test_store_find_in(missing_name(i), FALSE, "a");
		test_assert_idx(test_store.log_count == 1, i);
	} T_END;
	(void)test_store_find_in(missing_name(MANY - 1), FALSE, "a");
	test_assert(test_store.log_count == 0);
	(void)test_store_find_in(missing_name(0), FALSE, "a");
	test_assert(test_store.log_count == 1);
	test_store_end();
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_reads,
		test_gone,
		test_read_fails,
		test_same_tick,
		test_pool,
		test_limit,
		test_many,
		NULL
	};
	return test_run(test_functions);
}
