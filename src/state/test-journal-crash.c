/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "test-common.h"
#include "test-home.h"
#include "test-store-use.h"
#include "test-journal-use.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define OK POLICY_STORE_OK
#define UNUSABLE POLICY_STORE_UNUSABLE

/* A store with the journal of generation 4, which has message 7. */
static struct policy_store *begin(void)
{
	struct policy_store *store;

	test_home_begin();
	store = test_store_init("pop3-policy");
	test_journal_replace(store, 4, "7");
	return store;
}

static void end(struct policy_store **store)
{
	policy_store_deinit(store);
	test_home_end();
}

static void assert_file(const char *name, const char *text, unsigned int idx)
{
	test_assert_strcmp_idx(test_file_read(test_home_path(name)), text, idx);
}

/* Begin to replace the journal by one of generation 5, which has message 8. */
static bool replace_begin(struct policy_store *store,
			  struct policy_state **state_r)
{
	const char *error;

	if (!test_store_begin(store, state_r))
		return FALSE;
	test_assert(policy_journal_replace(store, 3, 5, test_messages("8"),
					   &error) == OK);
	test_state_set_generation(*state_r, 5);
	return TRUE;
}

static void test_torn_tail(void)
{
	const char *whole = TEST_HEADER(4) TEST_LINE(7) TEST_LINE(8);
	size_t size, first = strlen(TEST_HEADER(4));
	size_t second = first + strlen(TEST_LINE(7));
	struct policy_store *store;

	test_begin("journal: cut at every byte");
	for (size = 0; size <= strlen(whole); size++) T_BEGIN {
		const char *text = t_strndup(whole, size), *left;
		const char *expected = size < first ? "none" :
			size < second ? "3 4 0 0:" :
			size < strlen(whole) ? "3 4 1 0: 7=u7" :
			"3 4 2 0: 7=u7 8=u8";
		bool torn = size >= first && text[size - 1] != '\n';
		const char *error = NULL;

		store = begin();
		test_file_write(test_home_path(TEST_JOURNAL), text);
		test_assert_strcmp_idx(test_journal_read(store, 4), expected,
				       size);
		test_assert_idx(policy_journal_is_torn(store, 4, &error) ==
				(torn ? 1 : 0), size);
		if (size < first) {
			test_journal_append(store, 4, "9", UNUSABLE,
				"messages.jsonl is not of generation 4", size);
			assert_file(TEST_JOURNAL, text, size);
		} else {
			left = size < second ? TEST_HEADER(4) :
				size < strlen(whole) ?
				TEST_HEADER(4) TEST_LINE(7) : whole;
			test_journal_append(store, 4, "9,10", OK, "", size);
			assert_file(TEST_JOURNAL, t_strconcat(left,
				TEST_LINE(9) TEST_LINE(10), NULL), size);
		}
		end(&store);
	} T_END;
	test_end();
}

/* What is left out of the end is not what nobody has written. */
static void test_read_torn(void)
{
	static const struct {
		const char *tail;
		bool torn;
	} tests[] = {
		{ "", FALSE },
		{ TEST_LINE(8), FALSE },
		{ "x\n", FALSE },
		{ "x", TRUE },
		{ TEST_LINE(8) "x", TRUE },
		{ TEST_LINE(8) "x\n", FALSE },
	};
	struct policy_store *store;
	struct policy_journal *journal;
	const char *error;
	unsigned int i;

	test_begin("journal: read with a torn end");
	for (i = 0; i <= N_ELEMENTS(tests); i++) T_BEGIN {
		bool torn = i == N_ELEMENTS(tests) || tests[i].torn;
		char *tail = t_malloc0(100001);

		/* longer than any line */
		memset(tail, 'x', 100000);
		store = begin();
		test_file_write(test_home_path(TEST_JOURNAL), t_strconcat(
				TEST_HEADER(4) TEST_LINE(7),
				i == N_ELEMENTS(tests) ? tail : tests[i].tail,
				NULL));
		test_assert_idx(policy_journal_read(store, 4, &journal,
						    &error) == 1, i);
		test_assert_idx(journal->torn == torn, i);
		policy_journal_free(&journal);
		end(&store);
	} T_END;
	test_end();
}

