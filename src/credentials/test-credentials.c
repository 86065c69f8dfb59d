/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "test-credential-use.h"

#define JANE_SHOWN \
	"jane:" TEST_HASH " +imap +pop3 userdb_uid=1000 userdb_gid=8 " \
	"[k7qmx3 " TEST_HASH " (phone) 1795446000-1803222000 " \
	"@192.0.2.0/24 @2001:db8::/32 +pop3 pop3_policy_quota=100M/day]"
#define JOE_SHOWN "joe:{SHA256-CRYPT}$5$x"

static struct credentials *load(const char *text, const char **error_r)
{
	return test_credentials_load(text, strlen(text), error_r);
}

/* The file must be refused with an error that has these words. */
static void
assert_refused(const void *text, size_t size, const char *words,
	       unsigned int idx)
{
	struct credentials *credentials;
	const char *error;

	credentials = test_credentials_load(text, size, &error);
	test_assert_idx(credentials == NULL, idx);
	if (error == NULL || strstr(error, words) == NULL)
		test_assert_strcmp_idx(error, words, idx);
	credentials_deinit(&credentials);
}

static void
assert_shown(const char *text, const char *name, const char *expected,
	     unsigned int idx)
{
	struct credentials *credentials;
	const char *error;

	credentials = load(text, &error);
	test_assert_strcmp_idx(error, NULL, idx);
	if (credentials != NULL) {
		test_assert_strcmp_idx(test_credentials_show(credentials, name),
				       expected, idx);
	}
	credentials_deinit(&credentials);
}

static void test_find(void)
{
	/* the printer's form first */
	static const char *const texts[] = {
		TEST_FILE(TEST_JANE ",\n" TEST_JOE "\n"),
		TEST_FILE(TEST_JOE ",\n" TEST_JANE "\n"),
		"{\"version\":1,\"users\":{" TEST_JANE "," TEST_JOE "}}",
		"{\"users\":{" TEST_JANE "," TEST_JOE "},\"version\":1}",
		"\n {\"users\" : {\n\t" TEST_JANE ",\n" TEST_JOE " } \n"
		",\"version\": 1 }\n\n",
		/* two in one line */
		TEST_FILE(TEST_JANE "," TEST_JOE "\n"),
		TEST_FILE("\"a\":{}," TEST_JANE "," TEST_JOE "\n"),
		TEST_FILE(TEST_JANE ",\n\n" TEST_JOE "\n"),
		TEST_FILE(TEST_JANE ",\n" TEST_JOE),
		TEST_FILE(TEST_JANE ",\r\n" TEST_JOE "\n"),
		TEST_FILE(TEST_JANE ",\n " TEST_JOE "\n"),
		TEST_FILE(TEST_JANE "\n,\n" TEST_JOE "\n"),
		TEST_FILE(TEST_JANE ",\n" TEST_JOE "\n") "\n",
		TEST_FILE(TEST_JANE ",\n" TEST_JOE "\n") " ",
		/* members that are unknown, and braces in strings */
		TEST_FILE("\"x\":{\"a\":\"}}{\\\"}\\\\\",\"users\":{\"b\":{}},"
			  "\"c\":[{}]},\n" TEST_JANE ",\n" TEST_JOE "\n"),
		"{\"version\":1,\"x\":\"{\\\"users\\\":{\",\"users\":{\n"
		TEST_JANE ",\n" TEST_JOE "\n}}\n",
		"{\"version\":1,\"x\":{\"version\":7,\"users\":{\"joe\":1}},"
		"\"users\":{\n" TEST_JANE ",\n" TEST_JOE "\n}}\n",
		/* not the users, but much like them */
		"{\"users\":{" TEST_JANE "," TEST_JOE "},\"version\":1,"
		"\"x\":{\"version\":1,\"users\":{\n\"bob\":{}\n}}}\n",
		"{\"users\":{" TEST_JANE "," TEST_JOE "},\"version\":1,"
		"\"x\":{\n\"bob\":{}\n}}\n",
	};
	unsigned int i;

	test_begin("credentials: find");
	for (i = 0; i < N_ELEMENTS(texts); i++) T_BEGIN {
		assert_shown(texts[i], "jane", JANE_SHOWN, i);
		assert_shown(texts[i], "joe", JOE_SHOWN, i);
		assert_shown(texts[i], "bob", "none", i);
		assert_shown(texts[i], "jan", "none", i);
		assert_shown(texts[i], "janet", "none", i);
		assert_shown(texts[i], "", "none", i);
		assert_shown(texts[i], "Jane", "none", i);
		assert_shown(texts[i], "jane\xff", "none", i);
		assert_shown(texts[i], "users", "none", i);
	} T_END;
	test_end();
}

