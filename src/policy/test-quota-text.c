/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "quota-text.h"

#include <stdlib.h>
#include <time.h>

#define K 1024ULL
#define M (1024 * K)
#define G (1024 * M)
#define T (1024 * G)

#define NONE { { 0, 0 } }

static const struct {
	const char *text;
	struct pop3_quota_limits limits;
} good_tests[] = {
	{ "", { { NONE, NONE, NONE, NONE } } },
	{ "  \t\n ", { { NONE, NONE, NONE, NONE } } },
	{ "unlimited", { { NONE, NONE, NONE, NONE } } },
	{ " Unlimited ", { { NONE, NONE, NONE, NONE } } },
	{ "500M/day 10000msg/day 5G/month",
	  { { NONE, { { 500 * M, 10000 } }, NONE, { { 5 * G, 0 } } } } },
	{ "1b/hour 2k/day 3M/week 4G/month",
	  { { { { 1, 0 } }, { { 2 * K, 0 } }, { { 3 * M, 0 } },
	      { { 4 * G, 0 } } } } },
	{ "5T/week", { { NONE, NONE, { { 5 * T, 0 } }, NONE } } },
	{ "1B/HOUR\t2K/Day", { { { { 1, 0 } }, { { 2 * K, 0 } }, NONE, NONE } } },
	{ "7MSG/hour", { { { { 0, 7 } }, NONE, NONE, NONE } } },
	{ "007msg/hour", { { { { 0, 7 } }, NONE, NONE, NONE } } },
	/* the smaller one of two counts, in any order */
	{ "5M/day 4M/day 6M/day", { { NONE, { { 4 * M, 0 } }, NONE, NONE } } },
	{ "18446744073709551615msg/day",
	  { { NONE, { { 0, UINT64_MAX } }, NONE, NONE } } },
	{ "18446744073709551615b/day",
	  { { NONE, { { UINT64_MAX, 0 } }, NONE, NONE } } },
};

static void test_limits_parse(void)
{
	struct pop3_quota_limits limits;
	const char *error;
	unsigned int i;

	test_begin("quota text: limits");
	for (i = 0; i < N_ELEMENTS(good_tests); i++) {
		memset(&limits, 0xff, sizeof(limits));
		test_assert_idx(pop3_quota_limits_parse(good_tests[i].text,
						&limits, &error) == 0, i);
		test_assert_idx(memcmp(&limits, &good_tests[i].limits,
				       sizeof(limits)) == 0, i);
	}
	test_end();
}

static const struct {
	const char *text, *error;
} bad_tests[] = {
	{ "500M", "no window in \"500M\", expected AMOUNT/WINDOW" },
	{ "5M/day x", "no window in \"x\"" },
	{ "500M/", "unknown window \"\" in \"500M/\", "
	  "expected hour, day, week or month" },
	{ "500M/dya", "unknown window \"dya\" in \"500M/dya\"" },
	{ "500M/day/week", "unknown window \"day/week\"" },
	{ "500M/days", "unknown window \"days\"" },
	{ "/day", "bad amount \"\" in \"/day\", expected a whole number" },
	{ "0M/day", "bad amount \"0M\"" },
	{ "0msg/day", "bad amount \"0msg\"" },
	{ "500/day", "bad amount \"500\"" },
	{ "M/day", "bad amount \"M\"" },
	{ "-1M/day", "bad amount \"-1M\"" },
	{ "+1M/day", "bad amount \"+1M\"" },
	{ "1.5G/day", "bad amount \"1.5G\"" },
	{ "1,5G/day", "bad amount \"1,5G\"" },
	{ "0x10M/day", "bad amount \"0x10M\"" },
	{ "500P/day", "bad amount \"500P\"" },
	{ "500MB/day", "bad amount \"500MB\"" },
	{ "5msgs/day", "bad amount \"5msgs\"" },
	{ "5 msg/day", "no window in \"5\"" },
	{ "5M /day", "no window in \"5M\"" },
	{ "5M/ day", "unknown window \"\"" },
	{ "18446744073709551616msg/day", "bad amount" },
	{ "16777216T/day", "bad amount \"16777216T\"" },
	{ "unlimited 5M/day", "\"unlimited\" stands beside limits" },
	{ "5M/day unlimited", "\"unlimited\" stands beside limits" },
	{ "none", "no window in \"none\"" },
	{ "%s%n/day", "bad amount \"%s%n\" in \"%s%n/day\"" },
};