/* A torn line may be as long as a write can be. */
static void test_long_torn_tail(void)
{
	static const size_t sizes[] = { 1, 4094, 4095, 4096, 4097, 8192, 100000 };
	struct policy_store *store;
	unsigned int i;
	char *tail;

	test_begin("journal: a long torn line");
	for (i = 0; i < N_ELEMENTS(sizes); i++) T_BEGIN {
		store = begin();
		tail = t_malloc0(sizes[i] + 1);
		memset(tail, 'x', sizes[i]);
		test_file_write(test_home_path(TEST_JOURNAL), t_strconcat(
				TEST_HEADER(4) TEST_LINE(7), tail, NULL));
		test_journal_append(store, 4, "8", OK, "", i);
		assert_file(TEST_JOURNAL,
			    TEST_HEADER(4) TEST_LINE(7) TEST_LINE(8), i);
		end(&store);
	} T_END;
	test_end();
}

static void test_rollback(void)
{
	struct policy_store *store = begin(), *reader;
	struct policy_state *state;

	test_begin("journal: a new one and a rollback");
	reader = test_store_init("pop3-policy");
	if (replace_begin(store, &state)) {
		/* seen by who asks for it, and by nobody else */
		assert_file(TEST_JOURNAL, TEST_HEADER(4) TEST_LINE(7), 0);
		assert_file(TEST_JOURNAL_NEW, TEST_HEADER(5) TEST_LINE(8), 0);
		test_assert_strcmp(test_journal_read(reader, 4),
				   "3 4 1 0: 7=u7");
		test_assert_strcmp(test_journal_read(reader, 0),
				   "3 4 1 0: 7=u7");
		test_assert_strcmp(test_journal_read(store, 5),
				   "3 5 1 0: 8=u8");
		policy_store_rollback(store);
		policy_state_deinit(&state);
	}
	assert_file(TEST_JOURNAL, TEST_HEADER(4) TEST_LINE(7), 1);
	assert_file(TEST_JOURNAL_NEW, NULL, 1);
	test_assert_strcmp(test_journal_read(store, 5), "none");

	/* the next transaction has nothing of it */
	test_store_add(store, 1, 1);
	assert_file(TEST_JOURNAL, TEST_HEADER(4) TEST_LINE(7), 2);
	test_journal_append(store, 4, "9", OK, "", 2);

	/* twice in one transaction */
	if (replace_begin(store, &state)) {
		const char *error;

		test_assert(policy_journal_replace(store, 3, 5,
				test_messages("8,9"), &error) == OK);
		test_store_commit(store, &state);
	}
	assert_file(TEST_JOURNAL, TEST_HEADER(5) TEST_LINE(8) TEST_LINE(9), 3);
	assert_file(TEST_JOURNAL_NEW, NULL, 3);
	policy_store_deinit(&reader);
	end(&store);
	test_end();
}

/* Commit a new journal that stays beside the old one, as if a crash had come
   before it was renamed. Returns the store that comes after it. */
static struct policy_store *begin_crashed(void)
{
	struct policy_store *store = begin();
	struct policy_state *state;

	if (replace_begin(store, &state))
		test_store_commit(store, &state);
	policy_store_deinit(&store);
	if (rename(test_home_path(TEST_JOURNAL),
		   test_home_path(TEST_JOURNAL_NEW)) < 0)
		i_fatal("rename() failed: %m");
	test_file_write(test_home_path(TEST_JOURNAL),
			TEST_HEADER(4) TEST_LINE(7));
	return test_store_init("pop3-policy");
}

