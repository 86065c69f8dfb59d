/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "rate-text.h"

#define K 1024ULL
#define M (1024 * K)
#define G (1024 * M)
#define T (1024 * G)

static void test_rate(void)
{
	static const struct {
		const char *text;
		uint64_t rate;
	} tests[] = {
		{ "", 0 },
		{ " \t\n", 0 },
		{ "none", 0 },
		{ " None ", 0 },
		{ "64k/s", 64 * K },
		{ " 64K/S ", 64 * K },
		{ "1024b/s", K },
		{ "1k/s", K },
		{ "1025B/s", 1025 },
		{ "002M/s", 2 * M },
		{ "3G/s", 3 * G },
		{ "1T/s", T },
		{ "1099511627776b/s", T },
	};
	uint64_t rate;
	const char *error;
	unsigned int i;

	test_begin("rate text: rates");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		rate = 7;
		test_assert_idx(pop3_rate_parse(tests[i].text, &rate,
						&error) == 0, i);
		test_assert_idx(rate == tests[i].rate, i);
	}
	test_end();
}

/* No rate, whoever asks for one. */
static const char *const bad_rates[] = {
	"64k", "64k/", "64k/m", "64k/sec", "64k/s/s", "64/s", "64000/s",
	"64kb/s", "64 k/s", "64k /s", "64k/ s", "/s", "k/s", "-64k/s", "+64k/s", "1.5M/s",
	"0x40k/s", "0k/s", "0b/s", "1b/s", "1023b/s", "1099511627777b/s",
	"2T/s", "1P/s", "16777216T/s", "18446744073709551616b/s", "fast", "unlimited",
	"64k/s 64k/s", "%s%n/s",
};

static void test_rate_errors(void)
{
	uint64_t rate = 7;
	const char *error;
	unsigned int i;

	test_begin("rate text: no rates");
	for (i = 0; i < N_ELEMENTS(bad_rates); i++) {
		error = "";
		test_assert_idx(pop3_rate_parse(bad_rates[i], &rate,
						&error) == -1, i);
		test_assert_strcmp_idx(error, t_strdup_printf(
			"bad rate \"%s\", expected a whole number followed by "
			"b, k, M, G or T and /s, such as 64k/s, from 1k/s to "
			"1T/s", bad_rates[i]), i);
		test_assert_idx(rate == 7, i);
	}
	test_end();
}

static void test_action(void)
{
	static const struct {
		const char *text;
		uint64_t rate;
	} tests[] = {
		{ "deny", 0 },
		{ "\tDeny ", 0 },
		{ "throttle 64k/s", 64 * K },
		{ " Throttle\t \n2M/S ", 2 * M },
	};
	uint64_t rate;
	const char *error;
	unsigned int i;

	test_begin("rate text: quota actions");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		rate = 7;
		test_assert_idx(pop3_quota_action_parse(tests[i].text, &rate,
							&error) == 0, i);
		test_assert_idx(rate == tests[i].rate, i);
	}
	test_end();
}

static void test_action_errors(void)
{
	static const struct {
		const char *text, *error;
	} tests[] = {
		{ "", "unknown action \"\", expected deny or throttle RATE "
		  "such as throttle 64k/s" },
		{ "refuse", "unknown action \"refuse\", expected deny" },
		{ "none", "unknown action \"none\", expected deny" },
		{ "deny 64k/s", "unknown action \"deny 64k/s\", expected" },
		{ "64k/s", "unknown action \"64k/s\", expected deny" },
		{ "throttle64k/s", "unknown action \"throttle64k/s\"" },
		/* over quota it is one or the other */
		{ "throttle", "bad rate \"\" after \"throttle\", expected" },
		{ "throttle none", "bad rate \"none\" after \"throttle\"" },
	};
	uint64_t rate = 7;
	const char *error;
	unsigned int i;

	test_begin("rate text: no quota actions");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		error = "";
		test_assert_idx(pop3_quota_action_parse(tests[i].text, &rate,
							&error) == -1, i);
		test_assert_strcmp_idx(t_strndup(error, strlen(tests[i].error)),
				       tests[i].error, i);
		test_assert_idx(rate == 7, i);
	}
	for (i = 0; i < N_ELEMENTS(bad_rates); i++) {
		error = "";
		test_assert_idx(pop3_quota_action_parse(t_strconcat(
			"throttle ", bad_rates[i], NULL), &rate, &error) == -1,
			i);
		test_assert_idx(strstr(error, t_strdup_printf(
			"bad rate \"%s\" after", bad_rates[i])) != NULL, i);
		test_assert_idx(rate == 7, i);
	}
	test_end();
}

static void test_to_text(void)
{
	static const struct {
		uint64_t rate;
		const char *text;
	} tests[] = {
		{ K, "1k/s" },
		{ K + 1, "1025b/s" },
		{ 64 * K, "64k/s" },
		{ 1536 * K, "1536k/s" },
		{ 2 * M, "2M/s" },
		{ 1023 * G, "1023G/s" },
		{ T, "1T/s" },
	};
	uint64_t rate;
	const char *error;
	unsigned int i;

	test_begin("rate text: print");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		test_assert_strcmp_idx(pop3_rate_to_text(tests[i].rate),
				       tests[i].text, i);
		test_assert_idx(pop3_rate_parse(tests[i].text, &rate,
						&error) == 0 &&
				rate == tests[i].rate, i);
	}
	test_end();
}

static void test_slower(void)
{
	test_begin("rate text: the slower one");
	test_assert(pop3_rate_slower(0, 0) == 0);
	test_assert(pop3_rate_slower(0, 5) == 5);
	test_assert(pop3_rate_slower(5, 0) == 5);
	test_assert(pop3_rate_slower(5, 6) == 5);
	test_assert(pop3_rate_slower(6, 5) == 5);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_rate,
		test_rate_errors,
		test_action,
		test_action_errors,
		test_to_text,
		test_slower,
		NULL
	};
	return test_run(test_functions);
}
