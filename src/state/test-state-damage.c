/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "state.h"
#include "test-state-text.h"

/* The text must be refused as this, with an error that has these words. */
static void
assert_refused(const char *text, size_t size,
	       enum policy_state_parse_result expected, const char *words,
	       unsigned int idx)
{
	struct policy_state *state = NULL;
	const char *error = NULL;

	test_assert_idx(policy_state_parse(text, size, &state, &error) ==
			expected, idx);
	test_assert_idx(state == NULL, idx);
	test_assert_idx(error != NULL && strstr(error, words) != NULL, idx);
	policy_state_deinit(&state);
}

static void
assert_corrupt(const char *text, const char *words, unsigned int idx)
{
	assert_refused(text, strlen(text), POLICY_STATE_CORRUPT, words, idx);
}

static void test_cut(void)
{
	const char *text = STATE_TEXT;
	size_t size;

	test_begin("state: cut at every byte");
	for (size = 0; size < strlen(text); size++) T_BEGIN {
		/* valgrind and ASan see who reads on */
		char *copy = i_memdup(text, I_MAX(size, 1));

		assert_refused(copy, size, POLICY_STATE_CORRUPT,
			       "line 1 column ", size);
		i_free(copy);
	} T_END;
	test_end();
}

static void test_wrong_types(void)
{
	static const struct {
		const char *member, *value, *where;
		bool object;
	} members[] = {
		{ "\"version\":", "1", "version", FALSE },
		{ "\"quota\":", QUOTA_TEXT, "quota", TRUE },
		{ "\"windows\":", WINDOWS_TEXT, "windows", TRUE },
		{ "\"hour\":", HOUR_TEXT, "hour", TRUE },
		{ "\"day\":", DAY_TEXT, "day", TRUE },
		{ "\"week\":", WEEK_TEXT, "week", TRUE },
		{ "\"month\":", MONTH_TEXT, "month", TRUE },
		{ "\"start\":", "1001", "quota.windows.hour: start", FALSE },
		{ "\"bytes\":", "1002", "quota.windows.hour: bytes", FALSE },
		{ "\"messages\":", "1003", "quota.windows.hour: messages", FALSE },
		{ "\"start\":", "2001", "quota.windows.day: start", FALSE },
		{ "\"bytes\":", "3002", "quota.windows.week: bytes", FALSE },
		{ "\"messages\":", "4003", "quota.windows.month: messages", FALSE },
	};
	static const char *const values[] = {
		"null", "true", "false", "\"\"", "\"1\"", "[]", "[{}]",
		"1.0", "1e3", "-1", "-9223372036854775808", "-0.0",
		/* these two are right for one of the kinds */
		"{}", "7",
	};
	unsigned int m, v;

	test_begin("state: wrong types");
	for (m = 0; m < N_ELEMENTS(members); m++) T_BEGIN {
		const char *from = t_strconcat(members[m].member,
					       members[m].value, NULL);
		const char *to;

		for (v = 0; v < N_ELEMENTS(values); v++) {
			if (strcmp(values[v], members[m].object ?
				   "{}" : "7") == 0)
				continue;
			to = t_strconcat(members[m].member, values[v], NULL);
			assert_corrupt(replace(STATE_TEXT, from, to),
				       members[m].where, m * 100 + v);
		}
		if (!members[m].object) {
			/* a window may be missing, but not half of it */
			assert_corrupt(replace(STATE_TEXT, from, "\"gone\":1"),
				       members[m].where, m * 100 + v);
		}
	} T_END;
	test_end();
}

static void test_damage(void)
{
	static const struct {
		const char *text, *words;
	} tests[] = {
		{ "", "line 1 column 0" },
		{ " \n\n ", "line 3 " },
		{ "null", "line 1 " },
		{ "1", "line 1 " },
		{ "\"version\"", "line 1 " },
		{ "[]", "not a JSON object" },
		{ "[1]", "not a JSON object" },
		{ "{}", "version" },
		{ STATE_TEXT "x", "line 1 " },
		{ STATE_TEXT "\n" STATE_TEXT, "line 2 " },
		{ "{\"version\":1,}", "line 1 " },
		{ "{version:1}", "line 1 " },
		{ "{'version':1}", "line 1 " },
		{ "{\"version\":1}/* comment */", "line 1 " },
		{ "\xef\xbb\xbf{\"version\":1}", "line 1 " },
		{ "{\"version\":01}", "line 1 " },
		{ "{\"version\":+1}", "line 1 " },
		/* duplicate keys, on each level */
		{ "{\"version\":1,\"version\":1}", "version" },
		{ "{\"version\":1,\"quota\":{},\"quota\":{}}", "quota" },
		{ "{\"version\":1,\"quota\":{\"windows\":{\"day\":" DAY_TEXT
		  ",\"day\":" DAY_TEXT "}}}", "day" },
		{ "{\"version\":1,\"a\":[{\"b\":1,\"b\":2}]}", "line 1 " },
		/* numbers that JSON or we do not have */
		{ "{\"version\":9223372036854775808}", "line 1 " },
		{ "{\"version\":1,\"a\":-9223372036854775809}", "line 1 " },
		{ "{\"version\":1e999}", "line 1 " },
		{ "{\"version\":1,\"a\":-1e999}", "line 1 " },
		{ "{\"version\":NaN}", "line 1 " },
		{ "{\"version\":1,\"a\":Infinity}", "line 1 " },
		/* text that is none */
		{ "{\"version\":1,\"a\":\"\x80\"}", "line 1 " },
		{ "{\"version\":1,\"a\":\"\xc0\xaf\"}", "line 1 " },
		{ "{\"version\":1,\"\xff\":1}", "line 1 " },
		{ "{\"version\":1,\"a\":\"\xed\xa0\x80\"}", "line 1 " },
		{ "{\"version\":1,\"a\":\"\\ud800\"}", "line 1 " },
		{ "{\"version\":1,\"a\":\"\\udc00\\ud800\"}", "line 1 " },
		{ "{\"version\":1,\"a\":\"\\u0000\"}", "line 1 " },
		{ "{\"version\":1,\"a\\u0000b\":1}", "line 1 " },
		{ "{\"version\":1,\"a\":\"\n\"}", "line 1 " },
		{ "{\"version\":1,\n\"a\":\"\x01\"}", "line 2 " },
	};
	static const char with_nul[] = "{\"version\":1}\0";
	static const char nul_inside[] = "{\"version\":\0001}";
	static const char only_nuls[64];
	unsigned int i;

	test_begin("state: damage of other kinds");
	for (i = 0; i < N_ELEMENTS(tests); i++)
		assert_corrupt(tests[i].text, tests[i].words, i);
	assert_refused(with_nul, sizeof(with_nul) - 1, POLICY_STATE_CORRUPT,
		       "line 1 ", i++);
	assert_refused(nul_inside, sizeof(nul_inside) - 1, POLICY_STATE_CORRUPT,
		       "line 1 ", i++);
	assert_refused(only_nuls, sizeof(only_nuls), POLICY_STATE_CORRUPT,
		       "line 1 ", i++);
	test_end();
}

