/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "hostpid.h"
#include "test-common.h"
#include "test-home.h"
#include "test-intruder.h"
#include "test-journal-use.h"
#include "test-store-use.h"
#include "epoch.h"
#include "policy-dict.h"
#include "run-lock.h"
#include "store-dict.h"
#include "pop3-policy-dict-plugin.h"
#include "test-kv.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES POP3_QUOTA_BYTES
#define DAY POP3_QUOTA_WINDOW_DAY

/* The store as sessions use it, with the dict in memory. */

static struct event *event;

static struct policy_store *open_store(const char *path)
{
	const struct policy_dict_settings set = {
		.name = "test",
		.username = "user",
		.event_parent = event,
	};
	const struct policy_dict_vfuncs *v = &pop3_policy_dict_plugin_vfuncs;
	struct policy_dict *dict;
	const char *error;

	if (v->open(&set, &dict, &error) < 0)
		i_fatal("%s", error);
	return policy_store_init_dict(dict, v, path, event);
}

static void begin(const char *name)
{
	test_begin(name);
	test_home_begin();
	test_kv_begin();
	my_hostname = "here";
	event = event_create(NULL);
}

static void end(void)
{
	event_unref(&event);
	test_kv_end();
	test_home_end();
	test_end();
}

static void add(struct policy_store *store, uint64_t bytes)
{
	struct policy_state *state;
	struct pop3_quota_counter *counter;

	if (!test_store_begin(store, &state))
		return;
	counter = &policy_state_quota(state)->window[DAY];
	counter->start = 1000;
	counter->used.n[BYTES] += bytes;
	test_store_commit(store, &state);
}

static void test_use(void)
{
	struct policy_store *store, *other;
	struct policy_state *state;
	const char *name, *before;

	begin("store in a dict: read and write");
	store = open_store(test_home_path("pop3-policy"));
	/* of a host without a folder */
	other = open_store("");
	test_assert(test_store_bytes(store) == 0);
	test_assert_strcmp(test_kv_all(""), "");
	test_assert(test_dir_count(test_home_path(""), "", &name) == 0);
	add(store, 5);
	test_assert_strcmp(test_kv_value("num/quota/day/1000/bytes"), "5");
	test_assert(strncmp(test_kv_value("doc/state"), "{", 1) == 0);
	test_assert(test_dir_count(test_home_path("pop3-policy"), "",
				   &name) == 1);
	test_assert_strcmp(name, "state.lock");
	test_assert(test_store_bytes(other) == 5);
	add(other, 2);
	test_assert(test_store_bytes(store) == 7);
	/* what another has added counts, whatever the state says */
	test_kv_put("num/quota/day/1000/bytes", "30");
	test_assert(test_store_bytes(store) == 30);

	before = test_kv_all("");
	if (test_store_begin(store, &state)) {
		policy_state_quota(state)->window[DAY].used.n[BYTES] = 77;
		policy_store_rollback(store);
		policy_state_deinit(&state);
	}
	test_assert_strcmp(test_kv_all(""), before);
	test_assert(test_store_bytes(store) == 30);
	policy_store_deinit(&other);
	policy_store_deinit(&store);
	end();
}

