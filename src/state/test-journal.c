/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "test-common.h"
#include "test-home.h"
#include "test-store-use.h"
#include "test-journal-use.h"

#include <sys/stat.h>
#include <unistd.h>

#define OK POLICY_STORE_OK

#define LONGEST_LINE 4096

static struct policy_store *begin(void)
{
	struct policy_store *store;

	test_home_begin();
	store = test_store_init("pop3-policy");
	test_store_add(store, 1, 1);
	return store;
}

static void end(struct policy_store **store)
{
	policy_store_deinit(store);
	test_home_end();
}

static void assert_read(const char *text, uint32_t generation,
			const char *expected, unsigned int idx)
{
	struct policy_store *store = begin();
	const char *error = NULL;

	test_file_write(test_home_path(TEST_JOURNAL), text);
	test_assert_strcmp_idx(test_journal_read(store, generation), expected,
			       idx);
	test_assert_idx(policy_journal_exists(store, generation, &error) ==
			(strcmp(expected, "none") == 0 ? 0 : 1), idx);
	/* reading changes nothing */
	test_assert_strcmp_idx(test_file_read(test_home_path(TEST_JOURNAL)),
			       text, idx);
	end(&store);
}

static void test_none(void)
{
	struct policy_store *store;
	struct policy_state *state;
	const char *error;

	test_begin("journal: there is none");
	test_home_begin();
	store = test_store_init("pop3-policy");
	/* not even a folder */
	test_assert_strcmp(test_journal_read(store, 0), "none");
	test_assert(policy_journal_exists(store, 0, &error) == 0);
	test_store_add(store, 1, 1);
	test_assert_strcmp(test_journal_read(store, 0), "none");
	test_assert_strcmp(test_journal_read(store, 1), "none");
	test_assert(policy_journal_exists(store, 0, &error) == 0);
	test_assert(policy_journal_exists(store, 1, &error) == 0);
	if (test_store_begin(store, &state)) {
		test_assert_strcmp(test_journal_read(store, 0), "none");
		test_assert(policy_journal_append(store, 1, test_messages("7"),
			&error) == POLICY_STORE_UNUSABLE);
		test_assert(strstr(error, "messages.jsonl is not of "
				   "generation 1") != NULL);
		policy_store_rollback(store);
		policy_state_deinit(&state);
	}
	test_assert(test_file_mode(test_home_path(TEST_JOURNAL)) == 0);
	end(&store);
	test_end();
}

static void test_write(void)
{
	struct policy_store *store;
	struct policy_state *state;
	const char *error;
	mode_t old_umask = umask(0);
	unsigned int i;

	test_begin("journal: write and read");
	/* with and without fsync */
	for (i = 0; i < 2; i++) {
		test_home_begin();
		store = policy_store_init(test_home_path("pop3-policy"), i == 1,
					  NULL);
		test_journal_replace(store, 4, "7,9");
		test_assert_strcmp(test_file_read(test_home_path(TEST_JOURNAL)),
				   TEST_HEADER(4) TEST_LINE(7) TEST_LINE(9));
		test_assert(test_file_mode(test_home_path(TEST_JOURNAL)) ==
			    0600);
		test_assert(test_file_mode(test_home_path(TEST_JOURNAL_NEW)) ==
			    0);
		test_assert_strcmp(test_journal_read(store, 4),
				   "3 4 2 0: 7=u7 9=u9");
		test_journal_append(store, 4, "8", OK, "", i);
		test_journal_append(store, 4, "10,11", OK, "", i);
		test_journal_append(store, 4, "", OK, "", i);
		test_assert_strcmp(test_file_read(test_home_path(TEST_JOURNAL)),
				   TEST_HEADER(4) TEST_LINE(7) TEST_LINE(9)
				   TEST_LINE(8) TEST_LINE(10) TEST_LINE(11));
		test_assert_strcmp(test_journal_read(store, 4),
				   "3 4 5 0: 7=u7 9=u9 8=u8 10=u10 11=u11");
		test_assert_strcmp(test_journal_read(store, 0),
				   "3 4 5 0: 7=u7 9=u9 8=u8 10=u10 11=u11");
		test_assert(policy_journal_exists(store, 4, &error) == 1);
		test_assert(policy_journal_exists(store, 0, &error) == 1);
		test_assert(policy_journal_exists(store, 3, &error) == 0);
		test_assert_strcmp(test_journal_read(store, 5), "none");
		if (test_store_begin(store, &state)) {
			test_assert_strcmp(test_journal_read(store, 4),
				"3 4 5 0: 7=u7 9=u9 8=u8 10=u10 11=u11");
			policy_store_rollback(store);
			policy_state_deinit(&state);
		}
		/* an empty one */
		test_journal_replace(store, 5, "");
		test_assert_strcmp(test_journal_read(store, 5), "3 5 0 0:");
		test_assert_strcmp(test_journal_read(store, 4), "none");
		end(&store);
	}
	umask(old_umask);
	test_end();
}

