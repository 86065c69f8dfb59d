/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "test-common.h"
#include "retention.h"

#include <limits.h>

#define FOREVER POP3_KEEP_FOREVER
#define ANY POP3_KEEP_UNLIMITED
#define DAY (24 * 60 * 60)
#define NOW ((time_t)1700000000)
/* 64 or 32 bits */
#define TIME_MAX \
	((time_t)((UINT64_C(1) << (sizeof(time_t) * CHAR_BIT - 1)) - 1))

#define STAYS POP3_RETENTION_NONE
#define DOWNLOADED POP3_RETENTION_DOWNLOADED
#define UNDOWNLOADED POP3_RETENTION_UNDOWNLOADED
#define MAX_MESSAGES POP3_RETENTION_MAX_MESSAGES
#define MAX_BYTES POP3_RETENTION_MAX_BYTES

static const struct time_test {
	uint64_t keep_downloaded, keep_undownloaded;
	time_t delivered, downloaded;
	time_t due, now;
	enum pop3_retention_rule rule;
	bool exempt;
} time_tests[] = {
	/* due in a second, now, since a second */
	{ 14 * DAY, FOREVER, 0, NOW - 14 * DAY + 1,
	  NOW + 1, NOW, STAYS, FALSE },
	{ 14 * DAY, FOREVER, 0, NOW - 14 * DAY, NOW, NOW, DOWNLOADED, FALSE },
	{ 14 * DAY, FOREVER, 0, NOW - 14 * DAY - 1,
	  NOW - 1, NOW, DOWNLOADED, FALSE },
	{ FOREVER, 90 * DAY, NOW - 90 * DAY + 1, 0,
	  NOW + 1, NOW, STAYS, FALSE },
	{ FOREVER, 90 * DAY, NOW - 90 * DAY, 0, NOW, NOW, UNDOWNLOADED, FALSE },
	{ FOREVER, 90 * DAY, NOW - 90 * DAY - 1, 0,
	  NOW - 1, NOW, UNDOWNLOADED, FALSE },
	/* at once */
	{ 0, FOREVER, 0, NOW, NOW, NOW, DOWNLOADED, FALSE },
	{ 0, FOREVER, NOW, 0, 0, NOW, STAYS, FALSE },
	{ FOREVER, 0, NOW, 0, NOW, NOW, UNDOWNLOADED, FALSE },
	{ FOREVER, 0, NOW, NOW, 0, NOW, STAYS, FALSE },
	/* forever */
	{ FOREVER, FOREVER, 1, 0, 0, TIME_MAX, STAYS, FALSE },
	{ FOREVER, FOREVER, 1, 1, 0, TIME_MAX, STAYS, FALSE },
	/* each rule has its own time and its own messages */
	{ 14 * DAY, 90 * DAY, NOW - 91 * DAY, NOW - 13 * DAY,
	  NOW + DAY, NOW, STAYS, FALSE },
	{ 90 * DAY, 14 * DAY, NOW - 15 * DAY, NOW - 13 * DAY,
	  NOW + 77 * DAY, NOW, STAYS, FALSE },
	{ 14 * DAY, 90 * DAY, NOW - 15 * DAY, 0,
	  NOW + 75 * DAY, NOW, STAYS, FALSE },
	/* the delivery of a downloaded message need not be known or true */
	{ 14 * DAY, 90 * DAY, 0, NOW - 15 * DAY,
	  NOW - DAY, NOW, DOWNLOADED, FALSE },
	{ 14 * DAY, 90 * DAY, NOW + DAY, NOW - 15 * DAY,
	  NOW - DAY, NOW, DOWNLOADED, FALSE },
	/* exempt */
	{ 0, 0, NOW - DAY, NOW - DAY, 0, NOW, STAYS, TRUE },
	{ 0, 0, NOW - DAY, 0, 0, NOW, STAYS, TRUE },
	/* the clock was set back by a second, or by a year */
	{ 0, FOREVER, 0, NOW, NOW, NOW - 1, STAYS, FALSE },
	{ FOREVER, 0, NOW, 0, NOW, NOW - 1, STAYS, FALSE },
	{ 14 * DAY, FOREVER, 0, NOW,
	  NOW + 14 * DAY, NOW - 365 * DAY, STAYS, FALSE },
	{ 14 * DAY, FOREVER, 0, NOW, NOW + 14 * DAY, 0, STAYS, FALSE },
	{ 14 * DAY, FOREVER, 0, NOW, NOW + 14 * DAY, -1, STAYS, FALSE },
	{ 0, 0, 1, 0, 1, 0, STAYS, FALSE },
	{ 0, 0, 1, 0, 1, 1, UNDOWNLOADED, FALSE },
	/* no time at all, or none that can be */
	{ 14 * DAY, 0, 0, 0, 0, NOW, STAYS, FALSE },
	{ 14 * DAY, 0, -1, 0, 0, NOW, STAYS, FALSE },
	{ 0, FOREVER, NOW, -1, 0, NOW, STAYS, FALSE },
	{ FOREVER, 0, NOW, -1, NOW, NOW, UNDOWNLOADED, FALSE },
	{ 0, 0, -5, -5, 0, -5, STAYS, FALSE },
	/* sums at the end of time, and over it */
	{ FOREVER - 1, FOREVER, 0, 1, 0, TIME_MAX, STAYS, FALSE },
	{ FOREVER - 1, FOREVER, 0, TIME_MAX, 0, TIME_MAX, STAYS, FALSE },
	{ FOREVER, FOREVER - 1, 2, 0, 0, TIME_MAX, STAYS, FALSE },
	{ (uint64_t)TIME_MAX, FOREVER, 0, 1, 0, TIME_MAX, STAYS, FALSE },
	{ (uint64_t)TIME_MAX - 1, FOREVER, 0, 1,
	  TIME_MAX, TIME_MAX, DOWNLOADED, FALSE },
	{ (uint64_t)TIME_MAX - 1, FOREVER, 0, 1,
	  TIME_MAX, TIME_MAX - 1, STAYS, FALSE },
	{ 1, FOREVER, 0, TIME_MAX, 0, TIME_MAX, STAYS, FALSE },
	{ 0, FOREVER, 0, TIME_MAX, TIME_MAX, TIME_MAX, DOWNLOADED, FALSE },
	{ UINT64_C(1) << 63, FOREVER, 0, NOW, 0, NOW, STAYS, FALSE },
};

