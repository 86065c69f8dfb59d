/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "test-brief-use.h"

/* Epochs that have a brief, and what it says. */
static void test_round_trip(void)
{
	static const struct {
		const char *from, *to, *brief;
	} tests[] = {
		{ "1:100", "1:100", SIMPLE_BRIEF },
		{ "true", "false",
		  "3 1700000000 101 90 0 %08Xu%08Xv 1:100 "
		  "21 a.guid a.hash a.uidl" TIMES },
		{ "\"uidnext\":101,\"live\":90", "\"uidnext\":101,\"live\":0",
		  "3 1700000000 101 0 1 %08Xu%08Xv 1:100 "
		  "21 a.guid a.hash a.uidl" TIMES },
		{ "%08Xu%08Xv", "",
		  "3 1700000000 101 90 1 - 1:100 21 a.guid a.hash a.uidl"
		  TIMES },
		{ "%08Xu%08Xv", "--",
		  "3 1700000000 101 90 1 -- 1:100 21 a.guid a.hash a.uidl"
		  TIMES },
		/* one UID that was told below the next one */
		{ "\"uidvalidity\":11,\"below\":12",
		  "\"uidvalidity\":1700000000,\"below\":101", SIMPLE_BRIEF },
		{ "\"uidvalidity\":11,\"below\":12",
		  "\"uidvalidity\":0,\"below\":101", SIMPLE_BRIEF },
		/* of another mailbox it does not matter */
		{ "\"uidvalidity\":11,\"below\":12",
		  "\"uidvalidity\":11,\"below\":4294967295", SIMPLE_BRIEF },
		{ "[" TOLD_TEXT "]", "[]", SIMPLE_BRIEF },
		{ "[" ANCHOR_TEXT "," ANCHOR2_TEXT "]", "[]",
		  "3 1700000000 101 90 1 %08Xu%08Xv 1:100" TIMES },
		{ ANCHOR_TEXT ",", "",
		  "3 1700000000 101 90 1 %08Xu%08Xv 1:100 22 - - b.uidl"
		  TIMES },
		{ ANCHOR_TEXT ",", "{\"uid\":23},",
		  "3 1700000000 101 90 1 %08Xu%08Xv 1:100 23 - - -" TIMES },
		/* words of an older message are not in it */
		{ "b.uidl", "b\\\"\\\\uidl", SIMPLE_BRIEF },
		/* each time is in its place */
		{ "1600000001", "9223372036854775807", SIMPLE_WORDS
		  " 9223372036854775807 1600000002 1600000003 1600000004 "
		  "1600000005" LISTED },
		{ "\"oldest_downloaded\":1600000002,", "", SIMPLE_WORDS
		  " 1600000001 0 1600000003 1600000004 1600000005" LISTED },
		{ "\"oldest_undownloaded\":1600000003,", "", SIMPLE_WORDS
		  " 1600000001 1600000002 0 1600000004 1600000005" LISTED },
		{ "1600000004", "4294967296", SIMPLE_WORDS
		  " 1600000001 1600000002 1600000003 4294967296 1600000005" LISTED },
		{ "1600000005", "0", SIMPLE_WORDS
		  " 1600000001 1600000002 1600000003 1600000004 0" LISTED },
		{ "\"retention\":" RETENTION_TEXT ",", "",
		  SIMPLE_WORDS " 0 0 0 0 0" LISTED },
		{ "\"listed\":1650000000,", "", SIMPLE_WORDS
		  " 1600000001 1600000002 1600000003 1600000004 1600000005 "
		  "0 1234" },
		{ "1234", "4294967295", SIMPLE_WORDS
		  " 1600000001 1600000002 1600000003 1600000004 1600000005 "
		  "1650000000 4294967295" },
		{ "\"uidnext\":101,\"live\":90", "\"uidnext\":4294967295,"
		  "\"live\":4294967294", "none" },
	};
	struct policy_state *state;
	const char *text;
	unsigned int i;

	test_begin("brief: print and parse");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		state = parse(replace(SIMPLE_TEXT, tests[i].from,
				      tests[i].to));
		text = print(state);
		test_assert_strcmp_idx(brief_of(text), tests[i].brief, i);
		policy_state_deinit(&state);
	} T_END;
	text = rewrite(replace(replace(SIMPLE_TEXT, "\"uidnext\":101",
				       "\"uidnext\":1"),
			       "\"recorded\":\"1:100\",", ""));
	test_assert_strcmp(brief_of(text), "3 1700000000 1 90 1 %08Xu%08Xv - "
			   "21 a.guid a.hash a.uidl" TIMES);
	text = rewrite(replace(replace(SIMPLE_TEXT, "\"uidnext\":101",
				       "\"uidnext\":4294967295"),
			       "1:100", "1:4294967294"));
	test_assert_strcmp(brief_of(text), "3 1700000000 4294967295 90 1 "
		"%08Xu%08Xv 1:4294967294 21 a.guid a.hash a.uidl" TIMES);
	test_end();
}

