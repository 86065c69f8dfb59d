/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "test-credential-use.h"

#define APP(members) \
	"{\"app_passwords\":[{\"id\":\"k7qmx3\",\"hash\":\"$1$x\"" members "}]}"
#define OTHER_APP(id) ",{\"id\":\"" id "\",\"hash\":\"$1$y\"}"

struct user_test {
	/* the object of the user */
	const char *json;
	/* what is shown, or the words of the error */
	const char *expected;
};

static const char *parse(const char *json)
{
	const char *text = t_strconcat("{\"version\":1,\"users\":{\n\"u\":",
				       json, "\n}}\n", NULL);
	struct credentials *credentials;
	const char *result, *error;

	credentials = test_credentials_load(text, strlen(text), &error);
	if (credentials == NULL)
		return error;
	result = test_credentials_show(credentials, "u");
	credentials_deinit(&credentials);
	return result;
}

static void
run(const char *name, const struct user_test *tests, unsigned int count)
{
	unsigned int i;

	test_begin(t_strconcat("credential json: ", name, NULL));
	for (i = 0; i < count; i++) T_BEGIN {
		const char *expected = tests[i].expected;

		if (strncmp(expected, "u:", 2) != 0) {
			expected = t_strconcat("line 2 column 1: user \"u\": ",
					       expected, NULL);
		}
		test_assert_strcmp_idx(parse(tests[i].json), expected, i);
	} T_END;
	test_end();
}

static void test_good(void)
{
	static const struct user_test tests[] = {
		{ "{}", "u:-" },
		{ "{\"password\":\"$1$x\"}", "u:$1$x" },
		{ "{\"enabled\":true}", "u:-" },
		{ "{\"enabled\":false}", "u:- off" },
		{ "{\"protocols\":[\"pop3\"]}", "u:- +pop3" },
		{ "{\"fields\":{}}", "u:-" },
		{ "{\"fields\":{\"b\":\"\",\"a\":\"x y=\xc3\xa4\"}}",
		  "u:- b= a=x y=\xc3\xa4" },
		{ "{\"app_passwords\":[]}", "u:-" },
		{ APP(""), "u:- [k7qmx3 $1$x () 0-0]" },
		{ APP(",\"label\":\"my phone\""),
		  "u:- [k7qmx3 $1$x (my phone) 0-0]" },
		{ APP(",\"label\":\"\",\"created\":0,\"expires\":0"),
		  "u:- [k7qmx3 $1$x () 0-0]" },
		{ APP(",\"created\":1,\"expires\":9223372036854775807"),
		  "u:- [k7qmx3 $1$x () 1-9223372036854775807]" },
		{ APP(",\"networks\":[\"10.0.0.0/8\",\"::1\"]"),
		  "u:- [k7qmx3 $1$x () 0-0 @10.0.0.0/8 @::1/128]" },
		{ APP(",\"protocols\":[\"pop3\",\"imap\"]"),
		  "u:- [k7qmx3 $1$x () 0-0 +pop3 +imap]" },
		{ APP(",\"settings\":{\"pop3_policy_b\":\"1\","
		      "\"pop3_policy_a\":\"2 3\"}"),
		  "u:- [k7qmx3 $1$x () 0-0 pop3_policy_b=1 pop3_policy_a=2 3]" },
		{ "{\"app_passwords\":[{\"id\":\"k7qmx3\",\"hash\":\"$1$x\"}"
		  OTHER_APP("aaaaaa") OTHER_APP("222222") "]}",
		  "u:- [k7qmx3 $1$x () 0-0] [aaaaaa $1$y () 0-0] "
		  "[222222 $1$y () 0-0]" },
		/* what this version does not know */
		{ "{\"Password\":\"x\",\"last_used\":{\"time\":1}}", "u:-" },
		{ APP(",\"x\":[{}],\"last_used\":null"),
		  "u:- [k7qmx3 $1$x () 0-0]" },
	};

	run("good users", tests, N_ELEMENTS(tests));
}