static void test_names(void)
{
	static const struct {
		const char *json, *name;
	} tests[] = {
		{ "a", "a" },
		{ "jane@example.com", "jane@example.com" },
		{ "../x", "../x" },
		{ "%u %{user}", "%u %{user}" },
		{ "a\\\"b", "a\"b" },
		{ "a\\\\b", "a\\b" },
		{ "a\\\\", "a\\" },
		{ "\\\"", "\"" },
		{ "\\\\\\\"\\\\", "\\\"\\" },
		/* written in another way than ours */
		{ "\\u006aane", "jane" },
		{ "a\\/b", "a/b" },
		{ "\\u00e9", "\xc3\xa9" },
		{ "\xc3\xa9", "\xc3\xa9" },
		{ "\\ud83d\\ude00", "\xf0\x9f\x98\x80" },
		/* forms of Unicode differ */
		{ "e\xcc\x81", "e\xcc\x81" },
		{ "users", "users" },
		{ "a\",\"b", NULL },
	};
	struct credentials *credentials;
	const char *text, *error;
	unsigned int i;

	test_begin("credentials: names");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		text = t_strconcat("{\"version\":1,\"users\":{\n\"",
			tests[i].json, "\":{\"enabled\":false}\n}}\n", NULL);
		credentials = load(text, &error);
		test_assert_idx((credentials != NULL) ==
				(tests[i].name != NULL), i);
		if (credentials != NULL) {
			test_assert_idx(credentials_count(credentials) == 1,
					i);
			test_assert_strcmp_idx(
				credentials_get_name(credentials, 0),
				tests[i].name, i);
			test_assert_strcmp_idx(
				test_credentials_show(credentials,
						      tests[i].name),
				t_strconcat(tests[i].name, ":- off", NULL), i);
		}
		credentials_deinit(&credentials);
	} T_END;
	test_end();
}

static void test_no_users(void)
{
	static const char *const texts[] = {
		TEST_FILE(""), "{\"version\":1,\"users\":{}}",
		"{\"users\":{},\"version\":1}", TEST_FILE(" "),
	};
	struct credentials *credentials;
	const char *error;
	unsigned int i;

	test_begin("credentials: no users");
	for (i = 0; i <= N_ELEMENTS(texts); i++) {
		credentials = i < N_ELEMENTS(texts) ? load(texts[i], &error) :
			credentials_init_empty();
		test_assert_idx(credentials != NULL, i);
		if (credentials != NULL) {
			test_assert_idx(credentials_count(credentials) == 0, i);
			test_assert_strcmp_idx(test_credentials_show(
				credentials, "jane"), "none", i);
		}
		credentials_deinit(&credentials);
		test_assert_idx(credentials == NULL, i);
	}
	credentials_deinit(&credentials);
	test_end();
}

/* A file is whole or refused; but a user may be wrong alone. */
static void test_cut(void)
{
	static const char *const texts[] = {
		TEST_FILE(TEST_JANE ",\n" TEST_JOE "\n"),
		"{\"users\":{" TEST_JANE ",\n" TEST_JOE "},\n \"version\":1\n}",
	};
	size_t size;
	unsigned int i;

	test_begin("credentials: cut at every octet");
	for (i = 0; i < N_ELEMENTS(texts); i++) {
		for (size = 0; size < strlen(texts[i]); size++) T_BEGIN {
			/* all but a line end */
			if (i > 0 || size < strlen(texts[i]) - 1)
				assert_refused(texts[i], size, "line ", size);
		} T_END;
	}
	test_end();
}