static void test_lines(void)
{
	static const struct {
		const char *lines, *expected;
	} tests[] = {
		{ "", "3 4 0 0:" },
		{ TEST_LINE(7) TEST_LINE(5), "3 4 2 0: 7=u7 5=u5" },
		/* what cannot be read is left out, and what follows is not */
		{ TEST_LINE(7) "\n" TEST_LINE(5), "3 4 3 1: 7=u7 5=u5" },
		{ "x\n[]\n{}\n" TEST_LINE(5), "3 4 4 3: 5=u5" },
		{ "{\"uid\":7,\"si" TEST_LINE(8) TEST_LINE(9),
		  "3 4 2 1: 9=u9" },
		{ TEST_HEADER(4) TEST_LINE(9), "3 4 2 1: 9=u9" },
		{ "{\"uid\":7,\"size\":1,\"uidl\":\"a b\"}\n" TEST_LINE(8),
		  "3 4 2 1: 8=u8" },
		{ "{\"uid\":7,\"uid\":7,\"size\":1,\"uidl\":\"u7\"}\n",
		  "3 4 1 1:" },
		/* a torn last line */
		{ TEST_LINE(7) "{\"uid\":8,\"size\":8,\"uidl\":\"u8\"}",
		  "3 4 1 0: 7=u7" },
		/* a later line for the same message */
		{ TEST_LINE(7) TEST_LINE(8)
		  "{\"uid\":7,\"size\":1,\"uidl\":\"new\"}\n",
		  "3 4 3 0: 7=new 8=u8" },
		{ TEST_LINE(7)
		  "{\"uid\":7,\"size\":1,\"uidl\":\"u7\",\"downloaded\":100}\n"
		  "{\"uid\":7,\"size\":1,\"uidl\":\"u7\",\"downloaded\":90}\n"
		  "{\"uid\":7,\"size\":1,\"uidl\":\"u7\",\"gone\":200}\n",
		  "3 4 4 0: 7=u7+100-200" },
		{ "{\"uid\":7,\"size\":1,\"uidl\":\"u7\",\"gone\":200}\n"
		  TEST_LINE(7), "3 4 2 0: 7=u7" },
		/* messages that are gone have no UID to be known by */
		{ "{\"size\":1,\"uidl\":\"a\",\"gone\":200}\n"
		  "{\"size\":1,\"uidl\":\"a\",\"gone\":200}\n"
		  TEST_LINE(7) "{\"size\":1,\"uidl\":\"b\",\"gone\":201}\n",
		  "3 4 4 0: 0=a-200 0=a-200 7=u7 0=b-201" },
		{ TEST_LINE(4294967295) TEST_LINE(1) TEST_LINE(4294967295),
		  "3 4 3 0: 4294967295=u4294967295 1=u1" },
	};
	unsigned int i;

	test_begin("journal: lines");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		assert_read(t_strconcat(TEST_HEADER(4), tests[i].lines, NULL),
			    4, tests[i].expected, i);
	}
	test_end();
}

