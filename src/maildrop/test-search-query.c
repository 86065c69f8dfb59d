/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "mail-search.h"
#include "search-query.h"

static const char *const views[] = {
	"NOT KEYWORD $Junk",
	"KEYWORD $Junk OR ( SEEN SMALLER 10M )",
	"\"NOT\" \"KEYWORD\" $Junk",
	" SUBJECT \"a \\\"word\\\" or two\"\t",
	"SENTSINCE 2026-01-01 NOT HEADER X-Spam yes",
	"SINCE 30days YOUNGER 100",
	"OLDER 1000 NOT ( BODY x OR TEXT y )",
	"NOT ALL",
	"FLAGGED",
};

/* Queries, but not for a view. */
static const char *const others[] = {
	"1:5", "*", "UID 5", "NOT UID 5:*", "KEYWORD $Junk OR UID 1",
	"SEEN ( FLAGGED OR ( DRAFT NOT ( SEEN UID 3 ) ) )", "$", "MODSEQ 5",
	"INTHREAD REFS ALL", "MAILBOX INBOX", "MAILBOX-GUID abc",
	"NOT ( SEEN X-REAL-UID 5 )", "OLDESTONLY SEEN",
};

static const struct {
	const char *query, *error;
} bad[] = {
	{ "NONSENSE", "bad search query \"NONSENSE\": Unknown argument" },
	{ "\"SEEN", "bad search query \"\"SEEN\": a quote is not closed, "
	  "expected one as doveadm search takes it, such as EXAMPLES" },
	{ "KEYWORD", "bad search query \"KEYWORD\": " },
	{ "SEEN OR", "bad search query \"SEEN OR\": " },
	{ "NOT", "bad search query \"NOT\": " },
	{ "( SEEN", "bad search query \"( SEEN\": " },
	{ "SEEN )", "bad search query \"SEEN )\": " },
	{ "SMALLER x", "bad search query \"SMALLER x\": " },
};

static void test_good(void)
{
	struct mail_search_args *args;
	const char *error;
	unsigned int i;

	test_begin("search query: good ones");
	for (i = 0; i < N_ELEMENTS(views); i++) {
		args = search_query_parse(views[i], "EXAMPLES", &error);
		test_assert_idx(args != NULL && args->args != NULL, i);
		mail_search_args_unref(&args);
		args = search_query_parse_view(views[i], &error);
		test_assert_idx(args != NULL && args->args != NULL, i);
		mail_search_args_unref(&args);
	}
	test_end();
}

static void test_others(void)
{
	struct mail_search_args *args;
	const char *error;
	unsigned int i;

	test_begin("search query: not for a view");
	for (i = 0; i < N_ELEMENTS(others); i++) {
		args = search_query_parse(others[i], "EXAMPLES", &error);
		test_assert_idx(args != NULL, i);
		mail_search_args_unref(&args);
		error = "";
		test_assert_idx(search_query_parse_view(others[i],
							&error) == NULL, i);
		test_assert_idx(strstr(error, " cannot be in it, expected one "
			"as doveadm search takes it, such as "
			"NOT KEYWORD $Junk, or ALL") != NULL, i);
	}
	test_end();
}

static void test_bad(void)
{
	const char *error;
	unsigned int i;

	test_begin("search query: bad ones");
	for (i = 0; i < N_ELEMENTS(bad); i++) {
		error = "";
		test_assert_idx(search_query_parse(bad[i].query, "EXAMPLES",
						   &error) == NULL, i);
		test_assert_strcmp_idx(t_strndup(error, strlen(bad[i].error)),
				       bad[i].error, i);
		test_assert_idx(search_query_parse_view(bad[i].query,
							&error) == NULL, i);
	}
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_good,
		test_others,
		test_bad,
		NULL
	};

	return test_run(test_functions);
}
