/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "view-text.h"

static void test_everything(void)
{
	static const char *const tests[] = {
		"", " ", " \t ", "ALL", "all", "All", " ALL ", "\tall"
	};
	unsigned int i;

	test_begin("view: everything is shown");
	for (i = 0; i < N_ELEMENTS(tests); i++)
		test_assert_idx(pop3_view_query(tests[i]) == NULL, i);
	test_end();
}

static void test_queries(void)
{
	static const char *const tests[] = {
		"NOT KEYWORD $Junk", "SMALLER 10M", "NOT ALL", "ALL SEEN",
		"ALLES", "AL", "\"ALL\"", " SEEN "
	};
	unsigned int i;

	test_begin("view: queries are left as they are");
	for (i = 0; i < N_ELEMENTS(tests); i++)
		test_assert_idx(pop3_view_query(tests[i]) == tests[i], i);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_everything,
		test_queries,
		NULL
	};

	return test_run(test_functions);
}
