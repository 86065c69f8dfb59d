/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "compat-uidl-template.h"
#include "test-uidl-format.h"

/* Formats that are taken apart, against what Dovecot makes of them. */

#define ROUNDS 20000
/* Of these, how many are known at the least, that the test be worth it. */
#define MIN_KNOWN 5000

/* One of the right ones, or now and then one of the wrong ones. */
static void
append_random_of(string_t *str, const char *const *right,
		 const char *const *wrong)
{
	const char *const *texts = test_random_below(12) == 0 ? wrong : right;

	str_append(str, texts[test_random_below(str_array_length(texts))]);
}

static void append_random_literal(string_t *str)
{
	static const char *const right[] = {
		"-", ".", "y", "yy", "x", "8", "uid", " ", "\"", "'", "{", "}",
		"\\", "\\x41", "|", NULL
	};
	static const char *const wrong[] = {
		"%%", "%%{", "\t", "\x7f", "\xc3\xa4", "\x80", NULL
	};

	append_random_of(str, right, wrong);
}

static void append_random_letter(string_t *str)
{
	static const char *const number_keys[] = { "u", "v", NULL };
	static const char *const widths[] = {
		"", "08", "010", "02", "020", NULL
	};
	static const char *const modifiers[] = { "", "X", NULL };
	static const char *const text_keys[] = { "m", "f", "g", "%", NULL };
	static const char *const wrong_widths[] = {
		"0", "00", "8", "-08", "2.", "0.08", "021", "0", NULL
	};
	static const char *const wrong_modifiers[] = {
		"XX", "L", "U", "R", "M", NULL
	};
	static const char *const wrong_keys[] = {
		"m", "f", "g", "%", "n", "{uid}", "", NULL
	};

	str_append_c(str, '%');
	if (test_random_below(4) == 0) {
		append_random_of(str, text_keys, wrong_keys);
		return;
	}
	append_random_of(str, widths, wrong_widths);
	append_random_of(str, modifiers, wrong_modifiers);
	append_random_of(str, number_keys, wrong_keys);
}

static void append_random_spaces(string_t *str)
{
	static const char *const spaces[] = { "", "", " ", "  ", NULL };
	static const char *const wrong[] = { "\t", "\n", "_", NULL };

	if (test_random_below(2) == 0)
		append_random_of(str, spaces, spaces);
	else if (test_random_below(20) == 0)
		append_random_of(str, wrong, wrong);
}

static void append_random_filter(string_t *str)
{
	static const char *const names[] = { "hex", NULL };
	static const char *const widths[] = { "8", "9", "12", "20", NULL };
	static const char *const wrong_names[] = {
		"hexlify", "hex.", "upper", "", NULL
	};
	static const char *const wrong_widths[] = {
		"08", "7", "2", "0", "-8", "21", "", "'8'", "8,8", "uid", NULL
	};

	str_append_c(str, '|');
	append_random_spaces(str);
	append_random_of(str, names, wrong_names);
	append_random_spaces(str);
	if (test_random_below(3) == 0)
		return;
	str_append_c(str, '(');
	append_random_spaces(str);
	append_random_of(str, widths, wrong_widths);
	append_random_spaces(str);
	str_append_c(str, ')');
	append_random_spaces(str);
}

static void append_random_name(string_t *str)
{
	static const char *const number_keys[] = {
		"uid", "uidvalidity", NULL
	};
	static const char *const text_keys[] = {
		"md5", "filename", "guid", NULL
	};
	static const char *const wrong_keys[] = {
		"md5", "filename", "guid", "pid", "uid_", "uid+1", "Uid", "",
		NULL
	};
	bool number = test_random_below(3) > 0;

	str_append(str, "%{");
	append_random_spaces(str);
	append_random_of(str, number ? number_keys : text_keys, wrong_keys);
	append_random_spaces(str);
	if (number && test_random_below(2) == 0)
		append_random_filter(str);
	if (test_random_below(20) == 0)
		append_random_filter(str);
	str_append_c(str, '}');
}

static const char *random_format(enum test_uidl_line line)
{
	static const char octets[] = "%{}|()08Xuv \"'\\y\t\x01";
	unsigned int i, parts = 1 + test_random_below(5);
	string_t *str = t_str_new(128);

	if (test_random_below(8) == 0) {
		line = line == TEST_UIDL_2_3 ?
			TEST_UIDL_2_4 : TEST_UIDL_2_3;
	}
	for (i = 0; i < parts; i++) {
		if (test_random_below(3) == 0)
			append_random_literal(str);
		else if (line == TEST_UIDL_2_3)
			append_random_letter(str);
		else
			append_random_name(str);
	}
	/* nearly a format */
	if (str_len(str) > 0 && test_random_below(8) == 0)
		str_delete(str, test_random_below(str_len(str)), 1);
	if (str_len(str) > 0 && test_random_below(8) == 0) {
		str_c_modifiable(str)[test_random_below(str_len(str))] =
			octets[test_random_below(sizeof(octets) - 1)];
	}
	return str_c(str);
}

static void test_random(void)
{
	struct uidl_template *tmpl;
	const char *format;
	unsigned int i, known = 0;

	test_begin("UIDL formats: at random");
	for (i = 0; i < ROUNDS; i++) T_BEGIN {
		format = random_format(test_uidl_own_line());
		if (compat_uidl_template_parse(pool_datastack_create(), format,
					       &tmpl)) {
			known++;
			test_uidl_as_dovecot(format, tmpl, i);
		}
	} T_END;
	test_assert_cmp(known, >=, MIN_KNOWN);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_random,
		NULL
	};
	return test_run(test_functions);
}