static void test_damage(void)
{
	static const struct {
		const char *text, *words;
	} tests[] = {
		{ "", "line 1 column 0" },
		{ "[]", "not a JSON object" },
		{ "null", "line 1 column" },
		{ "{}", "version is not" },
		{ "{\"version\":1}", "users is missing" },
		{ "{\"version\":1,\"users\":[]}", "users is not an object" },
		{ "{\"version\":1,\"users\":null}", "users is not an object" },
		{ "{\"users\":{}}", "version is not" },
		{ "{\"version\":\"1\",\"users\":{}}", "version is not" },
		{ "{\"version\":1.0,\"users\":{\n}}\n", "version is not" },
		{ "{\"version\":0,\"users\":{\n}}\n", "version 0" },
		{ "{\"version\":2,\"users\":{\n}}\n", "version 2 is newer" },
		{ "{\"version\":2,\"users\":7}", "version 2 is newer" },
		{ "{\"version\":9223372036854775807,\"users\":{\n}}\n",
		  "is newer" },
		{ "{\"version\":9223372036854775808,\"users\":{\n}}\n",
		  "line 1 column" },
		{ "{\"version\":NaN,\"users\":{\n}}\n", "line 1 column" },
		{ "{\"version\":1,\"x\":1e999,\"users\":{\n}}\n",
		  "line 1 column" },
		{ "\xef\xbb\xbf" TEST_FILE(""), "line 1 column" },
		{ TEST_FILE("") "x", "line 3 column 1: " },
		{ TEST_FILE("") TEST_FILE(""), "line 3 column 1: " },
		/* twice */
		{ "{\"version\":1,\"version\":1,\"users\":{\n}}\n",
		  "line 1 column 22: duplicate object key" },
		{ "{\"version\":1,\"users\":{},\"users\":{\n}}\n",
		  "line 1 column 31: duplicate object key" },
		{ TEST_FILE(TEST_JOE ",\n" TEST_JANE ",\n" TEST_JOE "\n"),
		  "line 4 column 5: duplicate object key" },
		{ TEST_FILE(TEST_JOE ",\n\"j\\u006fe\":{}\n"),
		  "line 3 column 10: duplicate object key" },
		{ TEST_FILE(TEST_JOE "," TEST_JOE "\n"),
		  "duplicate object key" },
		/* commas */
		{ TEST_FILE(TEST_JOE ",\n"), "line 3 column 1: " },
		{ TEST_FILE(TEST_JOE "\n" TEST_JANE "\n"),
		  "line 3 column 6: " },
		{ TEST_FILE(",\n" TEST_JANE "\n"), "line 2 column 1: " },
		{ TEST_FILE(TEST_JANE ",,\n" TEST_JOE "\n"), "line 2 column" },
		/* braces */
		{ TEST_FILE("\"a\":{\n"), "line 4 column 0: " },
		{ TEST_FILE("\"a\":{}}\n"), "line 3 column" },
		{ TEST_FILE("\"a\":{\"b\":{}\n"), "line 4 column 0: " },
		{ TEST_FILE("\"a\":{\"x\":\"}\n"), "line 2 column" },
		{ TEST_FILE("\"a\":{\"x\":\"\\\n"), "line 3 column 0: " },
		{ TEST_FILE("\"a\":{\"x\":\"\\\"}\n"), "line 2 column" },
		/* strings and users that do not end with their line */
		{ TEST_FILE("\"a\":{\"x\":\"\n\"}\n"), "line 2 column 10: " },
		{ TEST_FILE("\"a\":{\"x\":\"\\\n\"}\n"), "line 3 column 0: " },
		{ TEST_FILE("\"a\":{},x\"b\":{}\n"), "line 2 column 8: " },
		{ TEST_FILE("\"a\":{}x"), "line 2 column 7: " },
		/* users that are none */
		{ TEST_FILE("\"a\":1\n"),
		  "line 2 column 1: user \"a\" is not an object" },
		{ TEST_FILE(TEST_JOE ",\n\"a\": null,\n\"b\":[]\n"),
		  "line 3 column 1: user \"a\" is not an object" },
		{ TEST_FILE("\"b\":[{\"a\":1},\"c\"]\n"),
		  "line 2 column 1: user \"b\" is not an object" },
		{ "{\"x\":{\"a\":{},\"b\":\"\\\"\"},\n\"version\":1,\n"
		  "  \"users\":\n{ \"\xc3\xa9\":{\"\\\\\":[\"c\",{}]},"
		  " \"b\":7}}",
		  "line 4 column 24: user \"b\" is not an object" },
		{ TEST_FILE("\"\":{}\n"), "line 2 column 1: the name of the "
		  "user is empty, expected 1 to 255 octets" },
		{ TEST_FILE("\"a\x7f\":{}\n"), "line 2 column 1: the name of "
		  "the user has a control character" },
		{ TEST_FILE("\"a\xc2\x85\":{}\n"), "has a control character" },
		{ TEST_FILE("\"a\\n\":{}\n"), "has a control character" },
		{ TEST_FILE("\"a\\u001b\":{}\n"), "has a control character" },
		{ TEST_FILE("\"a\\u0000\":{}\n"), "line 2 column" },
		{ TEST_FILE("\"a\n\":{}\n"), "line 2 column" },
		{ TEST_FILE("\"\xff\":{}\n"), "line 2 column" },
		{ TEST_FILE("\"\xc0\xaf\":{}\n"), "line 2 column" },
		{ TEST_FILE("\"\xed\xa0\x80\":{}\n"), "line 2 column" },
		{ TEST_FILE("\"\\ud800\":{}\n"), "line 2 column" },
		{ TEST_FILE("\"\\udc00\\ud800\":{}\n"), "line 2 column" },
		/* nothing of a password is told */
		{ TEST_FILE("\"a\":{\"password\" \"hunter2\"},\n\n"),
		  "line 2 column 25: ':' expected" },
	};
	static const char with_nul[] = TEST_FILE(TEST_JOE "\n") "\0";
	static const char nul_inside[] = TEST_FILE("\"a\":{\0}\n");
	static const char nul_first[] = "{\0\"version\":1,\"users\":{\n}}\n";
	unsigned int i;

	test_begin("credentials: damage");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		struct credentials *credentials;
		const char *error;

		assert_refused(tests[i].text, strlen(tests[i].text),
			       tests[i].words, i);
		credentials = load(tests[i].text, &error);
		test_assert_idx(error == NULL ||
				strstr(error, "hunter2") == NULL, i);
		credentials_deinit(&credentials);
	} T_END;
	assert_refused(with_nul, sizeof(with_nul) - 1, "line ", i++);
	assert_refused(nul_inside, sizeof(nul_inside) - 1, "line ", i++);
	assert_refused(nul_first, sizeof(nul_first) - 1, "line ", i++);
	test_end();
}