/* All that is known of a message is news, but for the first download. */
static void test_merge(void)
{
	struct policy_store *store = begin();
	struct policy_journal *journal;
	const struct pop3_message *message;
	const char *error;
	int ret;

	test_begin("journal: news of a message");
	test_file_write(test_home_path(TEST_JOURNAL), TEST_HEADER(4)
		"{\"uid\":7,\"size\":1,\"guid\":\"g\",\"hash\":\"h\","
		"\"uidl\":\"u\",\"downloaded\":100,\"gone\":200}\n"
		"{\"uid\":7,\"size\":2,\"guid\":\"g2\",\"uidl\":\"u2\"}\n");
	ret = policy_journal_read(store, 4, &journal, &error);
	test_assert(ret == 1);
	if (ret == 1) {
		test_assert(array_count(&journal->messages) == 1);
		message = array_front(&journal->messages);
		test_assert(message->uid == 7 && message->size == 2);
		test_assert_strcmp(message->guid, "g2");
		test_assert_strcmp(message->hash, "");
		test_assert_strcmp(message->uidl, "u2");
		test_assert(message->downloaded == 100 && message->gone == 0);
		policy_journal_free(&journal);
	}
	end(&store);
	test_end();
}

static void test_first_line(void)
{
	static const struct {
		const char *text;
		/* what is read of generation 4, and of any */
		const char *wanted, *any;
	} tests[] = {
		{ "", "none", "none" },
		{ "{\"version\":1,\"epoch\":3,\"generation\":4}", "none",
		  "none" },
		{ "\n", "none", "0 0 1 1:" },
		{ "x\n" TEST_LINE(7), "none", "0 0 2 1: 7=u7" },
		{ TEST_LINE(7) TEST_LINE(8), "none", "0 0 2 0: 7=u7 8=u8" },
		{ "{\"version\":1,\"epoch\":3,\"gen" TEST_LINE(7) TEST_LINE(8),
		  "none", "0 0 2 1: 8=u8" },
		{ "{\"version\":1,\"epoch\":3}\n" TEST_LINE(7), "none",
		  "0 0 2 1: 7=u7" },
		{ TEST_HEADER(5) TEST_LINE(7), "none", "3 5 1 0: 7=u7" },
		{ "{\"version\":1,\"epoch\":9,\"generation\":4,\"x\":1}\n"
		  TEST_LINE(7), "9 4 1 0: 7=u7", "9 4 1 0: 7=u7" },
	};
	unsigned int i;

	test_begin("journal: the first line");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		assert_read(tests[i].text, 4, tests[i].wanted, i);
		assert_read(tests[i].text, 0, tests[i].any, i);
	}
	test_end();
}

/* A line of that many octets without its line end, which are spaces most of
   them. */
static const char *long_line(unsigned int size)
{
	static const char *const message =
		"{\"uid\":6,\"size\":6,\"uidl\":\"u6\"}";
	string_t *line = t_str_new(size + 1);

	while (str_len(line) + strlen(message) < size)
		str_append_c(line, ' ');
	str_append(line, message);
	return str_c(line);
}

static void test_long_lines(void)
{
	static const struct {
		unsigned int size;
		bool damaged;
	} tests[] = {
		{ LONGEST_LINE - 1, FALSE },
		{ LONGEST_LINE, FALSE },
		{ LONGEST_LINE + 1, TRUE },
		{ 8191, TRUE },
		{ 8192, TRUE },
		{ 65535, TRUE },
		{ 65536, TRUE },
		{ 65537, TRUE },
		{ 300000, TRUE },
	};
	const char *line;
	unsigned int i;

	test_begin("journal: long lines");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		line = long_line(tests[i].size);
		assert_read(t_strconcat(TEST_HEADER(4) TEST_LINE(5), line, "\n"
					TEST_LINE(7), NULL), 4,
			    tests[i].damaged ? "3 4 3 1: 5=u5 7=u7" :
			    "3 4 3 0: 5=u5 6=u6 7=u7", i);
		/* torn */
		assert_read(t_strconcat(TEST_HEADER(4) TEST_LINE(5), line,
					NULL), 4, "3 4 1 0: 5=u5", i);
		/* in the place of the first one */
		line = t_strconcat(line, "\n" TEST_LINE(7), NULL);
		assert_read(line, 4, "none", i);
		assert_read(line, 0, tests[i].damaged ? "0 0 2 1: 7=u7" :
			    "0 0 2 0: 6=u6 7=u7", i);
	} T_END;
	test_end();
}

