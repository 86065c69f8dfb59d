/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "test-home.h"
#include "test-intruder.h"
#include "test-store-use.h"
#include "test-journal-use.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define OK POLICY_STORE_OK
#define UNWRITABLE POLICY_STORE_UNWRITABLE
#define UNUSABLE POLICY_STORE_UNUSABLE

/* Try to replace the journal by one of generation 5, which has message 8. */
static void
expect_replace(struct policy_store *store, enum policy_store_result expected,
	       const char *words, unsigned int idx)
{
	enum policy_store_result result;
	struct policy_state *state;
	const char *error = NULL;

	if (!test_store_begin(store, &state))
		return;
	result = policy_journal_replace(store, 3, 5, test_messages("8"),
					&error);
	test_assert_idx(result == expected, idx);
	if (result == OK) {
		test_state_set_generation(state, 5);
		test_store_commit(store, &state);
		return;
	}
	if (strstr(error, words) == NULL)
		test_assert_strcmp_idx(error, words, idx);
	policy_store_rollback(store);
	policy_state_deinit(&state);
}

static void test_journal_files(void)
{
	static const struct {
		enum intruder kind;
		const char *words;
	} tests[] = {
		{ LINK_TO_FILE, "messages.jsonl is a link, which is not" },
		{ LINK_TO_FOLDER, "messages.jsonl is a link, which is not" },
		{ LINK_TO_NOTHING, "messages.jsonl is a link, which is not" },
		{ FIFO, "messages.jsonl is not a regular file" },
		/* reading says the first, writing the second */
		{ FOLDER, "messages.jsonl" },
		{ DEVICE, "messages.jsonl" },
		{ OTHERS_FILE, "messages.jsonl is owned by uid " },
	};
	struct policy_store *store;
	const char *path, *error;
	struct stat st;
	unsigned int i;

	test_begin("journal: what is no file of ours");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		intruder_home_begin();
		store = test_store_init("pop3-policy");
		test_journal_replace(store, 4, "7");
		path = test_home_path(TEST_JOURNAL);
		i_unlink(path);
		if (intruder_put(path, tests[i].kind)) {
			test_assert_idx(lstat(path, &st) == 0, i);
			error = test_journal_read(store, 4);
			test_assert_idx(strstr(error, tests[i].words) != NULL,
					i);
			error = "";
			test_assert_idx(policy_journal_exists(store, 0,
							      &error) < 0, i);
			test_assert_idx(strstr(error, tests[i].words) != NULL,
					i);
			test_journal_append(store, 4, "8", UNUSABLE,
					    tests[i].words, i);
			expect_replace(store, UNUSABLE, tests[i].words, i);
			intruder_assert_same(path, &st, i);
		}
		policy_store_deinit(&store);
		intruder_home_end(i);
	}
	test_end();
}

/* In the place of the new journal. */
static void test_new_journal_files(void)
{
	static const struct {
		enum intruder kind;
		enum policy_store_result replace;
		const char *words;
	} tests[] = {
		{ LINK_TO_FILE, OK, "jsonl.new is a link, which is not" },
		{ LINK_TO_FOLDER, OK, "jsonl.new is a link, which is not" },
		{ LINK_TO_NOTHING, OK, "jsonl.new is a link, which is not" },
		{ FIFO, OK, "jsonl.new is not a regular file" },
		{ FOLDER, UNUSABLE, "jsonl.new" },
		{ DEVICE, OK, "jsonl.new" },
		{ OTHERS_FILE, OK, "jsonl.new is owned by uid " },
		{ FILE_WITHOUT_RIGHTS, OK, NULL },
	};
	struct policy_store *store;
	const char *path, *error;
	struct stat st;
	unsigned int i;

	test_begin("journal: what is no new journal of ours");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		intruder_home_begin();
		store = test_store_init("pop3-policy");
		test_journal_replace(store, 4, "7");
		path = test_home_path(TEST_JOURNAL_NEW);
		if (intruder_put(path, tests[i].kind)) {
			test_assert_idx(lstat(path, &st) == 0, i);
			/* who finds the other one does not look at it */
			test_assert_strcmp_idx(test_journal_read(store, 4),
					       "3 4 1 0: 7=u7", i);
			test_journal_append(store, 4, "9", OK, "", i);
			if (tests[i].words != NULL) {
				error = test_journal_read(store, 5);
				test_assert_idx(strstr(error, tests[i].words)
						!= NULL, i);
			}
			intruder_assert_same(path, &st, i);
			expect_replace(store, tests[i].replace,
				       "jsonl.new) failed: Is a directory", i);
			test_assert_strcmp_idx(test_journal_read(store,
					tests[i].replace == OK ? 5 : 4),
				tests[i].replace == OK ? "3 5 1 0: 8=u8" :
				"3 4 2 0: 7=u7 9=u9", i);
			if (tests[i].replace == OK)
				test_assert_idx(lstat(path, &st) < 0, i);
			else
				intruder_assert_same(path, &st, i);
		}
		policy_store_deinit(&store);
		intruder_home_end(i);
	}
	test_end();
}