static void test_roll_forward(void)
{
	struct policy_store *store;
	struct policy_state *state;
	const char *error;
	unsigned int i;

	test_begin("journal: a crash after the state was written");
	store = begin_crashed();
	test_assert_strcmp(test_journal_read(store, 5), "3 5 1 0: 8=u8");
	test_assert(policy_journal_exists(store, 5, &error) == 1);
	assert_file(TEST_JOURNAL_NEW, TEST_HEADER(5) TEST_LINE(8), 0);
	/* who has nothing to write for the journal leaves it there */
	test_store_add(store, 1, 1);
	test_assert_strcmp(test_journal_read(store, 5), "3 5 1 0: 8=u8");
	test_journal_append(store, 5, "9", OK, "", 0);
	assert_file(TEST_JOURNAL, TEST_HEADER(5) TEST_LINE(8) TEST_LINE(9), 0);
	assert_file(TEST_JOURNAL_NEW, NULL, 0);
	end(&store);

	/* one that is written anew must not take its place, unless it is
	   committed */
	for (i = 0; i < 2; i++) {
		store = begin_crashed();
		if (i == 1)
			i_unlink(test_home_path(TEST_JOURNAL));
		if (test_store_begin(store, &state)) {
			/* the state in memory is not the one on disk */
			test_state_set_generation(state, 6);
			test_assert(policy_journal_replace(store, 3, 6,
					test_messages("9"), &error) == OK);
			policy_store_rollback(store);
			policy_state_deinit(&state);
		}
		assert_file(TEST_JOURNAL, TEST_HEADER(5) TEST_LINE(8), i);
		assert_file(TEST_JOURNAL_NEW, NULL, i);
		test_assert_strcmp(test_journal_read(store, 5),
				   "3 5 1 0: 8=u8");
		test_journal_replace(store, 6, "9");
		assert_file(TEST_JOURNAL, TEST_HEADER(6) TEST_LINE(9), i);
		end(&store);
	}
	test_end();
}

/* A crash before the state was written leaves what nobody asks for. */
static void test_left_new_journal(void)
{
	static const char *const left[] = {
		"", "{\"version\":", TEST_HEADER(5) "{\"uid\":9",
		TEST_HEADER(5) TEST_LINE(9),
	};
	struct policy_store *store;
	struct policy_state *state;
	unsigned int i;

	test_begin("journal: a crash before the state was written");
	for (i = 0; i < N_ELEMENTS(left); i++) {
		store = begin();
		test_file_write(test_home_path(TEST_JOURNAL_NEW), left[i]);
		test_assert_strcmp_idx(test_journal_read(store, 4),
				       "3 4 1 0: 7=u7", i);
		test_assert_strcmp_idx(test_journal_read(store, 0),
				       "3 4 1 0: 7=u7", i);
		test_journal_append(store, 4, "10", OK, "", i);
		assert_file(TEST_JOURNAL,
			    TEST_HEADER(4) TEST_LINE(7) TEST_LINE(10), i);
		test_store_add(store, 1, 1);
		assert_file(TEST_JOURNAL_NEW, left[i], i);
		if (replace_begin(store, &state))
			test_store_commit(store, &state);
		assert_file(TEST_JOURNAL, TEST_HEADER(5) TEST_LINE(8), i);
		assert_file(TEST_JOURNAL_NEW, NULL, i);
		end(&store);
	}
	test_end();
}

static void test_state_lost(void)
{
	static const char *const journals[][3] = {
		/* the old one, the new one, what is read */
		{ TEST_HEADER(4) TEST_LINE(7), TEST_HEADER(5) TEST_LINE(8),
		  "3 4 1 0: 7=u7" },
		{ "", TEST_HEADER(5) TEST_LINE(8), "3 5 1 0: 8=u8" },
		{ NULL, TEST_HEADER(5) TEST_LINE(8), "3 5 1 0: 8=u8" },
		{ "x\n" TEST_LINE(7), NULL, "0 0 2 1: 7=u7" },
	};
	struct policy_store *store;
	struct policy_state *state;
	const char *error;
	unsigned int i;

	test_begin("journal: the state was lost");
	for (i = 0; i < N_ELEMENTS(journals); i++) {
		store = begin();
		i_unlink(test_home_path("pop3-policy/state.json"));
		i_unlink(test_home_path(TEST_JOURNAL));
		if (journals[i][0] != NULL) {
			test_file_write(test_home_path(TEST_JOURNAL),
					journals[i][0]);
		}
		if (journals[i][1] != NULL) {
			test_file_write(test_home_path(TEST_JOURNAL_NEW),
					journals[i][1]);
		}
		test_assert_strcmp_idx(test_journal_read(store, 0),
				       journals[i][2], i);
		test_assert_idx(policy_journal_exists(store, 0, &error) == 1,
				i);
		/* a rollback leaves what was read */
		if (test_store_begin(store, &state)) {
			test_assert_idx(policy_journal_replace(store, 3, 9,
				test_messages("9"), &error) == OK, i);
			policy_store_rollback(store);
			policy_state_deinit(&state);
		}
		test_assert_strcmp_idx(test_journal_read(store, 0),
				       journals[i][2], i);
		test_journal_replace(store, 9, "9");
		test_assert_strcmp_idx(test_journal_read(store, 0),
				       "3 9 1 0: 9=u9", i);
		end(&store);
	}
	test_end();
}

