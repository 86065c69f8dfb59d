/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "retention-text.h"

#define DAY (24 * 60 * 60)
#define M (1024ULL * 1024)
#define G (1024 * M)
#define UNTOUCHED 0xa5a5a5a5a5a5a5a5ULL

typedef int parse_number_t(const char *text, uint64_t *number_r,
			   const char **error_r);

struct good_test {
	const char *text;
	uint64_t number;
};

struct bad_test {
	const char *text, *error;
};

static const struct good_test good_times[] = {
	{ "forever", POP3_KEEP_FOREVER },
	{ " Forever\n", POP3_KEEP_FOREVER },
	{ "0", 0 },
	{ "0d", 0 },
	{ "1s", 1 },
	{ "12h", 12 * 60 * 60 },
	{ "14d", 14 * DAY },
	{ "\t14d ", 14 * DAY },
	{ "14 days", 14 * DAY },
	{ "90 days", 90 * DAY },
	{ "2 weeks", 14 * DAY },
	{ "2W", 14 * DAY },
	{ "30 mins", 30 * 60 },
	{ "49710d", 49710ULL * DAY },
	{ "4294967295s", 4294967295 },
};

static const struct bad_test bad_times[] = {
	{ "", "bad time \"\", expected forever, 0 or a whole number with a "
	  "unit such as 12h, 14d or 2 weeks, at the most 49710 days" },
	{ "14", "bad time \"14\"" },
	{ "d", "bad time \"d\"" },
	{ "-1d", "bad time \"-1d\"" },
	{ "+1d", "bad time \"+1d\"" },
	{ "1.5d", "bad time \"1.5d\"" },
	{ "14dd", "bad time \"14dd\"" },
	{ "14d 12h", "bad time \"14d 12h\"" },
	{ "6 months", "bad time \"6 months\"" },
	{ "1y", "bad time \"1y\"" },
	{ "for ever", "bad time \"for ever\"" },
	{ "unlimited", "bad time \"unlimited\"" },
	{ "forever 14d", "bad time \"forever 14d\"" },
	{ "49711d", "bad time \"49711d\"" },
	{ "4294967296s", "bad time \"4294967296s\"" },
	{ "18446744073709551616s", "bad time" },
	{ "%s%n", "bad time \"%s%n\"" },
};

static const struct good_test good_counts[] = {
	{ "", POP3_KEEP_UNLIMITED },
	{ " \t", POP3_KEEP_UNLIMITED },
	{ "unlimited", POP3_KEEP_UNLIMITED },
	{ " Unlimited ", POP3_KEEP_UNLIMITED },
	{ "1", 1 },
	{ "10000", 10000 },
	{ " 10000\n", 10000 },
	{ "007", 7 },
	{ "18446744073709551614", UINT64_MAX - 1 },
};

static const struct bad_test bad_counts[] = {
	{ "0", "bad number of messages \"0\", "
	  "expected unlimited or a whole number above 0" },
	{ "000", "bad number of messages \"000\"" },
	{ "-1", "bad number of messages \"-1\"" },
	{ "+1", "bad number of messages \"+1\"" },
	{ "1.5", "bad number of messages \"1.5\"" },
	{ "10k", "bad number of messages \"10k\"" },
	{ "10 000", "bad number of messages \"10 000\"" },
	{ "0x10", "bad number of messages \"0x10\"" },
	{ "18446744073709551616", "bad number of messages" },
	{ "forever", "bad number of messages \"forever\"" },
	{ "unlimited 5", "bad number of messages \"unlimited 5\"" },
	{ "%s%n", "bad number of messages \"%s%n\"" },
};

static const struct good_test good_sizes[] = {
	{ "", POP3_KEEP_UNLIMITED },
	{ " \t", POP3_KEEP_UNLIMITED },
	{ "unlimited", POP3_KEEP_UNLIMITED },
	{ " Unlimited ", POP3_KEEP_UNLIMITED },
	{ "1", 1 },
	{ "1b", 1 },
	{ "500M", 500 * M },
	{ "500 MB", 500 * M },
	{ " 2G ", 2 * G },
	{ "2g", 2 * G },
	{ "5T", 5 * 1024 * G },
	{ "18446744073709551614", UINT64_MAX - 1 },
};

static const struct bad_test bad_sizes[] = {
	{ "0", "bad size \"0\", expected unlimited or a whole number above 0, "
	  "followed by b, k, M, G or T" },
	{ "0M", "bad size \"0M\"" },
	{ "M", "bad size \"M\"" },
	{ "-1M", "bad size \"-1M\"" },
	{ "1.5G", "bad size \"1.5G\"" },
	{ "500P", "bad size \"500P\"" },
	{ "500M 2G", "bad size \"500M 2G\"" },
	{ "50%", "bad size \"50%\"" },
	{ "16777216T", "bad size \"16777216T\"" },
	{ "18446744073709551616", "bad size" },
	{ "forever", "bad size \"forever\"" },
	{ "%s%n", "bad size \"%s%n\"" },
};

