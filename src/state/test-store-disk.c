/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "test-home.h"
#include "test-store-use.h"

#include <unistd.h>

#define OK POLICY_STORE_OK
#define UNWRITABLE POLICY_STORE_UNWRITABLE
#define UNUSABLE POLICY_STORE_UNUSABLE

static void test_read_only(void)
{
	struct policy_store *store, *fresh;
	const char *disk, *words = "Read-only file system", *name;

	test_begin("store: a read-only file system");
	test_home_begin();
	disk = test_home_path("disk");
	if (test_mount_tmpfs(disk, "size=1m")) {
		store = policy_store_init(test_home_path("disk/pop3-policy"),
					  TRUE, NULL);
		fresh = policy_store_init(test_home_path("disk/a/b"), TRUE,
					  NULL);
		expect_add(store, OK, OK, "", 0, 0);
		test_mount_read_only(disk, TRUE);
		expect_read(store, OK, "", 1, 0);
		expect_add(store, UNWRITABLE, OK, words, 1, 0);
		expect_read(fresh, OK, "", 0, 0);
		expect_add(fresh, UNWRITABLE, OK, words, 0, 0);

		test_mount_read_only(disk, FALSE);
		expect_add(store, OK, OK, "", 1, 1);
		expect_add(fresh, OK, OK, "", 0, 1);

		/* without a lock file there is no lock, but there is a state */
		i_unlink(test_home_path("disk/pop3-policy/state.lock"));
		test_mount_read_only(disk, TRUE);
		expect_add(store, UNWRITABLE, OK, words, 2, 2);
		test_mount_read_only(disk, FALSE);

		/* what is corrupt cannot be set aside */
		test_file_write(test_home_path("disk/pop3-policy/state.json"),
				"{");
		test_mount_read_only(disk, TRUE);
		test_expect_error_string("cannot be renamed");
		expect_read(store, OK, "", 0, 3);
		test_expect_no_more_errors();
		test_expect_error_string("cannot be renamed");
		expect_add(store, UNWRITABLE, OK, words, 0, 3);
		test_expect_no_more_errors();
		test_assert(test_dir_count(test_home_path("disk/pop3-policy"),
					   "", &name) == 1);

		/* nor is what is too new the state of a new user */
		test_mount_read_only(disk, FALSE);
		test_file_write(test_home_path("disk/pop3-policy/state.json"),
				"{\"version\":2}");
		test_mount_read_only(disk, TRUE);
		expect_read(store, UNUSABLE, "version 2 is newer", 0, 4);
		expect_add(store, UNUSABLE, OK, "version 2 is newer", 0, 4);

		policy_store_deinit(&store);
		policy_store_deinit(&fresh);
		test_umount(disk);
	}
	test_home_end();
	test_end();
}

static void test_full(void)
{
	const char *disk, *name, *words = "No space left on device";
	struct policy_store *store, *fresh;

	test_begin("store: a full file system");
	test_home_begin();
	disk = test_home_path("disk");
	if (test_mount_tmpfs(disk, "size=64k")) {
		store = policy_store_init(test_home_path("disk/pop3-policy"),
					  TRUE, NULL);
		expect_add(store, OK, OK, "", 0, 0);
		test_disk_fill(test_home_path("disk/filler"));
		expect_add(store, OK, UNWRITABLE, words, 1, 0);
		expect_add(store, OK, UNWRITABLE, words, 1, 0);
		expect_read(store, OK, "", 1, 0);
		test_assert(test_dir_count(test_home_path("disk/pop3-policy"),
					   "", &name) == 2);
		i_unlink(test_home_path("disk/filler"));
		expect_add(store, OK, OK, "", 1, 1);
		expect_read(store, OK, "", 2, 1);
		policy_store_deinit(&store);
		test_umount(disk);
	}
	test_home_end();

	/* the root, the folder, its two files and one more */
	test_home_begin();
	disk = test_home_path("disk");
	if (test_mount_tmpfs(disk, "nr_inodes=5")) {
		store = policy_store_init(test_home_path("disk/pop3-policy"),
					  TRUE, NULL);
		fresh = policy_store_init(test_home_path("disk/fresh"), TRUE,
					  NULL);
		expect_add(store, OK, OK, "", 0, 2);
		test_file_write(test_home_path("disk/filler"), "");
		expect_add(store, OK, UNWRITABLE, words, 1, 2);
		expect_read(store, OK, "", 1, 2);
		expect_add(fresh, UNWRITABLE, OK, words, 0, 2);
		expect_read(fresh, OK, "", 0, 2);

		i_unlink(test_home_path("disk/pop3-policy/state.lock"));
		test_file_write(test_home_path("disk/filler2"), "");
		expect_add(store, UNWRITABLE, OK, words, 1, 3);
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
		test_read_only,
		test_full,
		NULL
	};
	return test_run(test_functions);
}