/* The state cannot be written: a folder is in the place of its temporary
   file. */
static void test_commit_fails(void)
{
	struct policy_store *store = begin();
	struct policy_state *state;
	const char *error;

	test_begin("journal: a new one, and the commit fails");
	if (mkdir(test_home_path("pop3-policy/state.json.tmp"), 0700) < 0)
		i_fatal("mkdir() failed: %m");
	if (replace_begin(store, &state)) {
		test_assert(policy_store_commit(store, state, &error) ==
			    UNUSABLE);
		policy_state_deinit(&state);
	}
	assert_file(TEST_JOURNAL, TEST_HEADER(4) TEST_LINE(7), 0);
	assert_file(TEST_JOURNAL_NEW, NULL, 0);
	end(&store);

	/* the state can be written, but not what comes after it: it is not a
	   failure, as everything is found */
	store = begin();
	i_unlink(test_home_path(TEST_JOURNAL));
	if (mkdir(test_home_path(TEST_JOURNAL_NEW"x"), 0700) < 0)
		i_fatal("mkdir() failed: %m");
	if (replace_begin(store, &state)) {
		if (rename(test_home_path(TEST_JOURNAL_NEW"x"),
			   test_home_path(TEST_JOURNAL)) < 0)
			i_fatal("rename() failed: %m");
		test_expect_error_string("messages.jsonl.new) failed: Is a "
					 "directory");
		test_store_commit(store, &state);
		test_expect_no_more_errors();
	}
	assert_file(TEST_JOURNAL_NEW, TEST_HEADER(5) TEST_LINE(8), 1);
	if (rmdir(test_home_path(TEST_JOURNAL)) < 0)
		i_fatal("rmdir() failed: %m");
	test_assert_strcmp(test_journal_read(store, 5), "3 5 1 0: 8=u8");
	test_journal_append(store, 5, "9", OK, "", 0);
	assert_file(TEST_JOURNAL, TEST_HEADER(5) TEST_LINE(8) TEST_LINE(9), 1);
	end(&store);
	test_end();
}

static void test_too_new(void)
{
	static const char *const text =
		"{\"version\":2,\"generation\":4}\n" TEST_LINE(7);
	static const char *const words =
		"messages.jsonl: version 2 is newer than version 1, which "
		"this plugin knows: upgrade it";
	struct policy_store *store = begin();
	struct policy_state *state;
	const char *error = "";

	test_begin("journal: a newer version");
	test_file_write(test_home_path(TEST_JOURNAL), text);
	test_assert(strstr(test_journal_read(store, 4), words) != NULL);
	test_assert(strstr(test_journal_read(store, 0), words) != NULL);
	test_assert(policy_journal_exists(store, 0, &error) < 0);
	test_assert(strstr(error, words) != NULL);
	test_journal_append(store, 4, "8", UNUSABLE, words, 0);
	if (test_store_begin(store, &state)) {
		test_assert(policy_journal_replace(store, 3, 5,
				test_messages("8"), &error) == UNUSABLE);
		test_assert(strstr(error, words) != NULL);
		policy_store_rollback(store);
		policy_state_deinit(&state);
	}
	assert_file(TEST_JOURNAL, text, 0);
	assert_file(TEST_JOURNAL_NEW, NULL, 0);
	end(&store);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_torn_tail,
		test_read_torn,
		test_long_torn_tail,
		test_rollback,
		test_roll_forward,
		test_left_new_journal,
		test_state_lost,
		test_commit_fails,
		test_too_new,
		NULL
	};
	return test_run(test_functions);
}
