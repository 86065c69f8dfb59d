/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "test-common.h"
#include "epoch.h"
#include "test-home.h"
#include "test-intruder.h"
#include "test-store-use.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_NAME "pop3-policy"
#define STATE DIR_NAME"/state.json"
#define MAX_SIZE (64 * 1024)

/* Read the brief of the store; the epoch must have this number. */
static void
expect_brief(struct policy_store *store, int expected, const char *words,
	     uint32_t number, unsigned int idx)
{
	pool_t pool = pool_alloconly_create("test brief", 512);
	struct policy_epoch epoch;
	const char *error = NULL;
	int ret;

	ret = policy_store_read_brief(store, pool, &epoch, &error);
	test_assert_idx(ret == expected, idx);
	if (ret == 1) {
		test_assert_idx(epoch.number == number, idx);
		test_assert_idx(epoch.uidnext == 101, idx);
		test_assert_idx(array_count(&epoch.recorded) == 1, idx);
	} else if (ret < 0) {
		test_assert_idx(error != NULL, idx);
		if (error != NULL && strstr(error, words) == NULL)
			test_assert_strcmp_idx(error, words, (int)idx);
	}
	pool_unref(&pool);
}

/* Commit an epoch that has a brief. */
static void write_epoch(struct policy_store *store, uint32_t number)
{
	struct policy_state *state;
	struct policy_epoch epoch;

	i_zero(&epoch);
	epoch.number = number;
	epoch.uidvalidity = 7;
	epoch.uidnext = 101;
	epoch.live = 100;
	epoch.uidl_format = "%u";
	t_array_init(&epoch.recorded, 1);
	seq_range_array_add_range(&epoch.recorded, 1, 100);
	if (!test_store_begin(store, &state))
		return;
	policy_state_set_epoch(state, &epoch);
	test_store_commit(store, &state);
}

static struct policy_store *home_begin(void)
{
	struct policy_store *store;

	intruder_home_begin();
	store = test_store_init(DIR_NAME);
	write_epoch(store, 3);
	return store;
}

static void home_end(struct policy_store **store, unsigned int idx)
{
	policy_store_deinit(store);
	intruder_home_end(idx);
}

static void test_use(void)
{
	struct policy_store *store, *other;

	test_begin("store: the brief of what was committed");
	store = home_begin();
	other = test_store_init(DIR_NAME);
	expect_brief(store, 1, "", 3, 0);
	expect_brief(other, 1, "", 3, 1);
	write_epoch(other, 4);
	expect_brief(store, 1, "", 4, 2);
	expect_brief(other, 1, "", 4, 3);
	/* a change of the counters leaves it where it is */
	test_store_add(store, 5, 1);
	expect_brief(other, 1, "", 4, 4);
	test_assert(test_store_bytes(other) == 5);
	policy_store_deinit(&other);
	home_end(&store, 0);
	test_end();
}

static void test_nothing_there(void)
{
	struct policy_store *store;
	const char *name;

	test_begin("store: no brief where there is no state");
	test_home_begin();
	store = test_store_init("gone/"DIR_NAME);
	expect_brief(store, 0, "", 0, 0);
	policy_store_deinit(&store);
	store = test_store_init(DIR_NAME);
	expect_brief(store, 0, "", 0, 1);
	test_assert(test_dir_count(test_home_path(""), "", &name) == 0);
	if (mkdir(test_home_path(DIR_NAME), 0700) < 0)
		i_fatal("mkdir() failed: %m");
	expect_brief(store, 0, "", 0, 2);
	test_assert(test_dir_count(test_home_path(DIR_NAME), "", &name) == 0);
	/* a state without UIDLs */
	test_store_add(store, 5, 1);
	expect_brief(store, 0, "", 0, 3);
	policy_store_deinit(&store);
	test_home_end();
	test_end();
}

/* Who reads all of it is the one to set it aside. */
static void test_corrupt(void)
{
	struct policy_store *store;
	const char *text, *path, *name;
	unsigned int i;

	test_begin("store: no brief of a file that is not ours");
	store = home_begin();
	path = test_home_path(STATE);
	text = test_file_read(path);
	for (i = 0; i < 4; i++) {
		switch (i) {
		case 0:
			test_file_write(path, "");
			break;
		case 1:
			test_file_write(path, "{\"brief\":\"3\"}");
			break;
		case 2:
			test_file_write(path, t_strconcat(text, " ", NULL));
			break;
		case 3:
			test_file_write_size(path, MAX_SIZE + 1);
			break;
		}
		expect_brief(store, 0, "", 0, i);
		test_assert_idx(test_dir_count(test_home_path(DIR_NAME), "",
					       &name) == 2, i);
	}
	test_file_write(path, text);
	expect_brief(store, 1, "", 3, i);
	home_end(&store, i);
	test_end();
}

static void test_intruders(void)
{
	static const struct {
		const char *name;
		enum intruder kind;
		const char *words;
	} tests[] = {
		{ STATE, LINK_TO_FILE, "state.json is a link, which is not" },
		{ STATE, LINK_TO_FOLDER, "state.json is a link" },
		{ STATE, LINK_TO_NOTHING, "state.json is a link" },
		{ STATE, FIFO, "state.json is not a regular file" },
		{ STATE, FOLDER, "state.json is not a regular file" },
		{ STATE, DEVICE, "state.json" },
		{ STATE, OTHERS_FILE, "state.json is owned by uid " },
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

	test_begin("store: no brief from what is no file of ours");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		store = home_begin();
		path = test_home_path(tests[i].name);
		test_assert_idx(rename(path, test_home_path("old")) == 0, i);
		if (intruder_put(path, tests[i].kind)) {
			test_assert_idx(lstat(path, &st) == 0, i);
			expect_brief(store, -1, tests[i].words, 0, i);
			intruder_assert_same(path, &st, i);
		}
		home_end(&store, i);
	}
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
		{ STATE, 0, -1, "state.json) failed: Permission denied" },
		{ STATE, 0400, 1, "" },
		{ DIR_NAME, 0, -1, "pop3-policy) failed: Permission denied" },
		{ DIR_NAME, 0500, 1, "" },
		{ DIR_NAME, 0770, -1, "lets others write" },
		{ "", 0, -1, "pop3-policy) failed: Permission denied" },
		/* no lock is taken */
		{ DIR_NAME"/state.lock", 0, 1, "" },
	};
	struct policy_store *store;
	unsigned int i;

	test_begin("store: the brief of files without rights");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		test_home_begin();
		test_user_begin();
		store = test_store_init(DIR_NAME);
		write_epoch(store, 3);
		test_assert_idx(chmod(test_home_path(tests[i].name),
				      tests[i].mode) == 0, i);
		expect_brief(store, tests[i].ret, tests[i].words, 3, i);
		test_assert_idx(chmod(test_home_path(""), 0700) == 0, i);
		test_assert_idx(chmod(test_home_path(DIR_NAME), 0700) == 0, i);
		test_user_end();
		policy_store_deinit(&store);
		test_home_end();
	}
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_use,
		test_nothing_there,
		test_corrupt,
		test_intruders,
		test_rights,
		NULL
	};
	return test_run(test_functions);
}