static void test_trouble(void)
{
	struct policy_store *store;
	unsigned int op;

	begin("store in a dict: reading or writing fails");
	store = open_store(test_home_path("pop3-policy"));
	add(store, 5);
	test_kv_read_only = TRUE;
	expect_add(store, POLICY_STORE_UNWRITABLE, POLICY_STORE_OK,
		   "writing failed", 5, 0);
	test_kv_read_only = FALSE;
	test_assert(test_store_bytes(store) == 5);
	test_kv_fail_at = test_kv_ops;
	expect_read(store, POLICY_STORE_UNUSABLE, "reading failed", 0, 0);
	expect_add(store, POLICY_STORE_UNUSABLE, POLICY_STORE_OK, "failed", 0,
		   0);
	test_kv_fail_at = UINT_MAX;
	add(store, 1);
	test_assert(test_store_bytes(store) == 6);
	policy_store_deinit(&store);
	end();

	begin("store in a dict: fails at any step");
	store = open_store(test_home_path("pop3-policy"));
	add(store, 5);
	test_kv_ignore_errors(TRUE);
	for (op = 0; op < 40; op++) {
		struct policy_state *state = NULL;
		const char *error;

		test_kv_fail_at = test_kv_ops + op;
		if (policy_store_begin(store, &state, &error) ==
		    POLICY_STORE_OK) {
			policy_state_quota(state)->window[DAY].used.n[BYTES]++;
			(void)policy_store_commit(store, state, &error);
		}
		policy_state_deinit(&state);
		/* none of them leaves what is in the way of the next one */
		test_kv_fail_at = UINT_MAX;
		add(store, 1);
	}
	test_kv_ignore_errors(FALSE);
	test_assert(test_store_bytes(store) >= 5 + op);
	policy_store_deinit(&store);
	end();
}

static void test_documents(void)
{
	struct policy_store *store;
	struct policy_state *state;
	char large[48 * 1024];
	const char *error;

	begin("store in a dict: a state that is corrupt, too new or too large");
	store = open_store(test_home_path("pop3-policy"));
	add(store, 5);
	test_kv_put("doc/state", "{");
	test_expect_error_string("kept it as doc/state.corrupt");
	test_assert(test_store_bytes(store) == 0);
	test_expect_no_more_errors();
	test_assert_strcmp(test_kv_value("doc/state.corrupt"), "{");
	test_assert(test_kv_value("doc/state") == NULL);
	test_kv_put("doc/state", "{\"version\":2}");
	expect_read(store, POLICY_STORE_UNUSABLE, "version 2 is newer", 0, 0);
	expect_add(store, POLICY_STORE_UNUSABLE, POLICY_STORE_OK,
		   "version 2 is newer", 0, 0);
	test_assert_strcmp(test_kv_value("doc/state"), "{\"version\":2}");

	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	test_kv_put("doc/state", t_strconcat("{\"version\":1,\"x\":\"", large,
					     "\"}", NULL));
	if (test_store_begin(store, &state)) {
		test_assert(policy_store_commit(store, state, &error) ==
			    POLICY_STORE_UNUSABLE);
		test_assert(strstr(error, "expected at most 49152") != NULL);
		policy_state_deinit(&state);
	}
	test_assert_strcmp(test_kv_all("doc/owner"), "");
	policy_store_deinit(&store);
	end();
}

static void test_journal(void)
{
	struct policy_store *store;
	const char *error;

	begin("store in a dict: journal");
	store = open_store(test_home_path("pop3-policy"));
	test_assert_strcmp(test_journal_read(store, 0), "none");
	test_assert(policy_journal_exists(store, 0, &error) == 0);
	test_journal_replace(store, 1, "7,8");
	test_assert_strcmp(test_journal_read(store, 1),
			   "3 1 2 0: 7=u7 8=u8");
	test_assert_strcmp(test_kv_value("doc/journal/1/0"),
			   TEST_HEADER(1) TEST_LINE(7) TEST_LINE(8));
	test_journal_append(store, 1, "9", POLICY_STORE_OK, NULL, 0);
	test_journal_append(store, 2, "9", POLICY_STORE_UNUSABLE,
			    "not of generation 2", 0);
	test_assert_strcmp(test_journal_read(store, 1),
			   "3 1 3 0: 7=u7 8=u8 9=u9");
	test_assert(policy_journal_exists(store, 1, &error) == 1 &&
		    policy_journal_exists(store, 2, &error) == 0);
	test_assert(policy_journal_is_torn(store, 1, &error) == 0);

	test_kv_put("doc/journal/1/0", TEST_HEADER(1) TEST_LINE(7)
		    "rubbish\n{\"uid\":");
	test_assert(policy_journal_is_torn(store, 1, &error) == 1);
	test_assert_strcmp(test_journal_read(store, 1), "3 1 2 2: 7=u7");
	test_kv_put("doc/journal/1/0", "rubbish\n"TEST_LINE(7));
	test_assert_strcmp(test_journal_read(store, 1), "none");
	test_assert(policy_journal_exists(store, 1, &error) == 0);
	test_assert_strcmp(test_journal_read(store, 0), "0 0 2 1: 7=u7");
	test_kv_put("doc/journal/1/0",
		    "{\"version\":2,\"epoch\":3,\"generation\":1}\n");
	test_assert(strstr(test_journal_read(store, 0), "error: the journal in "
			   "the dict: version 2") != NULL);
	test_assert(policy_journal_exists(store, 1, &error) == -1);
	policy_store_deinit(&store);
	end();
}

