/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "test-brief-use.h"

/* valgrind and ASan see who reads on. */
static void assert_none(const char *text, size_t size, unsigned int idx)
{
	char *copy = i_memdup(text, I_MAX(size, 1));

	T_BEGIN {
		test_assert_strcmp_idx(brief_text(copy, size), "none", idx);
	} T_END;
	i_free(copy);
}

static void assert_no_octet_changes(const char *text, size_t i)
{
	static const char others[] = { '\0', ' ', '"', '0', '\n' };
	size_t size = strlen(text);
	char *copy = t_strdup_noconst(text);
	unsigned int o;

	for (o = 0; o < 8; o++) {
		copy[i] = text[i] ^ (1 << o);
		assert_none(copy, size, i);
	}
	for (o = 0; o < N_ELEMENTS(others); o++) {
		copy[i] = others[o];
		if (copy[i] != text[i])
			assert_none(copy, size, i);
	}
}

static void test_damage(void)
{
	const char *text = rewrite(SIMPLE_TEXT);
	size_t i, size = strlen(text);
	char *copy;

	test_begin("brief: text that others changed");
	test_assert_strcmp(brief_of(text), SIMPLE_BRIEF);
	for (i = 0; i < size; i++) T_BEGIN {
		assert_no_octet_changes(text, i);
	} T_END;
	for (i = 0; i < size; i++) T_BEGIN {
		/* cut off, and cut out */
		assert_none(text, i, i);
		copy = t_strdup_noconst(text);
		memmove(copy + i, copy + i + 1, size - i);
		assert_none(copy, size - 1, i);
	} T_END;
	assert_none(t_strconcat(text, "\n", NULL), size + 1, 0);
	assert_none(t_strconcat(" ", text, NULL), size + 1, 1);
	assert_none(text, size + 1, 2);
	test_end();
}

static void test_hostile_words(void)
{
	static const char *const tests[] = {
		"",
		"\"",
		" \"}",
		"3 1 101 90 1 f 21 g h u 4 5 6 7 8 9 10",
		"3 1 101 90 1 f 21 g h 4 5 6 7 8 9 10\"}",
		"3 1 101 90 1 f 21 g h u 4 5 6 7 8 9 10 x\"}",
		"3 1 101 90 1 f 21 g h u 4 5 6 7 8 9 10 \"}",
		" 3 1 101 90 1 f 21 g h u 4 5 6 7 8 9 10\"}",
		"3  1 101 90 1 f 21 g h u 4 5 6 7 8 9 10\"}",
		"-3 1 101 90 1 f 21 g h u 4 5 6 7 8 9 10\"}",
		"3 -1 101 90 1 f 21 g h u 4 5 6 7 8 9 10\"}",
		"3 1 0 90 1 f 21 g h u 4 5 6 7 8 9 10\"}",
		"3 1 4294967296 90 1 f 21 g h u 4 5 6 7 8 9 10\"}",
		"3 1 101 x 1 f 21 g h u 4 5 6 7 8 9 10\"}",
		"3 1 101 90 1 f  g h u 4 5 6 7 8 9 10\"}",
		"3 1 101 90 1 f 99999999999999999999 g h u 4 5 6 7 8 9 10\"}",
		"3\t1\t101\t90\t1\tf\t21\tg\th\tu\t4\t5\t6\t7\t8\t9\t10\"}",
		/* as it was before there were times */
		"3 1 101 90 1 f 21 g h u\"}",
		"3 1 101 90 1 f 21 g h u 4 5 6 7\"}",
		/* and before there was when it was listed */
		"3 1 101 90 1 f 21 g h u 4 5 6 7 8\"}",
		"3 1 101 90 1 f 21 g h u 4 5 6 7 8 9\"}",
		"3 1 101 90 1 f 21 g h u 4 5 6 7 8 9 x\"}",
		"3 1 101 90 1 f 21 g h u 4 5 6 7 8 9 -1\"}",
		"3 1 101 90 1 f 21 g h u 4 5 6 7 8 9 4294967296\"}",
	};
	string_t *text = t_str_new(2048);
	unsigned int i;

	test_begin("brief: hostile words");
	test_assert_strcmp(brief_of(sign("3 1 101 90 1 f 21 g h u "
					 "4 5 6 7 8 9 10\"}")),
			   "3 1 101 90 1 f 1:100 21 g h u 4 5 6 7 8 9 10");
	for (i = 0; i < N_ELEMENTS(tests); i++)
		test_assert_strcmp_idx(brief_of(sign(tests[i])), "none", i);
	/* words that are longer than any of ours */
	str_append(text, "3 1 101 90 1 f 21 g h ");
	while (str_len(text) < 1008)
		str_append_c(text, 'u');
	str_append(text, " 4 5 6 7 8 9 10\"}");
	test_assert(strcmp(brief_of(sign(str_c(text))), "none") != 0);
	str_insert(text, 22, "u");
	test_assert_strcmp(brief_of(sign(str_c(text))), "none");
	test_end();
}

/* The times, each of which is none that the state could have. */
static void test_hostile_times(void)
{
	static const char *const hostile[] = {
		"", "-", "x", "-1", "-9223372036854775808",
		"9223372036854775808", "18446744073709551616",
		"99999999999999999999999", "1.0", "+1", "0x1", "1x",
	};
	const char *times[6] = { "4", "5", "6", "7", "8", "9" };
	unsigned int i, t;

	test_begin("brief: hostile times");
	for (t = 0; t < N_ELEMENTS(times); t++) {
		const char *good = times[t];

		for (i = 0; i < N_ELEMENTS(hostile); i++) {
			times[t] = hostile[i];
			test_assert_strcmp_idx(brief_of(sign(t_strdup_printf(
				"3 1 101 90 1 f 21 g h u %s %s %s %s %s %s 10"
				"\"}", times[0], times[1], times[2], times[3],
				times[4], times[5]))), "none", t * 100 + i);
		}
		times[t] = good;
	}
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_damage,
		test_hostile_words,
		test_hostile_times,
		NULL
	};
	return test_run(test_functions);
}