/* What a poll would get wrong, or could not be read again. */
static void test_not_simple(void)
{
	static const struct {
		const char *from, *to;
	} tests[] = {
		/* UIDLs that are stored */
		{ "\"recorded\":\"1:100\",",
		  "\"recorded\":\"1:100\",\"stored\":\"7\"," },
		{ "\"recorded\":\"1:100\",",
		  "\"recorded\":\"1:100\",\"stored\":\"4294967295\"," },
		/* not all is recorded, or more */
		{ "\"recorded\":\"1:100\",", "" },
		{ "1:100", "1:99" },
		{ "1:100", "1:101" },
		{ "1:100", "2:100" },
		{ "1:100", "1:50,52:100" },
		{ "1:100", "1:100,102" },
		{ "\"uidnext\":101", "\"uidnext\":102" },
		{ "\"uidnext\":101", "\"uidnext\":100" },
		/* UIDs that were told, but are not there */
		{ TOLD_TEXT, "{\"uidvalidity\":1700000000,\"below\":102}" },
		{ TOLD_TEXT, "{\"uidvalidity\":0,\"below\":102}" },
		{ TOLD_TEXT, TOLD_TEXT ",{\"uidvalidity\":0,\"below\":102}" },
		{ TOLD_TEXT, "{\"uidvalidity\":0,\"below\":102}," TOLD_TEXT },
		/* words that JSON would quote, or that are not one word */
		{ "%08Xu%08Xv", "%u\\\"" },
		{ "%08Xu%08Xv", "%u\\\\" },
		{ "%08Xu%08Xv", "%u %v" },
		{ "%08Xu%08Xv", "%u\\n" },
		{ "%08Xu%08Xv", "%u\\u0001" },
		{ "%08Xu%08Xv", "%u\\u007f" },
		{ "%08Xu%08Xv", "%u\xc3\xa4" },
		{ "%08Xu%08Xv", " " },
		{ "%08Xu%08Xv", "-" },
		{ "a.guid", "\\\"" },
		{ "a.guid", "\\\\" },
		{ "a.guid", "-" },
		{ "a.hash", "a\\\"hash" },
		{ "a.hash", "-" },
		{ "a.uidl", "a\\\\uidl" },
		{ "a.uidl", "-" },
	};
	const char *text;
	unsigned int i;

	test_begin("brief: epochs that have none");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		text = rewrite(replace(SIMPLE_TEXT, tests[i].from,
				       tests[i].to));
		test_assert_idx(strstr(text, "brief") == NULL, i);
		test_assert_strcmp_idx(brief_of(text), "none", i);
		/* and that it can be read again */
		test_assert_strcmp_idx(rewrite(text), text, i);
	} T_END;
	text = rewrite("{\"version\":1}");
	test_assert(strstr(text, "brief") == NULL);
	test_assert_strcmp(brief_of(text), "none");
	test_end();
}

/* A version before this one wrote no times. */
static void test_older(void)
{
	const char *text, *old;
	struct policy_state *state;

	test_begin("brief: without times");
	text = rewrite(replace(SIMPLE_TEXT,
			       "\"retention\":" RETENTION_TEXT ",", ""));
	test_assert_strcmp(brief_of(text), SIMPLE_WORDS " 0 0 0 0 0" LISTED);
	old = sign(replace(text + strlen(BEGIN"01234567 "), " 0 0 0 0 0" LISTED "\",",
			   "\","));
	test_assert_strcmp(brief_of(old), "none");
	state = parse(old);
	test_assert_strcmp(epoch_text(policy_state_epoch(state)),
			   SIMPLE_WORDS " 0 0 0 0 0" LISTED);
	policy_state_deinit(&state);
	test_assert_strcmp(rewrite(old), text);
	test_end();
}

/* The brief is made anew, whoever wrote the one before. */
static void test_rest(void)
{
	static const char *const members[] = {
		"7", "\"\"", "{\"brief\":7}", "[\"brief\"]", "null",
	};
	string_t *twice = t_str_new(4096);
	const char *text = rewrite(SIMPLE_TEXT), *from;
	struct policy_state *state;
	unsigned int i;

	test_begin("brief: the rest of the text");
	test_assert_strcmp(rewrite(text), text);
	/* without it, it is the same */
	from = strchr(text + strlen(BEGIN), '"') + strlen("\",");
	test_assert_strcmp(rewrite(t_strconcat("{", from, NULL)), text);
	for (i = 0; i < N_ELEMENTS(members); i++) {
		test_assert_strcmp_idx(rewrite(replace(SIMPLE_TEXT,
			"{\"version\":1", t_strdup_printf("{\"brief\":%s,"
				"\"version\":1", members[i]))), text, i);
	}
	/* it goes when the epoch is not simple any more */
	test_assert(strstr(rewrite(replace(text, "1:100", "1:99")),
			   "brief") == NULL);

	/* the text may begin behind another one */
	state = parse(SIMPLE_TEXT);
	policy_state_print(state, twice);
	policy_state_print(state, twice);
	policy_state_deinit(&state);
	test_assert_strcmp(str_c(twice), t_strconcat(text, text, NULL));
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_round_trip,
		test_not_simple,
		test_older,
		test_rest,
		NULL
	};
	return test_run(test_functions);
}