static void test_login_stamp(void)
{
	struct policy_store *store;
	uint64_t number = 5;
	const char *error;
	bool set = FALSE;

	begin("store in a dict: the number of logins");
	store = open_store(test_home_path("pop3-policy"));
	test_assert(store_dict_read_login_stamp(store, &number, &error) ==
		    POLICY_STORE_OK && number == 0);
	test_assert_strcmp(test_kv_all(""), "");
	test_assert(store_dict_set_login_stamp(store, 0, 1000, &set, &error) ==
		    POLICY_STORE_OK && set);
	test_assert_strcmp(test_kv_all(""), "num/lock/0/0=0 num/login=1000");
	/* another login was first */
	test_assert(store_dict_set_login_stamp(store, 0, 2000, &set, &error) ==
		    POLICY_STORE_OK && !set);
	test_assert(store_dict_read_login_stamp(store, &number, &error) ==
		    POLICY_STORE_OK && number == 1000);
	test_kv_put("num/login", "-7");
	test_assert(store_dict_read_login_stamp(store, &number, &error) ==
		    POLICY_STORE_OK && number == 0);
	test_kv_read_only = TRUE;
	test_assert(store_dict_set_login_stamp(store, 0, 1, &set, &error) ==
		    POLICY_STORE_UNWRITABLE);
	test_kv_put("num/login", "x");
	test_assert(store_dict_read_login_stamp(store, &number, &error) ==
		    POLICY_STORE_UNUSABLE);
	test_assert_strcmp(error, "not a number");
	policy_store_deinit(&store);
	end();
}

static void test_run_lock(void)
{
	struct policy_store *store;
	struct policy_run_lock *lock;
	const char *error;

	begin("store in a dict: the lock of retention is a file");
	store = open_store(test_home_path("pop3-policy"));
	test_assert(policy_run_try_lock(store, &lock, &error) == 1);
	test_assert(test_file_mode(test_home_path("pop3-policy")) == 0700);
	policy_run_unlock(&lock);
	policy_store_deinit(&store);
	store = open_store("");
	test_assert(policy_run_try_lock(store, &lock, &error) == -1);
	test_assert_strcmp(error,
		"the user has no home directory for retention.lock");
	policy_store_deinit(&store);
	end();
}