static void test_bad(void)
{
	static const struct user_test tests[] = {
		{ "{\"password\":\"\"}", "password is not a hash, expected "
		  "\"$argon2id$...\" or another one that starts with "
		  "\"$NAME$\" or \"{SCHEME}\"" },
		{ "{\"password\":\"{PLAIN}x\"}", "password has the scheme "
		  "PLAIN, expected a hash that the password cannot be read "
		  "from" },
		{ "{\"protocols\":[]}", "protocols is empty, expected 1 to 16 "
		  "entries, or no such member for all" },
		{ "{\"protocols\":[\"pop3\",\"IMAP\"]}", "protocols[1]: is "
		  "not a protocol, expected 1 to 32 lower-case letters, "
		  "digits, \"-\" and \"_\"" },
		{ "{\"protocols\":[7]}", "protocols[0]: is not a string" },
		{ "{\"fields\":{\"a\":\"b\",\"c d\":\"e\"}}", "fields: the "
		  "name of an entry is not the name of a field, expected 1 to "
		  "128 letters, digits and \"-_./:+@\"" },
		{ "{\"fields\":{\"userdb_uid\":1000}}", "fields: userdb_uid "
		  "is not a string" },
		{ "{\"fields\":{\"a\":\"b\\nc\"}}", "fields: a has a control "
		  "character, expected UTF-8 without control characters" },
		{ "{\"app_passwords\":[7]}", "app_passwords[0]: is not an "
		  "object" },
		{ "{\"app_passwords\":[{}]}",
		  "app_passwords[0]: id is missing" },
		{ "{\"app_passwords\":[{\"id\":\"k7qmx3\"}]}",
		  "app_passwords[0]: hash is missing" },
		{ "{\"app_passwords\":[{\"id\":\"k7qmx3\",\"hash\":\"$1$x\"}"
		  OTHER_APP("aaaaaa") OTHER_APP("k7qmx3") "]}",
		  "app_passwords[2]: id \"k7qmx3\" is that of another one, "
		  "expected each one once" },
		{ "{\"app_passwords\":[{\"id\":\"k7qmx\",\"hash\":\"$1$x\"}]}",
		  "app_passwords[0]: id is not an id, expected 6 characters of "
		  "\"abcdefghjkmnpqrstuvwxyz23456789\"" },
		{ APP(",\"label\":\"\\u0007\""), "app_passwords[0]: label has "
		  "a control character, expected UTF-8 without control "
		  "characters" },
		{ APP(",\"created\":-1"), "app_passwords[0]: created is not a "
		  "whole number of 0 or more" },
		{ APP(",\"expires\":1e3"), "app_passwords[0]: expires is not "
		  "a whole number of 0 or more" },
		{ APP(",\"networks\":[]"), "app_passwords[0]: networks is "
		  "empty, expected 1 to 16 entries, or no such member for "
		  "all" },
		{ APP(",\"networks\":[\"10.0.0.0/8\",\"x\"]"),
		  "app_passwords[0]: networks[1]: \"x\" is not a network, "
		  "expected one like 192.0.2.0/24 or 2001:db8::/32" },
		{ APP(",\"protocols\":[]"), "app_passwords[0]: protocols is "
		  "empty, expected 1 to 16 entries, or no such member for "
		  "all" },
		{ APP(",\"settings\":{\"pop3_policy_x\":\"\"}"),
		  "app_passwords[0]: settings: pop3_policy_x is empty, "
		  "expected a value" },
		{ APP(",\"settings\":{\"userdb_uid\":\"0\"}"),
		  "app_passwords[0]: settings: the name of an entry is not a "
		  "setting of an app password, expected pop3_policy_NAME of at "
		  "most 128 octets" },
	};

	run("bad users", tests, N_ELEMENTS(tests));
}

static void test_wrong_types(void)
{
	static const struct {
		const char *before, *after, *error;
		/* the type that is right */
		char type;
	} members[] = {
		{ "{\"password\":", "}", "password is not a string", '"' },
		{ "{\"enabled\":", "}",
		  "enabled is neither true nor false", 'b' },
		{ "{\"protocols\":", "}", "protocols is not an array", '[' },
		{ "{\"protocols\":[", "]}",
		  "protocols[0]: is not a string", '"' },
		{ "{\"fields\":", "}", "fields is not an object", '{' },
		{ "{\"fields\":{\"a\":", "}}",
		  "fields: a is not a string", '"' },
		{ "{\"app_passwords\":", "}",
		  "app_passwords is not an array", '[' },
		{ "{\"app_passwords\":[", "]}",
		  "app_passwords[0]: is not an object", '{' },
		{ "{\"app_passwords\":[{\"id\":", "}]}",
		  "app_passwords[0]: id is not a string", '"' },
		{ "{\"app_passwords\":[{\"id\":\"k7qmx3\",\"hash\":", "}]}",
		  "app_passwords[0]: hash is not a string", '"' },
#define A "{\"app_passwords\":[{\"id\":\"k7qmx3\",\"hash\":\"$1$x\","
		{ A "\"label\":", "}]}",
		  "app_passwords[0]: label is not a string", '"' },
		{ A "\"created\":", "}]}", "app_passwords[0]: created is not "
		  "a whole number of 0 or more", '7' },
		{ A "\"expires\":", "}]}", "app_passwords[0]: expires is not "
		  "a whole number of 0 or more", '7' },
		{ A "\"networks\":", "}]}",
		  "app_passwords[0]: networks is not an array", '[' },
		{ A "\"networks\":[", "]}]}",
		  "app_passwords[0]: networks[0]: is not a string", '"' },
		{ A "\"protocols\":", "}]}",
		  "app_passwords[0]: protocols is not an array", '[' },
		{ A "\"settings\":", "}]}",
		  "app_passwords[0]: settings is not an object", '{' },
		{ A "\"settings\":{\"pop3_policy_x\":", "}}]}",
		  "app_passwords[0]: settings: pop3_policy_x is not a string",
		  '"' },
#undef A
	};
	static const struct {
		const char *value;
		char type;
	} values[] = {
		{ "null", 'n' }, { "true", 'b' }, { "\"x\"", '"' },
		{ "[]", '[' }, { "[7]", '[' }, { "{}", '{' }, { "7", '7' },
		{ "1.5", 'r' },
	};
	unsigned int m, v;

	test_begin("credential json: wrong types");
	for (m = 0; m < N_ELEMENTS(members); m++) {
		for (v = 0; v < N_ELEMENTS(values); v++) T_BEGIN {
			if (values[v].type != members[m].type) {
				test_assert_strcmp_idx(parse(t_strconcat(
					members[m].before, values[v].value,
					members[m].after, NULL)), t_strconcat(
					"line 2 column 1: user \"u\": ",
					members[m].error, NULL), m * 100 + v);
			}
		} T_END;
	}
	test_end();
}

