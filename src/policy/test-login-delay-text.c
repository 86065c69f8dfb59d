/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "login-delay-text.h"

#define BAD UINT_MAX

static const struct {
	const char *text;
	unsigned int result;
} delays[] = {
	{ "0", 0 }, { "60s", 60 }, { "60 secs", 60 }, { "1 second", 1 },
	{ "5 mins", 300 }, { "5m", 300 }, { " 2 hours\t", 7200 },
	{ "24h", 86400 }, { "1 day", 86400 }, { "0s", 0 },
	{ "", BAD }, { "60", BAD }, { "-1s", BAD }, { "s", BAD },
	{ "1.5h", BAD }, { "60 parsecs", BAD }, { "60s 60s", BAD },
	{ "86401 secs", BAD }, { "2d", BAD }, { "1 week", BAD },
	{ "99999999999999999999s", BAD }, { "4294967297s", BAD },
	{ "none", BAD }, { "%s%n", BAD },
}, bursts[] = {
	{ "0", 0 }, { "3", 3 }, { " 20 ", 20 }, { "1000", 1000 },
	{ "", BAD }, { "1001", BAD }, { "-1", BAD }, { "+1", BAD },
	{ "3 logins", BAD }, { "1.5", BAD }, { "0x3", BAD },
	{ "4294967296", BAD }, { "none", BAD }, { "%s%n", BAD },
};

static void
test_one(int parse(const char *text, unsigned int *result_r,
		   const char **error_r),
	 const char *text, unsigned int expected, const char *words,
	 unsigned int idx)
{
	unsigned int result = 12345;
	const char *error = "";

	test_assert_idx(parse(text, &result, &error) ==
			(expected == BAD ? -1 : 0), idx);
	test_assert_idx(result == (expected == BAD ? 12345 : expected), idx);
	test_assert_idx((strstr(error, words) != NULL) == (expected == BAD),
			idx);
	if (expected == BAD)
		test_assert_idx(strstr(error, text) != NULL, idx);
}

static void test_parse(void)
{
	unsigned int i;

	test_begin("login delay text: times");
	for (i = 0; i < N_ELEMENTS(delays); i++) {
		test_one(pop3_login_delay_parse, delays[i].text,
			 delays[i].result, "expected 0 or a whole number with "
			 "a unit such as 60s or 5 mins, at the most 1 day", i);
	}
	test_end();

	test_begin("login delay text: numbers of logins");
	for (i = 0; i < N_ELEMENTS(bursts); i++) {
		test_one(pop3_login_burst_parse, bursts[i].text,
			 bursts[i].result,
			 "expected a whole number from 0 to 1000", i);
	}
	test_end();
}

static void test_reply(void)
{
	const struct pop3_login_delay minute = { 60, 3 }, second = { 1, 0 };

	test_begin("login delay text: replies");
	test_assert_strcmp(pop3_login_delay_to_text(&minute, 42),
		"[LOGIN-DELAY] Minimum time between logins is 60 seconds, "
		"try again in 42 seconds.");
	test_assert_strcmp(pop3_login_delay_to_text(&second, 1),
		"[LOGIN-DELAY] Minimum time between logins is 1 second, "
		"try again in 1 second.");
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_parse,
		test_reply,
		NULL
	};
	return test_run(test_functions);
}