static void
judge(const struct pop3_retention_rules *rules,
      struct pop3_retention_message *messages, unsigned int count, time_t now)
{
	ARRAY_TYPE(pop3_retention_message) array;

	t_array_init(&array, 8);
	array_append(&array, messages, count);
	pop3_retention_judge(rules, &array, now);
	if (count > 0) {
		memcpy(messages, array_front(&array),
		       count * sizeof(*messages));
	}
}

static void test_time(void)
{
	const struct time_test *test;
	struct pop3_retention_rules rules;
	struct pop3_retention_message message;
	unsigned int i;

	test_begin("retention: time");
	for (i = 0; i < N_ELEMENTS(time_tests); i++) {
		test = &time_tests[i];
		i_zero(&rules);
		rules.keep_downloaded = test->keep_downloaded;
		rules.keep_undownloaded = test->keep_undownloaded;
		rules.max_messages = rules.max_bytes = ANY;
		i_zero(&message);
		message.uid = 1;
		message.size = UINT64_MAX;
		message.delivered = test->delivered;
		message.downloaded = test->downloaded;
		message.exempt = test->exempt;
		message.rule = MAX_BYTES;
		test_assert_idx(pop3_retention_due(&rules, &message) ==
				test->due, i);
		judge(&rules, &message, 1, test->now);
		test_assert_idx(message.rule == test->rule, i);
	}
	test_end();
}