/* Who owns the file has no line of his own in the log. */
static void test_quoted(void)
{
	static const struct {
		const char *text, *words;
	} tests[] = {
		{ "\x1b", "near '?'" },
		{ "{\"\xc2\x9b\" \"\x7f\"", "near '\"?\"'" },
		{ "{\"version\":1,\"uidl\":{\"epoch\":3,\"uidvalidity\":1,"
		  "\"uidnext\":2,\"live\":1,\"format\":\"\","
		  "\"devices\":{\"a\\nb\":\"1\"}}}", "\"a?b\"" },
	};
	unsigned int i;

	test_begin("state: what errors quote");
	for (i = 0; i < N_ELEMENTS(tests); i++)
		assert_corrupt(tests[i].text, tests[i].words, i);
	test_end();
}

static void test_version(void)
{
	static const struct {
		const char *text, *words;
		enum policy_state_parse_result result;
	} tests[] = {
		{ "{\"quota\":" QUOTA_TEXT "}", "version",
		  POLICY_STATE_CORRUPT },
		{ "{\"version\":0}", "version 0", POLICY_STATE_CORRUPT },
		{ "{\"version\":-1}", "version", POLICY_STATE_CORRUPT },
		{ "{\"version\":\"1\"}", "version", POLICY_STATE_CORRUPT },
		{ "{\"version\":2}", "version 2 is newer",
		  POLICY_STATE_TOO_NEW },
		/* what it means is not for this version to judge */
		{ "{\"version\":2,\"quota\":null}", "version 2 is newer",
		  POLICY_STATE_TOO_NEW },
		{ "{\"quota\":7,\"version\":9223372036854775807}",
		  "version 9223372036854775807 is newer",
		  POLICY_STATE_TOO_NEW },
		/* but this is not JSON */
		{ "{\"version\":2,\"quota\":", "line 1 ",
		  POLICY_STATE_CORRUPT },
	};
	unsigned int i;

	test_begin("state: versions");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		assert_refused(tests[i].text, strlen(tests[i].text),
			       tests[i].result, tests[i].words, i);
	}
	test_end();
}

static void test_large_documents(void)
{
	enum { NESTING = 10000, ENTRIES = 1000000 };
	string_t *text = str_new(default_pool, ENTRIES * 2 + 64);
	struct policy_state *state = NULL;
	const char *error;
	unsigned int i;

	test_begin("state: deep and long documents");
	str_append(text, "{\"version\":1,\"a\":");
	for (i = 0; i < NESTING; i++)
		str_append_c(text, '[');
	for (i = 0; i < NESTING; i++)
		str_append_c(text, ']');
	str_append_c(text, '}');
	assert_corrupt(str_c(text), "line 1 ", 0);

	str_truncate(text, 0);
	for (i = 0; i < NESTING; i++)
		str_append(text, "{\"a\":");
	assert_corrupt(str_c(text), "line 1 ", 1);

	str_truncate(text, 0);
	str_append(text, "{\"version\":1,\"a\":[0");
	for (i = 1; i < ENTRIES; i++)
		str_append(text, ",0");
	assert_corrupt(str_c(text), "line 1 ", 2);
	str_append(text, "]}");
	test_assert(policy_state_parse(str_data(text), str_len(text), &state,
				       &error) == POLICY_STATE_PARSED);
	policy_state_deinit(&state);
	str_free(&text);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_cut,
		test_wrong_types,
		test_damage,
		test_quoted,
		test_version,
		test_large_documents,
		NULL
	};
	return test_run(test_functions);
}