/* So many entries with commas between them; the # is their number. */
static const char *
list(const char *before, const char *format, unsigned int count,
     const char *after)
{
	static const char *const digits = "abcdef23";
	string_t *text = t_str_new(1024);
	unsigned int i;

	str_append(text, before);
	for (i = 0; i < count; i++) {
		const char *number = t_strdup_printf("%c%c%c",
			digits[i / 64 % 8], digits[i / 8 % 8], digits[i % 8]);
		const char *mark = strchr(format, '#');

		if (i > 0)
			str_append_c(text, ',');
		str_append_data(text, format, mark - format);
		str_append(text, number);
		str_append(text, mark + 1);
	}
	str_append(text, after);
	return str_c(text);
}

static void test_bounds(void)
{
	static const struct {
		const char *before, *format, *after;
		unsigned int max;
		const char *error;
	} tests[] = {
		{ "{\"protocols\":[", "\"#\"", "]}", 16,
		  "protocols has 17 entries, expected at most 16" },
		{ "{\"fields\":{", "\"#\":\"\"", "}}", 64,
		  "fields has 65 entries, expected at most 64" },
		{ "{\"app_passwords\":[", "{\"id\":\"xyz#\",\"hash\":\"$1$x\"}",
		  "]}", 64,
		  "app_passwords has 65 entries, expected at most 64" },
		{ "{\"app_passwords\":[{\"id\":\"k7qmx3\",\"hash\":\"$1$x\","
		  "\"networks\":[", "\"::#\"", "]}]}", 16, "app_passwords[0]: "
		  "networks has 17 entries, expected at most 16" },
		{ "{\"app_passwords\":[{\"id\":\"k7qmx3\",\"hash\":\"$1$x\","
		  "\"protocols\":[", "\"#\"", "]}]}", 16, "app_passwords[0]: "
		  "protocols has 17 entries, expected at most 16" },
		{ "{\"app_passwords\":[{\"id\":\"k7qmx3\",\"hash\":\"$1$x\","
		  "\"settings\":{", "\"pop3_policy_#\":\"1\"", "}}]}", 32,
		  "app_passwords[0]: settings has 33 entries, expected at "
		  "most 32" },
	};
	static const struct {
		const char *before, *after;
		unsigned int max;
		const char *error;
	} texts[] = {
		{ "{\"password\":\"$1$", "\"}", 509,
		  "password has 513 octets, expected a hash of at most 512" },
		{ "{\"fields\":{\"a\":\"", "\"}}", 1024,
		  "fields: a has 1025 octets, expected at most 1024" },
		{ "{\"app_passwords\":[{\"id\":\"k7qmx3\",\"hash\":\"$1$x\","
		  "\"label\":\"", "\"}]}", 128, "app_passwords[0]: label has "
		  "129 octets, expected at most 128" },
	};
	unsigned int i;

	test_begin("credential json: bounds");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		test_assert_idx(strncmp(parse(list(tests[i].before,
			tests[i].format, tests[i].max, tests[i].after)),
			"u:-", 3) == 0, i);
		test_assert_strcmp_idx(parse(list(tests[i].before,
			tests[i].format, tests[i].max + 1, tests[i].after)),
			t_strconcat("line 2 column 1: user \"u\": ",
				    tests[i].error, NULL), i);
	} T_END;
	for (i = 0; i < N_ELEMENTS(texts); i++) T_BEGIN {
		char *value = t_malloc0(texts[i].max + 2);

		memset(value, 'x', texts[i].max);
		test_assert_idx(strncmp(parse(t_strconcat(texts[i].before,
			value, texts[i].after, NULL)), "u:", 2) == 0, i);
		value[texts[i].max] = 'x';
		test_assert_strcmp_idx(parse(t_strconcat(texts[i].before,
			value, texts[i].after, NULL)), t_strconcat(
			"line 2 column 1: user \"u\": ", texts[i].error, NULL),
			i);
	} T_END;
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_good,
		test_bad,
		test_wrong_types,
		test_bounds,
		NULL
	};
	return test_run(test_functions);
}