static const struct {
	uint64_t keep_downloaded, keep_undownloaded;
	struct pop3_retention_message message;
	time_t due;
} perhaps_tests[] = {
	/* whichever is later */
	{ 14 * DAY, 90 * DAY, { .delivered = NOW - 90 * DAY,
				.perhaps_downloaded = NOW - 13 * DAY },
	  NOW + DAY },
	{ 14 * DAY, 90 * DAY, { .delivered = NOW - 89 * DAY,
				.perhaps_downloaded = NOW - 14 * DAY },
	  NOW + DAY },
	{ 0, 90 * DAY, { .delivered = NOW - 90 * DAY,
			 .perhaps_downloaded = 1 }, NOW },
	/* never */
	{ FOREVER, 1, { .delivered = 1, .perhaps_downloaded = 1 }, 0 },
	{ 1, FOREVER, { .delivered = 1, .perhaps_downloaded = 1 }, 0 },
	{ 0, 0, { .delivered = 0, .perhaps_downloaded = 1 }, 0 },
	{ 0, 0, { .delivered = 1, .perhaps_downloaded = 1,
		  .exempt = TRUE }, 0 },
	/* it is known after all */
	{ 14 * DAY, 0, { .delivered = 1, .downloaded = NOW - 14 * DAY,
			 .perhaps_downloaded = TIME_MAX }, NOW },
};

static void test_perhaps_downloaded(void)
{
	struct pop3_retention_rules rules = {
		.max_messages = 0, .max_bytes = 0
	};
	struct pop3_retention_message message;
	enum pop3_retention_rule rule;
	unsigned int i;

	test_begin("retention: messages that were perhaps downloaded");
	for (i = 0; i < N_ELEMENTS(perhaps_tests); i++) {
		rules.keep_downloaded = perhaps_tests[i].keep_downloaded;
		rules.keep_undownloaded = perhaps_tests[i].keep_undownloaded;
		message = perhaps_tests[i].message;
		test_assert_idx(pop3_retention_due(&rules, &message) ==
				perhaps_tests[i].due, i);
		/* not taken as too many, either */
		rule = perhaps_tests[i].due != NOW ? STAYS :
			message.downloaded != 0 ? DOWNLOADED : UNDOWNLOADED;
		judge(&rules, &message, 1, NOW);
		test_assert_idx(message.rule == rule, i);
	}
	test_end();
}

#define MAX_TEST_MESSAGES 5