/* The folder belongs to the user, who may put anything there. */
static void test_intruders(void)
{
	static const struct {
		const char *name;
		enum intruder kind;
		enum policy_store_result result;
		const char *words;
	} tests[] = {
		/* the lock in the dict is enough */
		{ "pop3-policy", LINK_TO_FILE, POLICY_STORE_OK, "" },
		{ "pop3-policy", LINK_TO_FOLDER, POLICY_STORE_OK, "" },
		{ "pop3-policy", LINK_TO_NOTHING, POLICY_STORE_OK, "" },
		{ "pop3-policy", FIFO, POLICY_STORE_OK, "" },
		{ "pop3-policy", DEVICE, POLICY_STORE_OK, "" },
		{ "pop3-policy", OTHERS_FILE, POLICY_STORE_OK, "" },
#define LOCK "pop3-policy/state.lock"
		{ LOCK, LINK_TO_FILE, POLICY_STORE_UNUSABLE,
		  "state.lock is a link, which is not followed" },
		{ LOCK, LINK_TO_FOLDER, POLICY_STORE_UNUSABLE,
		  "state.lock is a link" },
		{ LOCK, LINK_TO_NOTHING, POLICY_STORE_UNUSABLE,
		  "state.lock is a link" },
		{ LOCK, FIFO, POLICY_STORE_UNUSABLE,
		  "state.lock is not a regular file" },
		{ LOCK, FOLDER, POLICY_STORE_UNUSABLE,
		  "state.lock) failed: Is a directory" },
		{ LOCK, DEVICE, POLICY_STORE_UNUSABLE, "state.lock" },
		{ LOCK, OTHERS_FILE, POLICY_STORE_UNUSABLE,
		  "state.lock is owned by uid " },
	};
	struct policy_store *store;
	const char *path, *before;
	struct stat st;
	unsigned int i;

	begin("store in a dict: what is no folder or lock of ours");
	test_home_end();
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		intruder_home_begin();
		store = open_store(test_home_path("pop3-policy"));
		add(store, 5);
		path = test_home_path(tests[i].name);
		test_assert_idx(rename(path, test_home_path("old")) == 0, i);
		before = test_kv_all("");
		if (intruder_put(path, tests[i].kind)) {
			test_assert_idx(lstat(path, &st) == 0, i);
			expect_add(store, tests[i].result, POLICY_STORE_OK,
				   tests[i].words, 5, i);
			test_assert_idx((strcmp(test_kv_all(""),
						before) == 0) ==
				(tests[i].result != POLICY_STORE_OK), i);
			intruder_assert_same(path, &st, i);
		}
		policy_store_deinit(&store);
		intruder_home_end(i);
		test_kv_end();
		test_kv_begin();
	}
	test_home_begin();
	end();
}

static void test_folder_without_rights(void)
{
	static const struct {
		const char *name;
		mode_t mode;
		enum policy_store_result result;
		const char *words;
	} tests[] = {
		{ "pop3-policy", 0, POLICY_STORE_OK, "" },
		{ "pop3-policy", 0777, POLICY_STORE_OK, "" },
		{ "", 0, POLICY_STORE_OK, "" },
		{ LOCK, 0400, POLICY_STORE_UNUSABLE,
		  "state.lock) failed: Permission denied" },
	};
	struct policy_store *store;
	unsigned int i;

	begin("store in a dict: a folder without rights");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		test_user_begin();
		store = open_store(test_home_path("pop3-policy"));
		add(store, 1);
		test_assert_idx(chmod(test_home_path(tests[i].name),
				      tests[i].mode) == 0, i);
		expect_add(store, tests[i].result, POLICY_STORE_OK,
			   tests[i].words, 1, i);
		test_assert_idx(chmod(test_home_path(""), 0700) == 0, i);
		test_assert_idx(chmod(test_home_path("pop3-policy"), 0700) == 0,
				i);
		policy_store_deinit(&store);
		test_user_end();
		test_home_end();
		test_home_begin();
		test_kv_end();
		test_kv_begin();
	}
	end();
}

/* The dict may be written all the same. */
static void test_disk(void)
{
	struct policy_store *store, *fresh;
	const char *disk;

	begin("store in a dict: a full disk and a read-only one");
	disk = test_home_path("disk");
	if (test_mount_tmpfs(disk, "nr_inodes=4")) {
		store = open_store(test_home_path("disk/pop3-policy"));
		fresh = open_store(test_home_path("disk/fresh"));
		add(store, 1);
		test_file_write(test_home_path("disk/filler"), "");
		add(store, 1);
		add(fresh, 1);
		i_unlink(test_home_path("disk/pop3-policy/state.lock"));
		test_mount_read_only(disk, TRUE);
		add(store, 1);
		add(fresh, 1);
		test_assert(test_store_bytes(store) == 5);
		policy_store_deinit(&store);
		policy_store_deinit(&fresh);
		test_umount(disk);
	}
	end();
}

int main(void)
{
	static void (*const tests[])(void) = {
		test_use,
		test_trouble,
		test_documents,
		test_journal,
		test_login_stamp,
		test_run_lock,
		test_intruders,
		test_folder_without_rights,
		test_disk,
		NULL
	};

	return test_run(tests);
}
