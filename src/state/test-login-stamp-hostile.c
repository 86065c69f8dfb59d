/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "test-home.h"
#include "test-intruder.h"
#include "test-stamp-use.h"
#include "test-store-use.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define OK POLICY_STORE_OK
#define UNWRITABLE POLICY_STORE_UNWRITABLE
#define UNUSABLE POLICY_STORE_UNUSABLE

#define DIR_NAME "pop3-policy"
#define STAMP DIR_NAME"/login.json"

static void test_intruders(void)
{
	static const struct {
		const char *name;
		enum intruder kind;
		const char *words;
	} tests[] = {
		{ STAMP, LINK_TO_FILE,
		  "login.json is a link, which is not followed" },
		{ STAMP, LINK_TO_FOLDER, "login.json is a link" },
		{ STAMP, LINK_TO_NOTHING, "login.json is a link" },
		{ STAMP, FIFO, "login.json is not a regular file" },
		{ STAMP, FOLDER, "login.json" },
		{ STAMP, DEVICE, "login.json" },
		{ STAMP, OTHERS_FILE, "login.json is owned by uid " },
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

	test_begin("login stamp: what is no file of ours");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		intruder_home_begin();
		store = test_store_init(DIR_NAME);
		expect_set(store, 0, 1, TRUE, i);
		path = test_home_path(tests[i].name);
		test_assert_idx(rename(path, test_home_path("old")) == 0, i);
		if (intruder_put(path, tests[i].kind)) {
			test_assert_idx(lstat(path, &st) == 0, i);
			expect_stamp_results(store, UNUSABLE, UNUSABLE,
					     tests[i].words, i);
			intruder_assert_same(path, &st, i);
		}
		policy_store_deinit(&store);
		intruder_home_end(i);
	}
	test_end();
}

static void test_rights(void)
{
	static const struct {
		const char *name;
		mode_t mode;
		enum policy_store_result read, set;
		const char *words;
	} tests[] = {
		{ STAMP, 0, UNUSABLE, UNUSABLE,
		  "login.json) failed: Permission denied" },
		{ STAMP, 0400, OK, UNUSABLE,
		  "login.json) failed: Permission denied" },
		{ STAMP, 0644, OK, OK, "" },
		{ DIR_NAME, 0, UNUSABLE, UNUSABLE,
		  "pop3-policy) failed: Permission denied" },
		/* it is there already, and nothing is put beside it */
		{ DIR_NAME, 0500, OK, OK, "" },
		{ DIR_NAME, 0770, UNUSABLE, UNUSABLE, "lets others write" },
		{ "", 0, UNUSABLE, UNUSABLE,
		  "pop3-policy) failed: Permission denied" },
	};
	struct policy_store *store;
	unsigned int i;

	test_begin("login stamp: files without rights");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		test_home_begin();
		test_user_begin();
		store = test_store_init(DIR_NAME);
		expect_set(store, 0, 1, TRUE, i);
		test_assert_idx(chmod(test_home_path(tests[i].name),
				      tests[i].mode) == 0, i);
		expect_stamp_results(store, tests[i].read, tests[i].set,
				     tests[i].words, i);
		test_assert_idx(chmod(test_home_path(""), 0700) == 0, i);
		test_assert_idx(chmod(test_home_path(DIR_NAME), 0700) == 0, i);
		test_user_end();
		policy_store_deinit(&store);
		test_home_end();
	}

	/* neither folder nor file can be made */
	test_home_begin();
	test_user_begin();
	store = test_store_init(DIR_NAME);
	test_assert(chmod(test_home_path(""), 0500) == 0);
	expect_stamp_results(store, OK, UNUSABLE,
			     "pop3-policy) failed: Permission denied", i);
	test_assert(chmod(test_home_path(""), 0700) == 0);
	test_user_end();
	policy_store_deinit(&store);
	test_home_end();
	test_end();
}

static void test_read_only(void)
{
	const char *disk, *name, *words = "Read-only file system";
	struct policy_store *store, *fresh;

	test_begin("login stamp: a read-only file system");
	test_home_begin();
	disk = test_home_path("disk");
	if (test_mount_tmpfs(disk, "size=1m")) {
		store = test_store_init("disk/"DIR_NAME);
		fresh = test_store_init("disk/fresh");
		expect_set(store, 0, 5, TRUE, 0);
		test_mount_read_only(disk, TRUE);
		expect_stamp_results(store, OK, UNWRITABLE, words, 0);
		expect_stamp(store, 5, 0);
		expect_stamp_results(fresh, OK, UNWRITABLE, words, 0);
		test_mount_read_only(disk, FALSE);
		expect_set(store, 5, 6, TRUE, 1);

		/* what is broken stays so */
		test_file_write(test_home_path("disk/"STAMP), "{");
		test_mount_read_only(disk, TRUE);
		expect_stamp_results(store, OK, UNWRITABLE, words, 1);
		test_assert_strcmp(test_file_read(test_home_path("disk/"STAMP)),
				   "{");
		test_mount_read_only(disk, FALSE);
		test_assert(test_dir_count(test_home_path("disk"), "",
					   &name) == 1);
		policy_store_deinit(&store);
		policy_store_deinit(&fresh);
		test_umount(disk);
	}
	test_home_end();
	test_end();
}

static void test_full(void)
{
	const char *disk, *words = "No space left on device";
	struct policy_store *store, *fresh;

	test_begin("login stamp: a full file system");
	test_home_begin();
	disk = test_home_path("disk");
	if (test_mount_tmpfs(disk, "size=64k")) {
		store = test_store_init("disk/"DIR_NAME);
		fresh = test_store_init("disk/fresh");
		expect_set(store, 0, 5, TRUE, 0);
		test_disk_fill(test_home_path("disk/filler"));
		/* there is room for it already */
		expect_set(store, 5, 6, TRUE, 0);
		expect_stamp_results(fresh, OK, UNWRITABLE, words, 0);
		/* the file was made, but has nothing in it, which is no
		   damage */
		expect_stamp_results(fresh, OK, UNWRITABLE, words, 1);
		i_unlink(test_home_path("disk/filler"));
		expect_set(fresh, 0, 7, TRUE, 1);
		policy_store_deinit(&store);
		policy_store_deinit(&fresh);
		test_umount(disk);
	}
	test_home_end();
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_intruders,
		test_rights,
		test_read_only,
		test_full,
		NULL
	};
	return test_run(test_functions);
}