static const struct maximum_test {
	uint64_t max_messages, max_bytes;
	/* uid 0 is no message */
	struct {
		uint32_t uid;
		uint64_t size;
		/* seconds before now, below -1 after it; -1 for none */
		int downloaded;
		bool exempt;
		enum pop3_retention_rule rule;
	} messages[MAX_TEST_MESSAGES];
} maximum_tests[] = {
	/* room for more, for exactly these, for one less, for none */
	{ 4, ANY, { { 1, 9, 3, FALSE, STAYS }, { 2, 9, 2, FALSE, STAYS },
		    { 3, 9, 1, FALSE, STAYS } } },
	{ 3, ANY, { { 1, 9, 3, FALSE, STAYS }, { 2, 9, 2, FALSE, STAYS },
		    { 3, 9, 1, FALSE, STAYS } } },
	{ 2, ANY, { { 1, 9, 3, FALSE, MAX_MESSAGES }, { 2, 9, 2, FALSE, STAYS },
		    { 3, 9, 1, FALSE, STAYS } } },
	{ 0, ANY, { { 1, 9, 3, FALSE, MAX_MESSAGES },
		    { 2, 9, 2, FALSE, MAX_MESSAGES },
		    { 3, 9, 0, FALSE, MAX_MESSAGES } } },
	{ ANY, 28, { { 1, 9, 3, FALSE, STAYS }, { 2, 9, 2, FALSE, STAYS },
		     { 3, 9, 1, FALSE, STAYS } } },
	{ ANY, 27, { { 1, 9, 3, FALSE, STAYS }, { 2, 9, 2, FALSE, STAYS },
		     { 3, 9, 1, FALSE, STAYS } } },
	{ ANY, 26, { { 1, 9, 3, FALSE, MAX_BYTES }, { 2, 9, 2, FALSE, STAYS },
		     { 3, 9, 1, FALSE, STAYS } } },
	{ ANY, 18, { { 1, 9, 3, FALSE, MAX_BYTES }, { 2, 9, 2, FALSE, STAYS },
		     { 3, 9, 1, FALSE, STAYS } } },
	{ ANY, 17, { { 1, 9, 3, FALSE, MAX_BYTES },
		     { 2, 9, 2, FALSE, MAX_BYTES },
		     { 3, 9, 1, FALSE, STAYS } } },
	{ ANY, 0, { { 1, 9, 3, FALSE, MAX_BYTES },
		    { 2, 9, 2, FALSE, MAX_BYTES },
		    { 3, 9, 0, FALSE, MAX_BYTES } } },
	/* the first download goes first, not the first UID; then the UID */
	{ 2, ANY, { { 1, 9, 1, FALSE, STAYS }, { 2, 9, 2, FALSE, STAYS },
		    { 3, 9, 3, FALSE, MAX_MESSAGES } } },
	{ 1, ANY, { { 3, 9, 5, FALSE, STAYS },
		    { 1, 9, 5, FALSE, MAX_MESSAGES },
		    { 2, 9, 5, FALSE, MAX_MESSAGES } } },
	{ ANY, 9, { { UINT32_MAX, 9, 5, FALSE, STAYS },
		    { 1, 9, 5, FALSE, MAX_BYTES },
		    { 0x80000000U, 9, 5, FALSE, MAX_BYTES } } },
	/* a large message goes for its place, not for its size */
	{ ANY, 100, { { 1, 1, 3, FALSE, MAX_BYTES },
		      { 2, 90, 2, FALSE, MAX_BYTES },
		      { 3, 20, 1, FALSE, STAYS } } },
	{ ANY, 100, { { 1, 0, 3, FALSE, MAX_BYTES },
		      { 2, 101, 2, FALSE, MAX_BYTES },
		      { 3, 0, 1, FALSE, STAYS } } },
	{ ANY, 100, { { 1, 1, 3, FALSE, MAX_BYTES },
		      { 2, 1, 2, FALSE, MAX_BYTES },
		      { 3, 101, 1, FALSE, MAX_BYTES } } },
	{ ANY, 0, { { 1, 1, 3, FALSE, MAX_BYTES },
		    { 2, 0, 2, FALSE, STAYS } } },
	/* both: the number of messages is the first reason */
	{ 2, 10, { { 1, 9, 3, FALSE, MAX_MESSAGES },
		   { 2, 9, 2, FALSE, MAX_BYTES },
		   { 3, 9, 1, FALSE, STAYS } } },
	{ 1, 18, { { 1, 9, 3, FALSE, MAX_MESSAGES },
		   { 2, 9, 2, FALSE, MAX_MESSAGES },
		   { 3, 9, 1, FALSE, STAYS } } },
	/* exempt messages count, and stay */
	{ 2, ANY, { { 1, 9, 3, TRUE, STAYS }, { 2, 9, 2, FALSE, MAX_MESSAGES },
		    { 3, 9, 1, FALSE, STAYS } } },
	{ ANY, 17, { { 1, 9, 3, TRUE, STAYS }, { 2, 9, 2, FALSE, MAX_BYTES },
		     { 3, 8, 1, FALSE, STAYS } } },
	{ 1, 10, { { 1, 9, 3, TRUE, STAYS }, { 2, 9, 2, FALSE, MAX_MESSAGES },
		   { 3, 9, -1, TRUE, STAYS } } },
	{ 0, 0, { { 1, 9, 3, TRUE, STAYS }, { 2, 9, -1, TRUE, STAYS } } },
	/* so does what was never downloaded, and what comes from the future */
	{ 2, ANY, { { 1, 9, -1, FALSE, STAYS },
		    { 2, 9, 2, FALSE, MAX_MESSAGES },
		    { 3, 9, 1, FALSE, STAYS } } },
	{ 0, ANY, { { 1, 9, -1, FALSE, STAYS },
		    { 2, 9, 2, FALSE, MAX_MESSAGES } } },
	{ 0, 0, { { 1, 9, -1, FALSE, STAYS }, { 2, 9, -1, FALSE, STAYS } } },
	{ 1, ANY, { { 1, 9, -100, FALSE, STAYS },
		    { 2, 9, 2, FALSE, MAX_MESSAGES } } },
	{ 0, 0, { { 1, 9, -2, FALSE, STAYS }, { 2, 9, -100, FALSE, STAYS } } },
	{ ANY, 9, { { 1, 9, -1, FALSE, STAYS }, { 2, 0, 2, FALSE, STAYS } } },
	{ ANY, 8, { { 1, 9, -1, FALSE, STAYS },
		    { 2, 0, 2, FALSE, MAX_BYTES } } },
	/* what time takes is gone already when the rest is counted */
	{ 2, 18, { { 1, 9, 1000, FALSE, DOWNLOADED },
		   { 2, 9, 2, FALSE, STAYS }, { 3, 9, 1, FALSE, STAYS } } },
	{ 1, ANY, { { 1, 9, 1000, FALSE, DOWNLOADED },
		    { 2, 9, 999, FALSE, MAX_MESSAGES },
		    { 3, 9, 1, FALSE, STAYS } } },
	/* sums of sizes over UINT64_MAX */
	{ ANY, 10, { { 1, UINT64_MAX, 3, FALSE, MAX_BYTES },
		     { 2, UINT64_MAX, 2, FALSE, MAX_BYTES },
		     { 3, 10, 1, FALSE, STAYS } } },
	{ ANY, 10, { { 1, UINT64_MAX, 3, FALSE, MAX_BYTES },
		     { 2, 1, 2, FALSE, STAYS } } },
	{ ANY, UINT64_MAX - 1, { { 1, 1, 3, FALSE, MAX_BYTES },
				 { 2, 1, 2, FALSE, STAYS },
				 { 3, UINT64_MAX - 2, 1, FALSE, STAYS } } },
	{ ANY, UINT64_MAX - 1, { { 1, UINT64_MAX, -1, FALSE, STAYS },
				 { 2, UINT64_MAX, 2, TRUE, STAYS },
				 { 3, 5, 2, FALSE, MAX_BYTES } } },
	{ ANY, UINT64_MAX - 1, { { 1, UINT64_MAX - 2, -1, FALSE, STAYS },
				 { 2, 1, 2, TRUE, STAYS },
				 { 3, 1, 2, FALSE, MAX_BYTES } } },
	{ ANY, UINT64_MAX - 1, { { 1, UINT64_MAX - 2, -1, FALSE, STAYS },
				 { 2, 1, 2, TRUE, STAYS },
				 { 3, 0, 2, FALSE, STAYS } } },
	{ ANY, ANY, { { 1, UINT64_MAX, 3, FALSE, STAYS },
		      { 2, UINT64_MAX, 2, FALSE, STAYS } } },
	/* nothing at all */
	{ 0, 0, { { 0, 0, 0, FALSE, STAYS } } },
	{ ANY, ANY, { { 0, 0, 0, FALSE, STAYS } } },
};

