/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "app-password.h"

#define LETTERS "abcdefghjkmnpqrstuvwxyz23456789"
#define ID "k7qmx3"
#define SECRET "abcdefghjkmnpqrstuvwxyz23"
#define PRINTED ID "-abcde-fghjk-mnpqr-stuvw-xyz23"

static const struct {
	const char *typed;
	bool valid;
} parse_tests[] = {
	{ PRINTED, TRUE },
	{ ID SECRET, TRUE },
	{ "K7QMX3-ABCDE-FGHJK-MNPQR-STUVW-XYZ23", TRUE },
	{ "K7qmX3 abCde fghjk mnPqr stuvw xyz23", TRUE },
	{ " k 7-q mx3 abcde - fghjkmnpqrstu--vwx  yz23 ", TRUE },
	{ "-"PRINTED"-", TRUE },
	{ "", FALSE },
	{ " - ", FALSE },
	{ ID, FALSE },
	{ SECRET, FALSE },
	{ ID"-abcde-fghjk-mnpqr-stuvw-xyz2", FALSE },
	{ PRINTED"2", FALSE },
	{ PRINTED"-x", FALSE },
	{ PRINTED"\t", FALSE },
	{ PRINTED"\r\n", FALSE },
	{ PRINTED"\xc2\xa0", FALSE },
	{ "\xef\xbc\xabqmx37-abcde-fghjk-mnpqr-stuvw-xyz23", FALSE },
	{ ID"_abcde_fghjk_mnpqr_stuvw_xyz23", FALSE },
	{ ID".abcde.fghjk.mnpqr.stuvw.xyz23", FALSE },
	/* each of the letters that are not used */
	{ "i7qmx3-abcde-fghjk-mnpqr-stuvw-xyz23", FALSE },
	{ ID"-abcde-fghjk-mnpqr-stuvw-xyzl3", FALSE },
	{ ID"-abcde-fghjk-mnpqr-stuvw-xyzL3", FALSE },
	{ ID"-abcde-fghjk-mnpqr-stuvw-xyz2o", FALSE },
	{ ID"-abcde-fghjk-mnpqr-stuvw-xyz20", FALSE },
	{ ID"-abcde-fghjk-mnpqr-stuvw-xyz21", FALSE },
	{ "correct horse battery staple", FALSE },
};

static void test_parse(void)
{
	struct app_password_code code, untouched;
	unsigned int i;

	test_begin("app password: what is typed");
	memset(&untouched, 0xff, sizeof(untouched));
	for (i = 0; i < N_ELEMENTS(parse_tests); i++) {
		code = untouched;
		test_assert_idx(app_password_parse(parse_tests[i].typed,
				&code) == parse_tests[i].valid, i);
		if (parse_tests[i].valid) {
			test_assert_strcmp_idx(code.id, ID, i);
			test_assert_strcmp_idx(code.secret, SECRET, i);
		} else {
			test_assert_idx(memcmp(&code, &untouched,
					       sizeof(code)) == 0, i);
		}
	}
	test_end();
}

static void test_parse_long(void)
{
	struct app_password_code code;
	char typed[4096];

	test_begin("app password: far too much is typed");
	memset(typed, 'a', sizeof(typed));
	typed[sizeof(typed) - 1] = '\0';
	test_assert(!app_password_parse(typed, &code));
	test_end();
}

static void test_print(void)
{
	struct app_password_code code = { ID, SECRET };
	char text[APP_PASSWORD_TEXT_SIZE];

	test_begin("app password: what is shown");
	app_password_print(&code, text);
	test_assert_strcmp(text, PRINTED);
	test_assert(strlen(text) + 1 == sizeof(text));
	test_end();
}

/* Each letter turns up, and none of them more often than chance has it. With
   this many each comes 1000 times, give or take 31: six times that is never
   seen. */
static void test_generate(void)
{
	struct app_password_code code, parsed, last;
	char text[APP_PASSWORD_TEXT_SIZE];
	unsigned int counts[256], i, j;

	test_begin("app password: what is made up");
	memset(counts, 0, sizeof(counts));
	i_zero(&last);
	for (i = 0; i < 1000; i++) {
		app_password_generate(&code);
		test_assert_idx(strcmp(code.id, last.id) != 0 &&
				strcmp(code.secret, last.secret) != 0, i);
		app_password_print(&code, text);
		test_assert_idx(app_password_parse(text, &parsed), i);
		test_assert_idx(memcmp(&parsed, &code, sizeof(code)) == 0, i);
		for (j = 0; j < APP_PASSWORD_ID_LEN; j++)
			counts[(unsigned char)code.id[j]]++;
		for (j = 0; j < APP_PASSWORD_SECRET_LEN; j++)
			counts[(unsigned char)code.secret[j]]++;
		last = code;
	}
	for (i = 0; i < N_ELEMENTS(counts); i++) {
		if (i != 0 && strchr(LETTERS, i) != NULL) {
			test_assert_idx(counts[i] > 800 && counts[i] < 1200,
					i);
		} else {
			test_assert_idx(counts[i] == 0, i);
		}
	}
	test_end();
}

static void test_wipe(void)
{
	static const struct app_password_code nothing;
	struct app_password_code code = { ID, SECRET };
	char text[APP_PASSWORD_TEXT_SIZE];
	unsigned int i;

	test_begin("app password: nothing is left");
	app_password_print(&code, text);
	app_password_wipe(&code);
	app_password_wipe_text(text);
	test_assert(memcmp(&code, &nothing, sizeof(code)) == 0);
	for (i = 0; i < sizeof(text); i++)
		test_assert_idx(text[i] == '\0', i);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_parse,
		test_parse_long,
		test_print,
		test_generate,
		test_wipe,
		NULL
	};
	return test_run(test_functions);
}
