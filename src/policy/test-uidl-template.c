/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "uidl-template.h"

static const struct uidl_template_values message = {
	.uidvalidity = 0x5f3b,
	.uid = 10,
	.md5 = "0cc175b9c0f1b6a831c399e269772661",
	.filename = "1700000000.M1P2.host,S=12",
	.guid = "5e0b7a2c9f1d4e3388aa0011bbccddee",
};

static const char *
print(const struct uidl_template *tmpl,
      const struct uidl_template_values *values)
{
	string_t *str = t_str_new(64);

	uidl_template_print(str, tmpl, values);
	return str_c(str);
}

static void test_number(void)
{
	static const struct {
		uint32_t number;
		unsigned int base, width;
		const char *text;
	} tests[] = {
		{ 0, 10, 0, "0" },
		{ 0, 16, 0, "0" },
		{ 0, 10, 1, "0" },
		{ 0, 16, 8, "00000000" },
		{ 9, 10, 0, "9" },
		{ 10, 10, 0, "10" },
		{ 15, 16, 0, "f" },
		{ 16, 16, 0, "10" },
		{ 0xa, 16, 8, "0000000a" },
		{ 0x5f3b, 16, 2, "5f3b" },
		{ 0x5f3b, 16, 4, "5f3b" },
		{ 0x5f3b, 16, 5, "05f3b" },
		{ 1234567890, 10, 0, "1234567890" },
		{ 1234567890, 10, 9, "1234567890" },
		{ 1234567890, 10, 11, "01234567890" },
		{ 0x89abcdef, 16, 0, "89abcdef" },
		{ UINT32_MAX, 10, 0, "4294967295" },
		{ UINT32_MAX, 10, 10, "4294967295" },
		{ UINT32_MAX, 16, 0, "ffffffff" },
		{ UINT32_MAX, 16, 8, "ffffffff" },
		{ UINT32_MAX, 16, 9, "0ffffffff" },
		{ UINT32_MAX, 10, UIDL_TEMPLATE_MAX_WIDTH,
		  "00000000004294967295" },
		{ 7, 16, UIDL_TEMPLATE_MAX_WIDTH, "00000000000000000007" },
	};
	struct uidl_template_values values;
	struct uidl_template *uid, *uidvalidity;
	unsigned int i;

	test_begin("UIDL template: numbers");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		uid = uidl_template_init(pool_datastack_create());
		uidl_template_add_number(uid, UIDL_TEMPLATE_UID,
					 tests[i].base, tests[i].width);
		uidvalidity = uidl_template_init(pool_datastack_create());
		uidl_template_add_number(uidvalidity,
					 UIDL_TEMPLATE_UIDVALIDITY,
					 tests[i].base, tests[i].width);
		values = message;
		values.uid = tests[i].number;
		test_assert_strcmp_idx(print(uid, &values), tests[i].text, i);
		values = message;
		values.uidvalidity = tests[i].number;
		test_assert_strcmp_idx(print(uidvalidity, &values),
				       tests[i].text, i);
	}
	test_end();
}

static void test_text(void)
{
	static const enum uidl_template_value texts[] = {
		UIDL_TEMPLATE_MD5, UIDL_TEMPLATE_FILENAME, UIDL_TEMPLATE_GUID
	};
	const char *const expected[] = {
		message.md5, message.filename, message.guid
	};
	struct uidl_template_values values;
	struct uidl_template *tmpl;
	unsigned int i;

	test_begin("UIDL template: texts");
	for (i = 0; i < N_ELEMENTS(texts); i++) {
		tmpl = uidl_template_init(pool_datastack_create());
		uidl_template_add_text(tmpl, texts[i]);
		test_assert_strcmp_idx(print(tmpl, &message), expected[i], i);

		/* the others are not touched */
		i_zero(&values);
		values.md5 = i == 0 ? "" : NULL;
		values.filename = i == 1 ? "" : NULL;
		values.guid = i == 2 ? "" : NULL;
		test_assert_strcmp_idx(print(tmpl, &values), "", i);
	}
	test_end();
}

static void test_parts(void)
{
	const struct uidl_template_values numbers = {
		.uidvalidity = 0x5f3b,
		.uid = 10,
	};
	struct uidl_template *tmpl;
	string_t *str = t_str_new(8);
	char text[] = "<%{and more";

	test_begin("UIDL template: parts in order");
	tmpl = uidl_template_init(pool_datastack_create());
	test_assert_strcmp(print(tmpl, &message), "");
	uidl_template_add_literal(tmpl, text, 2);
	memset(text, 'x', sizeof(text));
	uidl_template_add_number(tmpl, UIDL_TEMPLATE_UID, 16, 8);
	uidl_template_add_number(tmpl, UIDL_TEMPLATE_UIDVALIDITY, 16, 8);
	uidl_template_add_literal(tmpl, "", 0);
	uidl_template_add_literal(tmpl, ".", 1);
	uidl_template_add_number(tmpl, UIDL_TEMPLATE_UID, 10, 0);
	test_assert_strcmp(print(tmpl, &numbers), "<%0000000a00005f3b.10");
	uidl_template_add_text(tmpl, UIDL_TEMPLATE_GUID);
	uidl_template_add_literal(tmpl, ">", 1);

	str_append(str, "+OK ");
	uidl_template_print(str, tmpl, &message);
	test_assert_strcmp(str_c(str), "+OK <%0000000a00005f3b.10"
			   "5e0b7a2c9f1d4e3388aa0011bbccddee>");
	test_end();
}

static void
assert_uses(const struct uidl_template *tmpl, unsigned int values)
{
	unsigned int i;

	for (i = 0; i < UIDL_TEMPLATE_VALUE_COUNT; i++) {
		test_assert_idx(uidl_template_uses(tmpl, i) ==
				((values & (1U << i)) != 0), i);
	}
}

static void test_uses(void)
{
	struct uidl_template *tmpl;
	unsigned int i, values = 0;

	test_begin("UIDL template: what it uses");
	tmpl = uidl_template_init(pool_datastack_create());
	assert_uses(tmpl, 0);
	uidl_template_add_literal(tmpl, "uid", 3);
	assert_uses(tmpl, 0);
	for (i = 0; i < UIDL_TEMPLATE_VALUE_COUNT; i++) {
		if (i <= UIDL_TEMPLATE_UID)
			uidl_template_add_number(tmpl, i, 10, 0);
		else
			uidl_template_add_text(tmpl, i);
		values |= 1U << i;
		assert_uses(tmpl, values);
	}
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_number,
		test_text,
		test_parts,
		test_uses,
		NULL
	};
	return test_run(test_functions);
}