static void test_rights(void)
{
	struct policy_store *store;
	const char *path, *words = "messages.jsonl) failed: Permission denied";

	test_begin("journal: files without rights");
	test_home_begin();
	test_user_begin();
	store = test_store_init("pop3-policy");
	test_journal_replace(store, 4, "7");
	path = test_home_path(TEST_JOURNAL);
	test_assert(chmod(path, 0400) == 0);
	test_assert_strcmp(test_journal_read(store, 4), "3 4 1 0: 7=u7");
	test_journal_append(store, 4, "8", UNUSABLE, words, 0);
	test_assert(chmod(path, 0) == 0);
	test_assert(strstr(test_journal_read(store, 4), words) != NULL);
	test_journal_append(store, 4, "8", UNUSABLE, words, 1);
	expect_replace(store, UNUSABLE, words, 1);
	test_assert(chmod(path, 0600) == 0);
	test_assert_strcmp(test_journal_read(store, 4), "3 4 1 0: 7=u7");
	test_user_end();
	policy_store_deinit(&store);
	test_home_end();
	test_end();
}

static void test_size(void)
{
	enum { LARGEST = 256 * 1024 * 1024 };
	static const char *const words = "messages.jsonl has 268435457 octets, "
		"expected at most 268435456";
	struct policy_store *store;
	const char *path;
	int fd;

	test_begin("journal: a large file");
	test_home_begin();
	store = test_store_init("pop3-policy");
	test_journal_replace(store, 4, "7");
	path = test_home_path(TEST_JOURNAL);
	/* a hole costs neither memory nor time */
	test_assert(truncate(path, LARGEST + 1) == 0);
	test_assert(strstr(test_journal_read(store, 4), words) != NULL);
	test_assert(strstr(test_journal_read(store, 0), words) != NULL);
	test_assert_strcmp(test_journal_read(store, 5), "none");
	test_journal_append(store, 4, "8", UNUSABLE, words, 0);

	/* it must not become too large either */
	test_assert(truncate(path, LARGEST) == 0);
	fd = open(path, O_WRONLY);
	test_assert(fd != -1 && pwrite(fd, "\n", 1, LARGEST - 1) == 1);
	i_close_fd(&fd);
	test_journal_append(store, 4, "8", UNUSABLE, "messages.jsonl would "
			    "have 268435487 octets, expected at most 268435456",
			    1);
	policy_store_deinit(&store);
	test_home_end();
	test_end();
}

/* Take all room there is. */
static void fill(void)
{
	int fd = open(test_home_path("pop3-policy/filler"), O_WRONLY | O_CREAT,
		      0600);
	static const char block[4096];

	if (fd == -1)
		i_fatal("open(filler) failed: %m");
	while (write(fd, block, sizeof(block)) > 0) ;
	if (errno != ENOSPC)
		i_fatal("write(filler) failed: %m");
	i_close_fd(&fd);
}