/* More than one buffer full. */
static void test_many(void)
{
	enum { COUNT = 5000 };
	struct policy_store *store = begin();
	struct policy_journal *journal;
	const struct pop3_message *message;
	string_t *uids = str_new(default_pool, COUNT * 6);
	const char *error;
	uint32_t uid;
	int ret;

	test_begin("journal: many messages");
	for (uid = 1; uid <= COUNT; uid++)
		str_printfa(uids, "%s%u", uid == 1 ? "" : ",", uid);
	test_journal_replace(store, 1, str_c(uids));
	test_journal_append(store, 1, str_c(uids), OK, "", 0);
	str_free(&uids);
	ret = policy_journal_read(store, 1, &journal, &error);
	test_assert(ret == 1);
	if (ret == 1) {
		test_assert(journal->lines == COUNT * 2);
		test_assert(journal->damaged == 0);
		test_assert(array_count(&journal->messages) == COUNT);
		uid = 0;
		array_foreach(&journal->messages, message) {
			uid++;
			test_assert_idx(message->uid == uid &&
					message->size == uid, uid);
		}
		policy_journal_free(&journal);
	}
	end(&store);
	test_end();
}

/* Returns what policy_journal_keep_copy() does. */
static int keep_copy(struct policy_store *store, const char **name_r)
{
	struct policy_state *state = NULL;
	const char *error = "";
	int ret = -2;

	if (policy_store_begin(store, &state, &error) == POLICY_STORE_OK) {
		ret = policy_journal_keep_copy(store, name_r, &error);
		policy_store_rollback(store);
	}
	policy_state_deinit(&state);
	return ret;
}

static void test_next_generation(void)
{
	test_begin("journal: next generation");
	test_assert(policy_journal_next_generation(0) == 1);
	test_assert(policy_journal_next_generation(1) == 2);
	test_assert(policy_journal_next_generation(UINT32_MAX - 1) ==
		    UINT32_MAX);
	/* 0 stands for none */
	test_assert(policy_journal_next_generation(UINT32_MAX) == 1);
	test_end();
}

static void test_keep_copy(void)
{
	static const char *const texts[] = {
		"", "nonsense", TEST_HEADER(4) TEST_LINE(5) "{\"uid\""
	};
	struct policy_store *store = begin();
	const char *name = "", *path;
	unsigned int i;

	test_begin("journal: a copy is kept");
	test_time = 1795561199; /* 2026-11-24 22:59:59 UTC */
	test_assert(keep_copy(store, &name) == 0);
	for (i = 0; i < N_ELEMENTS(texts); i++) {
		test_file_write(test_home_path(TEST_JOURNAL), texts[i]);
		test_assert_idx(keep_copy(store, &name) == 1, i);
		path = t_strconcat("pop3-policy/", name, NULL);
		test_assert_strcmp_idx(test_file_read(test_home_path(path)),
				       texts[i], i);
		test_assert_idx(test_file_mode(test_home_path(path)) == 0600,
				i);
		test_assert_strcmp_idx(
			test_file_read(test_home_path(TEST_JOURNAL)),
			texts[i], i);
	}
	test_assert_strcmp(name,
			   "messages.jsonl.corrupt-20261124T225959Z-3");
	test_time = 0;
	end(&store);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_none,
		test_write,
		test_lines,
		test_merge,
		test_first_line,
		test_long_lines,
		test_many,
		test_next_generation,
		test_keep_copy,
		NULL
	};
	return test_run(test_functions);
}
