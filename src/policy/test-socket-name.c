/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "socket-name.h"

static const char *repeat(char c, size_t count)
{
	char *text = t_malloc0(count + 1);

	memset(text, c, count);
	return text;
}

static void test_parse(void)
{
	const struct {
		const char *text, *name;
		bool good;
	} tests[] = {
		{ "", NULL, TRUE },
		{ "none", NULL, TRUE },
		{ "None", "None", TRUE },
		{ "nonesuch", "nonesuch", TRUE },
		{ "pop3-policy-warning", "pop3-policy-warning", TRUE },
		{ "/run/dovecot/x", "/run/dovecot/x", TRUE },
		{ "!~", "!~", TRUE },
		{ repeat('x', POP3_SOCKET_MAX_LEN),
		  repeat('x', POP3_SOCKET_MAX_LEN), TRUE },
		{ repeat('x', POP3_SOCKET_MAX_LEN + 1), NULL, FALSE },
		{ " ", NULL, FALSE },
		{ "two words", NULL, FALSE },
		{ "end ", NULL, FALSE },
		{ "tab\t", NULL, FALSE },
		{ "line\n", NULL, FALSE },
		{ "\x7f", NULL, FALSE },
		{ "\xc3\xa9", NULL, FALSE },
	};
	const char *name, *error;
	unsigned int i;

	test_begin("socket name: parse");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		name = "untouched";
		error = NULL;
		test_assert_idx((pop3_socket_name_parse(tests[i].text, &name,
							&error) == 0) ==
				tests[i].good, i);
		test_assert_idx((error == NULL) == tests[i].good, i);
		test_assert_strcmp_idx(name, tests[i].good ? tests[i].name :
				       "untouched", i);
	}
	test_assert(pop3_socket_name_parse("two words", &name, &error) < 0);
	test_assert_strcmp(error, "bad socket \"two words\", expected none, "
		"the name of a socket in base_dir or an absolute path, of at most "
		"107 printable characters without spaces");
	test_end();
}

static void test_path(void)
{
	test_begin("socket name: path");
	test_assert_strcmp(pop3_socket_path("x", "/run/dovecot"),
			   "/run/dovecot/x");
	test_assert_strcmp(pop3_socket_path("/tmp/x", "/run/dovecot"),
			   "/tmp/x");
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_parse,
		test_path,
		NULL
	};
	return test_run(test_functions);
}