static void test_limits_parse_errors(void)
{
	struct pop3_quota_limits limits, untouched;
	const char *error;
	unsigned int i;

	test_begin("quota text: errors");
	memset(&untouched, 0xa5, sizeof(untouched));
	limits = untouched;
	for (i = 0; i < N_ELEMENTS(bad_tests); i++) {
		error = "";
		test_assert_idx(pop3_quota_limits_parse(bad_tests[i].text,
						&limits, &error) == -1, i);
		test_assert_idx(strstr(error, bad_tests[i].error) != NULL, i);
		test_assert_idx(memcmp(&limits, &untouched,
				       sizeof(limits)) == 0, i);
	}
	test_end();
}

static void test_amounts(void)
{
	static const struct {
		enum pop3_quota_resource resource;
		uint64_t amount;
		const char *setting, *people;
	} tests[] = {
		{ POP3_QUOTA_BYTES, 1, "1b/day", "1 B" },
		{ POP3_QUOTA_BYTES, 1023, "1023b/day", "1023 B" },
		{ POP3_QUOTA_BYTES, 1024, "1k/day", "1 kB" },
		{ POP3_QUOTA_BYTES, 1025, "1025b/day", "1 kB" },
		{ POP3_QUOTA_BYTES, 500 * M, "500M/day", "500 MB" },
		{ POP3_QUOTA_BYTES, 500 * M - 1, "524287999b/day", "499 MB" },
		{ POP3_QUOTA_BYTES, 5 * G, "5G/day", "5 GB" },
		{ POP3_QUOTA_BYTES, 1536 * M, "1536M/day", "1 GB" },
		{ POP3_QUOTA_BYTES, 5000 * T, "5000T/day", "5000 TB" },
		{ POP3_QUOTA_MESSAGES, 1, "1msg/day", "1 message" },
		{ POP3_QUOTA_MESSAGES, 2048, "2048msg/day", "2048 messages" },
	};
	unsigned int i;

	test_begin("quota text: amounts");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		test_assert_strcmp_idx(
			pop3_quota_limit_to_text(POP3_QUOTA_WINDOW_DAY,
				tests[i].resource, tests[i].amount),
			tests[i].setting, i);
		test_assert_strcmp_idx(
			pop3_quota_amount_to_text(tests[i].resource,
						  tests[i].amount),
			tests[i].people, i);
	}
	test_end();
}

static void test_denial(void)
{
	struct pop3_quota_denial denial = {
		.window = POP3_QUOTA_WINDOW_DAY,
		.resource = POP3_QUOTA_BYTES,
		.limit = 500 * M,
		.until = 1795561200, /* 2026-11-24 23:00 UTC */
	};

	test_begin("quota text: denial");
	if (setenv("TZ", "Europe/Berlin", 1) < 0)
		i_fatal("setenv() failed: %m");
	tzset();
	test_assert_strcmp(pop3_quota_denial_to_text(&denial),
		"[SYS/TEMP] Download quota used up (500 MB a day), "
		"try again after 2026-11-25 00:00 +0100");
	denial.left = 3 * M;
	test_assert_strcmp(pop3_quota_denial_to_text(&denial),
		"[SYS/TEMP] Message does not fit in the download quota "
		"(500 MB a day, 3 MB left), "
		"try again after 2026-11-25 00:00 +0100");
	denial.left = 0;
	denial.window = POP3_QUOTA_WINDOW_HOUR;
	denial.resource = POP3_QUOTA_MESSAGES;
	denial.limit = 1;
	test_assert_strcmp(pop3_quota_denial_to_text(&denial),
		"[SYS/TEMP] Download quota used up (1 message an hour), "
		"try again after 2026-11-25 00:00 +0100");
	test_end();
}

static void test_left(void)
{
	struct pop3_quota_limits limits;
	struct pop3_quota_counters counters;
	const char *error;

	test_begin("quota text: what is left");
	i_zero(&counters);
	test_assert(pop3_quota_limits_parse("5G/month 500M/day 50msg/day",
					    &limits, &error) == 0);
	counters.window[POP3_QUOTA_WINDOW_DAY].used.n[POP3_QUOTA_MESSAGES] = 60;
	counters.window[POP3_QUOTA_WINDOW_DAY].used.n[POP3_QUOTA_BYTES] = 1;
	test_assert_strcmp(pop3_quota_left_to_text(&limits, &counters),
			   "499M of 500M/day, 0 of 50msg/day, 5G of 5G/month");
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_limits_parse,
		test_limits_parse_errors,
		test_amounts,
		test_denial,
		test_left,
		NULL
	};
	return test_run(test_functions);
}