/* One user is wrong in a file of the printer's form, and in one that is not. */
static void test_damaged_user(void)
{
	static const struct {
		const char *user, *error;
	} tests[] = {
		{ "{\"password\":7}", "password is not a string" },
		{ "{\"enabled\":1}", "enabled is neither true nor false" },
		{ "{\"password\":\"hunter2\"}", "password is not a hash, "
		  "expected \"$argon2id$...\" or another one that starts "
		  "with \"$NAME$\" or \"{SCHEME}\"" },
	};
	static const struct {
		const char *user;
		unsigned int column;
		const char *error;
	} syntax[] = {
		{ "{x}", 7, "string or '}' expected" },
		{ "{\"a\":1,\"a\":2}", 15, "duplicate object key" },
		{ "{\"a\":[}", 12, "unexpected token" },
		{ "{\"a\":1e999}", 15, "real number overflow" },
		{ "{\"a\":9223372036854775808}", 29, "too big integer" },
		{ "{\"a\":\"\\ud800\"}", 18, "invalid Unicode '\\uD800'" },
		{ "{\"a\":NaN}", 13, "invalid token" },
		{ "{\"password\" \"hunter2\"}", 26, "':' expected" },
	};
	const char *expected;
	unsigned int i;

	test_begin("credentials: a damaged user");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		expected = t_strconcat("line 3 column 1: user \"b\xc3\xa9\": ",
				       tests[i].error, NULL);
		assert_shown(t_strconcat("{\"version\":1,\"users\":{\n"
			TEST_JANE ",\n\"b\xc3\xa9\":", tests[i].user, ",\n"
			TEST_JOE "\n}}\n", NULL), "b\xc3\xa9", expected, i);
		assert_shown(t_strconcat("{\"version\":1,\"users\":{\n"
			TEST_JANE ",\n\"b\\u00e9\": ", tests[i].user, ", "
			TEST_JOE "}}\n", NULL), "b\xc3\xa9", expected, i);
		assert_shown(t_strconcat("{\"version\":1,\"users\":{\n"
			TEST_JANE ",\n\"b\xc3\xa9\":", tests[i].user, ",\n"
			TEST_JOE "\n}}\n", NULL), "joe", JOE_SHOWN, i);
	} T_END;
	for (i = 0; i < N_ELEMENTS(syntax); i++) T_BEGIN {
		const char *text = t_strconcat("{\"version\":1,\"users\":{\n"
			TEST_JANE ",\n\"b\xc3\xa9\":", syntax[i].user, ",\n"
			TEST_JOE "\n}}\n", NULL);

		assert_shown(text, "b\xc3\xa9", t_strdup_printf("line 3 column "
			"%u: user \"b\xc3\xa9\": %s", syntax[i].column,
			syntax[i].error), i);
		assert_shown(text, "joe", JOE_SHOWN, i);
		/* where jansson sees it that has the whole file */
		assert_refused(t_strconcat(text, " x", NULL), strlen(text) + 2,
			       t_strdup_printf("line 3 column %u: %s",
				syntax[i].column, syntax[i].error), i);
	} T_END;
	test_end();
}

