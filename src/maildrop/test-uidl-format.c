/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "uidl-template.h"
#include "compat-uidl-format.h"
#include "test-uidl-format.h"

#define SEVENTY "0123456789012345678901234567890123456789" \
	"012345678901234567890123456789"

/* Cheap and the same everywhere. */
static uint32_t random_number(void)
{
	static uint32_t state = 2463534242U;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

unsigned int test_random_below(unsigned int limit)
{
	return random_number() % limit;
}

enum test_uidl_line test_uidl_own_line(void)
{
	bool uses[COMPAT_UIDL_KEY_COUNT];
	const char *error;

	/* 2.4 has no variables of one letter */
	return compat_uidl_format_keys("%u", uses, &error) == 0 &&
		uses[COMPAT_UIDL_UID] ? TEST_UIDL_2_3 : TEST_UIDL_2_4;
}

static void random_values(struct uidl_template_values *values_r)
{
	static const char *const texts[] = {
		"", "0", "0cc175b9c0f1b6a831c399e269772661",
		"1700000000.M1P2.host,S=12", "%u%{uid}\\n\"", "y", "a b",
		"\xff\x01", SEVENTY SEVENTY SEVENTY SEVENTY
	};

	/* of all lengths */
	values_r->uidvalidity = random_number() >> test_random_below(32);
	values_r->uid = test_random_below(50) == 0 ? UINT32_MAX :
		random_number() >> test_random_below(32);
	values_r->md5 = texts[test_random_below(N_ELEMENTS(texts))];
	values_r->filename = texts[test_random_below(N_ELEMENTS(texts))];
	values_r->guid = texts[test_random_below(N_ELEMENTS(texts))];
}

/* The same bytes as Dovecot's, which are appended too. */
static void
assert_same(const char *format, const struct uidl_template *tmpl,
	    struct uidl_template_values *values, unsigned int idx)
{
	const char *texts[COMPAT_UIDL_KEY_COUNT], *error;
	string_t *own = t_str_new(128), *expected = t_str_new(128);

	/* what is not used needs no value */
	if (!uidl_template_uses(tmpl, UIDL_TEMPLATE_MD5))
		values->md5 = NULL;
	if (!uidl_template_uses(tmpl, UIDL_TEMPLATE_FILENAME))
		values->filename = NULL;
	if (!uidl_template_uses(tmpl, UIDL_TEMPLATE_GUID))
		values->guid = NULL;
	texts[COMPAT_UIDL_UIDVALIDITY] = dec2str(values->uidvalidity);
	texts[COMPAT_UIDL_UID] = dec2str(values->uid);
	texts[COMPAT_UIDL_MD5] = values->md5;
	texts[COMPAT_UIDL_FILENAME] = values->filename;
	texts[COMPAT_UIDL_GUID] = values->guid;

	str_append(expected, "+OK ");
	if (compat_uidl_format_expand(expected, format, texts, &error) < 0) {
		test_assert_failed_idx(error, __FILE__, __LINE__, idx);
		return;
	}
	str_append(own, "+OK ");
	uidl_template_print(own, tmpl, values);
	test_assert_strcmp_idx(str_c(own), str_c(expected), idx);
}

void test_uidl_as_dovecot(const char *format,
			  const struct uidl_template *tmpl, unsigned int idx)
{
	static const enum uidl_template_value own[COMPAT_UIDL_KEY_COUNT] = {
		[COMPAT_UIDL_UIDVALIDITY] = UIDL_TEMPLATE_UIDVALIDITY,
		[COMPAT_UIDL_UID] = UIDL_TEMPLATE_UID,
		[COMPAT_UIDL_MD5] = UIDL_TEMPLATE_MD5,
		[COMPAT_UIDL_FILENAME] = UIDL_TEMPLATE_FILENAME,
		[COMPAT_UIDL_GUID] = UIDL_TEMPLATE_GUID,
	};
	struct uidl_template_values values;
	bool uses[COMPAT_UIDL_KEY_COUNT];
	const char *error;
	unsigned int i;

	if (compat_uidl_format_keys(format, uses, &error) < 0) {
		test_assert_failed_idx(error, __FILE__, __LINE__, idx);
		return;
	}
	for (i = 0; i < COMPAT_UIDL_KEY_COUNT; i++) {
		test_assert_idx(uidl_template_uses(tmpl, own[i]) == uses[i],
				idx);
	}
	for (i = 0; i < 5; i++) {
		random_values(&values);
		assert_same(format, tmpl, &values, idx);
	}
}
