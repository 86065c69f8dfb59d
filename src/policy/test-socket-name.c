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

static void test_check(void)
{
	const struct {
		const char *name;
		bool good;
	} tests[] = {
		{ "", TRUE },
		{ "pop3-policy-warning", TRUE },
		{ "/run/dovecot/x", TRUE },
		{ "!~", TRUE },
		{ repeat('x', POP3_SOCKET_MAX_LEN), TRUE },
		{ repeat('x', POP3_SOCKET_MAX_LEN + 1), FALSE },
		{ " ", FALSE },
		{ "two words", FALSE },
		{ "end ", FALSE },
		{ "tab\t", FALSE },
		{ "line\n", FALSE },
		{ "\x7f", FALSE },
		{ "\xc3\xa9", FALSE },
	};
	const char *error;
	unsigned int i;

	test_begin("socket name: check");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		error = NULL;
		test_assert_idx((pop3_socket_name_check(tests[i].name,
							&error) == 0) ==
				tests[i].good, i);
		test_assert_idx((error == NULL) == tests[i].good, i);
	}
	test_assert(pop3_socket_name_check("two words", &error) < 0);
	test_assert_strcmp(error, "bad socket \"two words\", expected the name "
		"of a socket in base_dir or an absolute path, of at most 107 "
		"printable characters without spaces");
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
		test_check,
		test_path,
		NULL
	};
	return test_run(test_functions);
}