static void test_maximum(void)
{
	static const struct pop3_retention_rules time_rules = {
		.keep_downloaded = 1000, .keep_undownloaded = FOREVER
	};
	struct pop3_retention_message messages[MAX_TEST_MESSAGES];
	const struct maximum_test *test;
	struct pop3_retention_rules rules;
	unsigned int i, j, count;

	test_begin("retention: maxima");
	for (i = 0; i < N_ELEMENTS(maximum_tests); i++) {
		test = &maximum_tests[i];
		rules = time_rules;
		rules.max_messages = test->max_messages;
		rules.max_bytes = test->max_bytes;
		i_zero(&messages);
		for (count = 0; count < MAX_TEST_MESSAGES &&
		     test->messages[count].uid != 0; count++) {
			int before = test->messages[count].downloaded;

			messages[count].uid = test->messages[count].uid;
			messages[count].size = test->messages[count].size;
			messages[count].exempt = test->messages[count].exempt;
			messages[count].downloaded =
				before == -1 ? 0 : NOW - before;
			messages[count].rule = UNDOWNLOADED;
		}
		judge(&rules, messages, count, NOW);
		for (j = 0; j < count; j++) {
			test_assert_idx(messages[j].rule ==
					test->messages[j].rule, i * 100 + j);
		}
	}
	test_end();
}

