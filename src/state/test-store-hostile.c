/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "test-home.h"
#include "test-intruder.h"
#include "test-store-use.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define OK POLICY_STORE_OK
#define UNUSABLE POLICY_STORE_UNUSABLE

/* A home with a folder of ours that has counted one byte, and one that others
   are not to touch. */
static struct policy_store *home_begin(void)
{
	struct policy_store *store;

	intruder_home_begin();
	store = policy_store_init(test_home_path("pop3-policy"), FALSE, NULL);
	expect_add(store, OK, OK, "", 0, 0);
	return store;
}

static void home_end(struct policy_store **store, unsigned int idx)
{
	policy_store_deinit(store);
	intruder_home_end(idx);
}

static void test_files(void)
{
	static const struct {
		const char *name;
		enum intruder kind;
		enum policy_store_result read, begin, commit;
		const char *words;
		bool replaced;
	} tests[] = {
#define STATE "pop3-policy/state.json"
		{ STATE, LINK_TO_FILE, UNUSABLE, UNUSABLE, OK,
		  "state.json is a link, which is not followed", FALSE },
		{ STATE, LINK_TO_FOLDER, UNUSABLE, UNUSABLE, OK,
		  "state.json is a link", FALSE },
		{ STATE, LINK_TO_NOTHING, UNUSABLE, UNUSABLE, OK,
		  "state.json is a link", FALSE },
		{ STATE, FIFO, UNUSABLE, UNUSABLE, OK,
		  "state.json is not a regular file", FALSE },
		{ STATE, FOLDER, UNUSABLE, UNUSABLE, OK,
		  "state.json is not a regular file", FALSE },
		{ STATE, DEVICE, UNUSABLE, UNUSABLE, OK,
		  "state.json", FALSE },
		{ STATE, OTHERS_FILE, UNUSABLE, UNUSABLE, OK,
		  "state.json is owned by uid ", FALSE },
#define LOCK "pop3-policy/state.lock"
		{ LOCK, LINK_TO_FILE, OK, UNUSABLE, OK,
		  "state.lock is a link", FALSE },
		{ LOCK, LINK_TO_FOLDER, OK, UNUSABLE, OK,
		  "state.lock is a link", FALSE },
		{ LOCK, LINK_TO_NOTHING, OK, UNUSABLE, OK,
		  "state.lock is a link", FALSE },
		{ LOCK, FIFO, OK, UNUSABLE, OK,
		  "state.lock is not a regular file", FALSE },
		{ LOCK, FOLDER, OK, UNUSABLE, OK,
		  "state.lock) failed: Is a directory", FALSE },
		{ LOCK, DEVICE, OK, UNUSABLE, OK, "state.lock", FALSE },
		{ LOCK, OTHERS_FILE, OK, UNUSABLE, OK,
		  "state.lock is owned by uid ", FALSE },
#define TEMP "pop3-policy/state.json.tmp"
		{ TEMP, LINK_TO_FILE, OK, OK, OK, "", TRUE },
		{ TEMP, LINK_TO_FOLDER, OK, OK, OK, "", TRUE },
		{ TEMP, LINK_TO_NOTHING, OK, OK, OK, "", TRUE },
		{ TEMP, FIFO, OK, OK, OK, "", TRUE },
		{ TEMP, DEVICE, OK, OK, OK, "", TRUE },
		{ TEMP, OTHERS_FILE, OK, OK, OK, "", TRUE },
		{ TEMP, FILE_WITHOUT_RIGHTS, OK, OK, OK, "", TRUE },
		{ TEMP, FOLDER, OK, OK, UNUSABLE,
		  "state.json.tmp) failed: Is a directory", FALSE },
	};
	struct policy_store *store;
	struct stat st;
	const char *path;
	unsigned int i;

	test_begin("store: what is no file of ours");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		store = home_begin();
		path = test_home_path(tests[i].name);
		i_unlink_if_exists(path);
		if (intruder_put(path, tests[i].kind)) {
			test_assert_idx(lstat(path, &st) == 0, i);
			expect_read(store, tests[i].read, tests[i].words, 1, i);
			expect_add(store, tests[i].begin, tests[i].commit,
				   tests[i].words, 1, i);
			if (tests[i].replaced) {
				test_assert_idx(lstat(path, &st) < 0, i);
				expect_read(store, OK, "", 2, i);
			} else {
				intruder_assert_same(path, &st, i);
			}
		}
		home_end(&store, i);
	}
	test_end();
}

