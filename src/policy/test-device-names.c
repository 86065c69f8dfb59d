/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "device-names.h"

#define TEN "1234567890"
#define SIXTY TEN TEN TEN TEN TEN TEN

static void test_names(void)
{
	static const char *const good[] = {
		"a", "phone", "Phone", "my-phone_2", "a:b;c", "\\", "{}", "`",
		"%s%n", "yes", SIXTY "1234",
		"T\xc3\xa9l\xc3\xa9phone", "\xe6\x89\x8b\xe6\xa9\x9f",
		"\xf0\x9f\x93\xb1", "\xc2\xa1", "\xc2\xae", "\xe3\x80\x81",
	};
	static const struct {
		const char *name, *fault;
	} bad[] = {
		{ "", "is empty" },
		{ SIXTY "12345", "is too long" },
		{ SIXTY "123\xc3\xa4", "is too long" },
		{ "a b", "has white space" },
		{ "a\tb", "has white space" },
		{ "\x01", "has white space or a control character" },
		{ "a\x7f", "has white space" },
		/* NEL, no-break space, soft hyphen */
		{ "a\xc2\x85", "has white space" },
		{ "a\xc2\xa0", "has white space" },
		{ "a\xc2\xad", "has white space" },
		/* zero width space, line separator, bidi override */
		{ "a\xe2\x80\x8b", "has white space" },
		{ "a\xe2\x80\xa8", "has white space" },
		{ "\xe2\x80\xae" "a", "has white space" },
		/* wide space, byte order mark, tag */
		{ "a\xe3\x80\x80", "has white space" },
		{ "\xef\xbb\xbf" "a", "has white space" },
		{ "a\xf3\xa0\x81\x81", "has white space" },
		{ "a,b", "has a comma or a quote" },
		{ "a\"b", "has a comma or a quote" },
		{ "it's", "has a comma or a quote" },
		{ "a\xe4", "is not UTF-8" },
		{ "\xc0\x80", "is not UTF-8" },
		{ "a\xc3", "is not UTF-8" },
		/* half of a pair, and more than there is */
		{ "\xed\xa0\x80", "is not UTF-8" },
		{ "\xf4\x90\x80\x80", "is not UTF-8" },
	};
	const char *error, *name;
	unsigned int i;

	test_begin("device names: names");
	for (i = 0; i < N_ELEMENTS(good); i++) {
		error = NULL;
		test_assert_idx(pop3_device_name_is_valid(good[i], &error), i);
		test_assert_strcmp_idx(error, NULL, i);
		name = NULL;
		test_assert_idx(pop3_device_parse(good[i], &name,
						  &error) == 0, i);
		test_assert_strcmp_idx(name, good[i], i);
	}
	for (i = 0; i < N_ELEMENTS(bad); i++) {
		error = "";
		test_assert_idx(!pop3_device_name_is_valid(bad[i].name,
							   &error), i);
		test_assert_idx(strstr(error, t_strdup_printf(
			"device name \"%s\" %s", bad[i].name,
			bad[i].fault)) == error, i);
		test_assert_idx(strstr(error, ", expected 1 to 64 octets of "
			"UTF-8 without white space, commas, quotes and "
			"control characters") != NULL, i);
		error = "";
		name = "untouched";
		if (*bad[i].name == '\0')
			continue;
		test_assert_idx(pop3_device_parse(bad[i].name, &name,
						  &error) == -1, i);
		test_assert_strcmp_idx(name, "untouched", i);
		test_assert_idx(strstr(error, bad[i].fault) != NULL, i);
	}
	test_end();
}

static void test_one(void)
{
	static const struct {
		const char *text, *name;
	} tests[] = {
		{ "", NULL }, { " ", NULL }, { "none", NULL },
		{ " None\n", NULL }, { " phone ", "phone" }, { "nonesuch",
		  "nonesuch" },
	};
	const char *error, *name;
	unsigned int i;

	test_begin("device names: one");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		name = "untouched";
		test_assert_idx(pop3_device_parse(tests[i].text, &name,
						  &error) == 0, i);
		test_assert_strcmp_idx(name, tests[i].name, i);
	}
	test_end();
}

#define SIXTEEN "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"

static void test_lists(void)
{
	static const struct {
		const char *text;
		/* with commas; NULL if there is an error */
		const char *names, *error;
	} tests[] = {
		{ "", "", NULL },
		{ " \t", "", NULL },
		{ "none", "", NULL },
		{ " NONE ", "", NULL },
		{ ",", "", NULL },
		{ "phone", "phone", NULL },
		{ "phone laptop", "phone,laptop", NULL },
		{ "phone,laptop", "phone,laptop", NULL },
		{ " phone , laptop,\n", "phone,laptop", NULL },
		{ "Phone phone", "Phone,phone", NULL },
		{ SIXTEEN, "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", NULL },
		{ SIXTEEN " 17", NULL, "17 devices, expected at most 16" },
		{ "phone laptop phone", NULL,
		  "device \"phone\" is named twice, expected each one once" },
		{ "a,a", NULL, "device \"a\" is named twice" },
		{ "phone none", NULL, "\"none\" beside other devices, "
		  "expected none alone" },
		{ "None,phone", NULL, "\"none\" beside other devices" },
		{ "phone \"lap top\"", NULL,
		  "device name \"\"lap\" has a comma or a quote, expected 1 " },
		{ SIXTY "12345 a", NULL, "device name \"" SIXTY "12345\" is "
		  "too long" },
		{ "a \xe4", NULL, "device name \"\xe4\" is not UTF-8" },
	};
	static const char *const untouched[] = { NULL };
	const char *const *names;
	const char *error;
	pool_t pool = pool_alloconly_create("test device names", 1024);
	unsigned int i;

	test_begin("device names: lists");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		int ret;

		names = untouched;
		error = NULL;
		ret = pop3_devices_parse(tests[i].text, pool, &names, &error);
		test_assert_idx(ret == (tests[i].names == NULL ? -1 : 0), i);
		if (tests[i].names != NULL) {
			test_assert_strcmp_idx(t_strarray_join(names, ","),
					       tests[i].names, i);
			test_assert_idx(names != untouched, i);
		} else {
			test_assert_idx(names == untouched, i);
			test_assert_idx(error != NULL && strncmp(error,
				tests[i].error,
				strlen(tests[i].error)) == 0, i);
		}
	}
	pool_unref(&pool);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_names,
		test_one,
		test_lists,
		NULL
	};
	return test_run(test_functions);
}