static void test_forever(void)
{
	struct pop3_retention_rules rules = { FOREVER, FOREVER, ANY, ANY };
	uint64_t *const numbers[] = {
		&rules.keep_downloaded, &rules.keep_undownloaded,
		&rules.max_messages, &rules.max_bytes
	};
	unsigned int i;

	test_begin("retention: forever");
	test_assert(pop3_retention_is_forever(&rules));
	for (i = 0; i < N_ELEMENTS(numbers); i++) {
		*numbers[i] = UINT64_MAX - 1;
		test_assert_idx(!pop3_retention_is_forever(&rules), i);
		*numbers[i] = UINT64_MAX;
	}
	test_end();
}

static void test_rule_names(void)
{
	test_begin("retention: names of rules");
	test_assert_strcmp(pop3_retention_rule_name(DOWNLOADED), "downloaded");
	test_assert_strcmp(pop3_retention_rule_name(UNDOWNLOADED),
			   "undownloaded");
	test_assert_strcmp(pop3_retention_rule_name(MAX_MESSAGES),
			   "max_messages");
	test_assert_strcmp(pop3_retention_rule_name(MAX_BYTES), "max_size");
	test_end();
}

static void test_expire(void)
{
	static const struct {
		struct pop3_retention_rules rules;
		/* -1 is NEVER */
		int64_t days;
	} tests[] = {
		{ { FOREVER, FOREVER, ANY, ANY }, -1 },
		{ { 14 * DAY, FOREVER, ANY, ANY }, 14 },
		/* rounded down, so that nothing is promised that is not kept */
		{ { 14 * DAY - 1, FOREVER, ANY, ANY }, 13 },
		{ { 15 * DAY - 1, FOREVER, ANY, ANY }, 14 },
		{ { 2 * DAY, FOREVER, ANY, ANY }, 2 },
		{ { 2 * DAY - 1, FOREVER, ANY, ANY }, 1 },
		/* under a day */
		{ { DAY, FOREVER, ANY, ANY }, 1 },
		{ { DAY - 1, FOREVER, ANY, ANY }, 1 },
		{ { 1, FOREVER, ANY, ANY }, 1 },
		{ { FOREVER, 0, ANY, ANY }, 1 },
		{ { 14 * DAY, 1, ANY, ANY }, 1 },
		/* at the end of the session */
		{ { 0, FOREVER, ANY, ANY }, 0 },
		{ { 0, 90 * DAY, ANY, ANY }, 0 },
		{ { 0, 0, 1, 1 }, 0 },
		/* the shortest time of all */
		{ { 14 * DAY, 90 * DAY, ANY, ANY }, 14 },
		{ { 90 * DAY, 14 * DAY, ANY, ANY }, 14 },
		{ { FOREVER, 90 * DAY, ANY, ANY }, 90 },
		/* a maximum may take a message at any time */
		{ { FOREVER, FOREVER, 10000, ANY }, 1 },
		{ { FOREVER, FOREVER, ANY, 10000 }, 1 },
		{ { 14 * DAY, 90 * DAY, 10000, ANY }, 1 },
		{ { 14 * DAY, 90 * DAY, ANY, 10000 }, 1 },
		/* long times are not NEVER */
		{ { FOREVER - 1, FOREVER, ANY, ANY }, UINT_MAX },
		{ { (uint64_t)UINT_MAX * DAY, FOREVER, ANY, ANY }, UINT_MAX },
		{ { (uint64_t)UINT_MAX * DAY - 1, FOREVER, ANY, ANY },
		  UINT_MAX - 1 },
	};
	unsigned int i, days;
	bool ret;

	test_begin("retention: EXPIRE");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		days = 12345;
		ret = pop3_retention_expire_days(&tests[i].rules, &days);
		test_assert_idx(ret == (tests[i].days != -1), i);
		test_assert_idx(days == (ret ? tests[i].days : 12345), i);
	}
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_time,
		test_perhaps_downloaded,
		test_maximum,
		test_forever,
		test_rule_names,
		test_expire,
		NULL
	};
	return test_run(test_functions);
}