static void test_full(void)
{
	static const char *const words = "No space left on device";
	struct policy_store *store;
	struct policy_state *state;
	const char *disk, *error;
	string_t *uids = t_str_new(4096);
	uint32_t uid;

	test_begin("journal: a full file system");
	test_home_begin();
	disk = test_home_path("pop3-policy");
	for (uid = 100; uid < 1000; uid++)
		str_printfa(uids, "%u,", uid);
	if (test_mount_tmpfs(disk, "size=64k,mode=0700")) {
		store = policy_store_init(disk, TRUE, NULL);
		test_journal_replace(store, 4, "7");
		fill();
		/* more than what is left of the last block */
		test_journal_append(store, 4, str_c(uids), UNWRITABLE, words,
				    0);
		test_assert_strcmp(test_file_read(test_home_path(TEST_JOURNAL)),
				   TEST_HEADER(4) TEST_LINE(7));
		expect_replace(store, UNWRITABLE, words, 0);
		test_assert(test_file_mode(test_home_path(TEST_JOURNAL_NEW)) ==
			    0);
		test_assert_strcmp(test_journal_read(store, 4),
				   "3 4 1 0: 7=u7");

		/* there is room for the journal, but not for the state */
		i_unlink(test_home_path("pop3-policy/filler"));
		if (test_store_begin(store, &state)) {
			test_assert(policy_journal_replace(store, 3, 5,
					test_messages("8"), &error) == OK);
			fill();
			test_state_set_generation(state, 5);
			test_assert(policy_store_commit(store, state, &error) ==
				    UNWRITABLE);
			test_assert(strstr(error, words) != NULL);
			policy_state_deinit(&state);
		}
		test_assert(test_file_mode(test_home_path(TEST_JOURNAL_NEW)) ==
			    0);
		test_assert_strcmp(test_journal_read(store, 4),
				   "3 4 1 0: 7=u7");
		i_unlink(test_home_path("pop3-policy/filler"));
		test_journal_append(store, 4, "8", OK, "", 1);
		expect_replace(store, OK, "", 1);
		test_assert_strcmp(test_journal_read(store, 5),
				   "3 5 1 0: 8=u8");
		policy_store_deinit(&store);
		test_umount(disk);
	}
	test_home_end();
	test_end();
}

static void test_read_only(void)
{
	static const char *const words = "Read-only file system";
	struct policy_store *store;
	struct policy_state *state;
	const char *disk, *error;

	test_begin("journal: a read-only file system");
	test_home_begin();
	disk = test_home_path("pop3-policy");
	if (test_mount_tmpfs(disk, "size=64k,mode=0700")) {
		store = policy_store_init(disk, TRUE, NULL);
		test_journal_replace(store, 4, "7");
		test_mount_read_only(disk, TRUE);
		test_assert_strcmp(test_journal_read(store, 4),
				   "3 4 1 0: 7=u7");
		test_assert(policy_journal_exists(store, 4, &error) == 1);
		test_assert(policy_journal_is_torn(store, 4, &error) == 0);
		test_assert(policy_store_begin(store, &state, &error) ==
			    UNWRITABLE);
		test_assert(strstr(error, words) != NULL);
		policy_state_deinit(&state);

		test_mount_read_only(disk, FALSE);
		test_journal_append(store, 4, "8", OK, "", 0);
		test_assert_strcmp(test_journal_read(store, 4),
				   "3 4 2 0: 7=u7 8=u8");
		policy_store_deinit(&store);
		test_umount(disk);
	}
	test_home_end();
	test_end();
}

/* What somebody has put in the place of the new journal is not written to, and
   not read whole. */
static void test_large_new_journal(void)
{
	struct policy_store *store;
	const char *path;
	int fd;

	test_begin("journal: a large file in the place of the new one");
	test_home_begin();
	store = test_store_init("pop3-policy");
	test_journal_replace(store, 4, "7");
	path = test_home_path(TEST_JOURNAL_NEW);
	test_file_write(path, TEST_HEADER(5));
	fd = open(path, O_WRONLY);
	/* a hole of a terabyte */
	test_assert(fd != -1 && ftruncate(fd, (off_t)1 << 40) == 0);
	i_close_fd(&fd);
	test_assert_strcmp(test_journal_read(store, 4), "3 4 1 0: 7=u7");
	test_assert(strstr(test_journal_read(store, 5), "messages.jsonl.new "
		"has 1099511627776 octets, expected at most 268435456")
		!= NULL);
	test_journal_append(store, 4, "8", OK, "", 0);
	expect_replace(store, OK, "", 0);
	test_assert_strcmp(test_journal_read(store, 5), "3 5 1 0: 8=u8");
	test_assert(test_file_mode(path) == 0);
	policy_store_deinit(&store);
	test_home_end();
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_journal_files,
		test_new_journal_files,
		test_rights,
		test_size,
		test_full,
		test_read_only,
		test_large_new_journal,
		NULL
	};
	return test_run(test_functions);
}