static void test_folder(void)
{
	static const struct {
		enum intruder kind;
		const char *words;
	} tests[] = {
		{ LINK_TO_FILE, "pop3-policy is not a folder (links are not" },
		{ LINK_TO_FOLDER, "pop3-policy is not a folder (links are not" },
		{ LINK_TO_NOTHING, "pop3-policy is not a folder" },
		{ FIFO, "pop3-policy is not a folder" },
		{ DEVICE, "pop3-policy is not a folder" },
		{ OTHERS_FILE, "pop3-policy is not a folder" },
		{ FILE_WITHOUT_RIGHTS, "pop3-policy is not a folder" },
	};
	struct policy_store *store;
	struct stat st;
	const char *path, *name;
	unsigned int i;

	test_begin("store: what is no folder of ours");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		store = home_begin();
		path = test_home_path("pop3-policy");
		test_assert_idx(rename(path, test_home_path("old")) == 0, i);
		if (intruder_put(path, tests[i].kind)) {
			test_assert_idx(lstat(path, &st) == 0, i);
			expect_read(store, UNUSABLE, tests[i].words, 0, i);
			expect_add(store, UNUSABLE, OK, tests[i].words, 0, i);
			intruder_assert_same(path, &st, i);
		}
		home_end(&store, i);
	}

	store = home_begin();
	path = test_home_path("pop3-policy");
	if (test_chown_other(path)) {
		expect_read(store, UNUSABLE, "pop3-policy is owned by uid ", 0,
			    0);
		expect_add(store, UNUSABLE, OK, "pop3-policy is owned by uid ",
			   0, 0);
		test_assert(test_dir_count(path, "", &name) == 2);
	}
	home_end(&store, 0);

	store = policy_store_init("/dev/null/pop3-policy", FALSE, NULL);
	expect_read(store, UNUSABLE, "/dev/null/pop3-policy", 0, 0);
	expect_add(store, UNUSABLE, OK, "/dev/null/pop3-policy", 0, 0);
	policy_store_deinit(&store);
	test_end();
}

static void test_folder_mode(void)
{
	static const struct {
		mode_t mode;
		enum policy_store_result result;
	} tests[] = {
		{ 0700, OK }, { 0750, OK }, { 0755, OK }, { 02700, OK },
		{ 0720, UNUSABLE }, { 0702, UNUSABLE }, { 0777, UNUSABLE },
		{ 01777, UNUSABLE },
	};
	struct policy_store *store;
	unsigned int i;

	test_begin("store: a folder that others can write to");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		store = home_begin();
		test_assert_idx(chmod(test_home_path("pop3-policy"),
				      tests[i].mode) == 0, i);
		expect_read(store, tests[i].result, "lets others write", 1, i);
		expect_add(store, tests[i].result, OK, "lets others write", 1,
			   i);
		home_end(&store, i);
	}
	test_end();
}

static void test_no_rights(void)
{
	static const struct {
		const char *name;
		mode_t mode;
		enum policy_store_result read, begin, commit;
		const char *words;
	} tests[] = {
		{ "pop3-policy/state.json", 0, UNUSABLE, UNUSABLE, OK,
		  "state.json) failed: Permission denied" },
		/* the one that is written has no part of it */
		{ "pop3-policy/state.json", 0400, OK, OK, OK, "" },
		{ "pop3-policy/state.lock", 0400, OK, UNUSABLE, OK,
		  "state.lock) failed: Permission denied" },
		{ "pop3-policy", 0, UNUSABLE, UNUSABLE, OK,
		  "pop3-policy) failed: Permission denied" },
		{ "pop3-policy", 0500, OK, OK, UNUSABLE,
		  "failed: Permission denied" },
		{ "", 0, UNUSABLE, UNUSABLE, OK, "Permission denied" },
	};
	struct policy_store *store;
	unsigned int i;

	test_begin("store: files without rights");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		test_home_begin();
		test_user_begin();
		store = policy_store_init(test_home_path("pop3-policy"), FALSE,
					  NULL);
		expect_add(store, OK, OK, "", 0, i);
		test_assert_idx(chmod(test_home_path(tests[i].name),
				      tests[i].mode) == 0, i);
		expect_read(store, tests[i].read, tests[i].words, 1, i);
		expect_add(store, tests[i].begin, tests[i].commit,
			   tests[i].words, 1, i);
		test_assert_idx(chmod(test_home_path(""), 0700) == 0, i);
		test_assert_idx(chmod(test_home_path("pop3-policy"), 0700) == 0,
				i);
		test_user_end();
		policy_store_deinit(&store);
		test_home_end();
	}

	/* a home that is not there, and cannot be made */
	test_home_begin();
	test_user_begin();
	test_assert(chmod(test_home_path(""), 0500) == 0);
	store = policy_store_init(test_home_path("a/pop3-policy"), FALSE, NULL);
	expect_read(store, OK, "", 0, i);
	expect_add(store, UNUSABLE, OK,
		   "a/pop3-policy) failed: Permission denied", 0, i);
	test_assert(chmod(test_home_path(""), 0700) == 0);
	test_user_end();
	policy_store_deinit(&store);
	test_home_end();
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_files,
		test_folder,
		test_folder_mode,
		test_no_rights,
		NULL
	};
	return test_run(test_functions);
}