static void
test_good(parse_number_t *parse, const struct good_test *tests,
	  unsigned int count)
{
	const char *error;
	uint64_t number;
	unsigned int i;

	for (i = 0; i < count; i++) {
		number = UNTOUCHED;
		test_assert_idx(parse(tests[i].text, &number, &error) == 0, i);
		test_assert_idx(number == tests[i].number, i);
	}
}

static void
test_bad(parse_number_t *parse, const struct bad_test *tests,
	 unsigned int count)
{
	const char *error;
	uint64_t number = UNTOUCHED;
	unsigned int i;

	for (i = 0; i < count; i++) {
		error = "";
		test_assert_idx(parse(tests[i].text, &number, &error) == -1, i);
		test_assert_idx(strstr(error, tests[i].error) == error, i);
		test_assert_idx(strstr(error, ", expected ") != NULL, i);
		test_assert_idx(number == UNTOUCHED, i);
	}
}

static void test_numbers(void)
{
	test_begin("retention text: times");
	test_good(pop3_keep_time_parse, good_times, N_ELEMENTS(good_times));
	test_bad(pop3_keep_time_parse, bad_times, N_ELEMENTS(bad_times));
	test_end();

	test_begin("retention text: numbers of messages");
	test_good(pop3_keep_count_parse, good_counts, N_ELEMENTS(good_counts));
	test_bad(pop3_keep_count_parse, bad_counts, N_ELEMENTS(bad_counts));
	test_end();

	test_begin("retention text: sizes");
	test_good(pop3_keep_size_parse, good_sizes, N_ELEMENTS(good_sizes));
	test_bad(pop3_keep_size_parse, bad_sizes, N_ELEMENTS(bad_sizes));
	test_end();
}

static void test_action(void)
{
	static const struct {
		const char *text, *mailbox;
	} tests[] = {
		{ "expunge", NULL },
		{ " Expunge\n", NULL },
		{ "move Trash", "Trash" },
		{ " MOVE \t Trash ", "Trash" },
		{ "move Old mail/POP3  2026", "Old mail/POP3  2026" },
		{ "move expunge", "expunge" },
		{ "move INBOX/Old", "INBOX/Old" },
		{ "move INBOX2", "INBOX2" },
		{ "move \xc3\x84ltere", "\xc3\x84ltere" },
		{ "move ~", "~" },
	};
	const char *mailbox, *error;
	unsigned int i;

	test_begin("retention text: actions");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		mailbox = "untouched";
		test_assert_idx(pop3_expire_action_parse(tests[i].text,
						&mailbox, &error) == 0, i);
		test_assert_idx(null_strcmp(mailbox, tests[i].mailbox) == 0, i);
	}
	test_end();
}

static void test_action_errors(void)
{
	static const struct bad_test tests[] = {
		{ "", "unknown action \"\", expected expunge or move MAILBOX" },
		{ "delete", "unknown action \"delete\"" },
		{ "expunge Trash", "unknown action \"expunge Trash\"" },
		{ "moveTrash", "unknown action \"moveTrash\"" },
		{ "moved Trash", "unknown action \"moved Trash\"" },
		{ "mov Trash", "unknown action \"mov Trash\"" },
		{ "Trash", "unknown action \"Trash\"" },
		{ "%s%n", "unknown action \"%s%n\"" },
		{ "move", "no mailbox after \"move\", expected one" },
		{ "move \t", "no mailbox after \"move\"" },
		{ "move INBOX", "messages cannot move to INBOX" },
		{ "move  inBox ", "messages cannot move to INBOX" },
		{ "move \xc4ltere", "the mailbox after \"move\" has no "
		  "valid name, expected UTF-8 without control characters" },
		{ "move a\nb", "the mailbox after \"move\" has" },
		{ "move a\tb", "the mailbox after \"move\" has" },
		{ "move a\x1f" "b", "the mailbox after \"move\" has" },
		{ "move a\x7f" "b", "the mailbox after \"move\" has" },
	};
	const char *mailbox = "untouched", *error;
	unsigned int i;

	test_begin("retention text: errors in actions");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		error = "";
		test_assert_idx(pop3_expire_action_parse(tests[i].text,
						&mailbox, &error) == -1, i);
		test_assert_idx(strstr(error, tests[i].error) == error, i);
		test_assert_idx(strstr(error, ", expected ") != NULL, i);
		test_assert_idx(strcmp(mailbox, "untouched") == 0, i);
	}
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_numbers,
		test_action,
		test_action_errors,
		NULL
	};
	return test_run(test_functions);
}