static void test_bounds(void)
{
	string_t *text = str_new(default_pool, CREDENTIALS_MAX_SIZE + 1);
	struct credentials *credentials;
	const char *error;
	unsigned int i;

	test_begin("credentials: bounds");
	/* a name may be as long as that */
	for (i = 254; i <= 256; i++) {
		str_truncate(text, 0);
		str_append(text, "{\"version\":1,\"users\":{\n\"");
		memset(buffer_append_space_unsafe(text, i), 'x', i);
		str_append(text, "\":{}\n}}\n");
		credentials = load(str_c(text), &error);
		test_assert_idx((credentials != NULL) == (i <= 255), i);
		credentials_deinit(&credentials);
	}
	test_assert_strcmp(error, "line 2 column 1: the name of the user has "
			   "256 octets, expected at most 255");

	/* a user who is too large is found, but not read */
	str_truncate(text, 0);
	str_append(text, "{\"version\":1,\"users\":{\n\"a\":{\"x\":\"");
	i = CREDENTIAL_USER_MAX_SIZE + 1 - strlen("\"a\":{\"x\":\"\"}");
	memset(buffer_append_space_unsafe(text, i), 'x', i);
	str_append(text, "\"},\n" TEST_JOE "\n}}\n");
	assert_shown(str_c(text), "a", "line 2 column 1: user \"a\": 1048577 "
		     "octets, expected at most 1048576", 0);
	assert_shown(str_c(text), "joe", JOE_SHOWN, 1);

	/* nesting */
	str_truncate(text, 0);
	str_append(text, "{\"version\":1,\"users\":{\n\"a\":{\"x\":");
	memset(buffer_append_space_unsafe(text, 10000), '[', 10000);
	memset(buffer_append_space_unsafe(text, 10000), ']', 10000);
	str_append(text, "},\n" TEST_JOE "\n}}\n");
	assert_shown(str_c(text), "a", "line 2 column 2057: user \"a\": "
		     "maximum parsing depth reached", 2);
	assert_shown(str_c(text), "joe", JOE_SHOWN, 3);
	str_append(text, " ");
	str_insert(text, 0, " ");
	assert_refused(str_data(text), str_len(text), "line 2 column", 4);

	/* the file */
	str_truncate(text, 0);
	i = CREDENTIALS_MAX_SIZE + 1;
	memset(buffer_append_space_unsafe(text, i), ']', i);
	assert_refused(str_data(text), str_len(text), "67108865 octets, "
		       "expected at most 67108864", 5);
	str_truncate(text, CREDENTIALS_MAX_SIZE);
	assert_refused(str_data(text), str_len(text), "line 1 column 1: ", 6);
	str_free(&text);
	test_end();
}

static void test_many(void)
{
	enum { USERS = 10000 };
	string_t *text = str_new(default_pool, 1024 * 1024);
	struct credentials *credentials;
	const char *error, *name, *previous = "";
	unsigned int i;

	test_begin("credentials: many users");
	str_append(text, "{\"version\":1,\"users\":{\n");
	for (i = 0; i < USERS; i++) {
		str_printfa(text, "\"user%u\":{\"password\":\"$x$%u\"}%s\n",
			    i, i, i < USERS - 1 ? "," : "");
	}
	str_append(text, "}}\n");
	credentials = load(str_c(text), &error);
	test_assert(credentials != NULL);
	for (i = 0; i < USERS && credentials != NULL; i++) T_BEGIN {
		name = t_strdup_printf("user%u", i);
		test_assert_strcmp_idx(test_credentials_show(credentials, name),
			t_strdup_printf("user%u:$x$%u", i, i), i);
	} T_END;
	test_assert(credentials_count(credentials) == USERS);
	for (i = 0; i < USERS; i++) {
		name = credentials_get_name(credentials, i);
		test_assert_idx(strcmp(previous, name) < 0, i);
		previous = name;
	}
	credentials_deinit(&credentials);
	str_free(&text);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_find,
		test_names,
		test_no_users,
		test_cut,
		test_damage,
		test_damaged_user,
		test_bounds,
		test_many,
		NULL
	};
	return test_run(test_functions);
}
