/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "compat-user-vars.h"

static const struct {
	const char *text;
	/* 1 if it has variables, 0 if not, -1 if one is refused */
	int expected_23, expected_24;
} tests[] = {
	{ "", 0, 0 },
	{ "/etc/x.json", 0, 0 },
	/* on 2.4 a percent sign alone is none of a variable */
	{ "/etc/%u.json", 1, 0 },
	{ "/etc/%d/%n.json", 1, 0 },
	{ "/etc/%Ld/%1.1Ln/%{user}", 1, 1 },
	{ "/etc/%{user}.json", 1, 1 },
	{ "/etc/%{username}", 1, -1 },
	{ "/etc/%{domain}", 1, -1 },
	{ "/etc/%{user | domain}/%{user | username | lower}", -1, 1 },
	{ "/etc/%{user | substr(0, 1)}", -1, 1 },
	{ "/etc/%%u.json", 0, 0 },
	{ "/etc/%%%u.json", 1, 0 },
	{ "/etc/%w", -1, 0 },
	{ "/etc/%u/%s", -1, 0 },
	{ "/etc/%{user}/%{protocol}", -1, -1 },
	{ "/etc/%{password}", -1, -1 },
	{ "/etc/%{session}", -1, -1 },
	{ "/etc/%{env:HOME}", -1, -1 },
	{ "/etc/%{passdb:x}", -1, -1 },
	{ "/etc/%{user | sha256(salt=password)}", -1, -1 },
	{ "/etc/%{user", -1, -1 },
	{ "/etc/%{}", -1, 0 },
	{ "/etc/%", -1, 0 },
};

static void test_compat_user_vars(void)
{
	const char *error;
	unsigned int i;
	bool has_vars;
	int ret;

	test_begin("compat_user_vars_check()");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		error = NULL;
		ret = compat_user_vars_check(tests[i].text, &has_vars, &error);
		if (ret == 0 && has_vars)
			ret = 1;
		test_assert_idx(ret == (DOVECOT_PREREQ(2, 4, 0) ?
					tests[i].expected_24 :
					tests[i].expected_23), i);
		test_assert_idx((ret < 0) == (error != NULL), i);
	}
	test_end();
}

static const char *mark(const char *value)
{
	return t_strdup_printf("<%s>", value);
}

static void test_compat_user_vars_expand(void)
{
	static const struct {
		const char *text_23, *text_24, *username, *result, *marked;
	} expand_tests[] = {
		{ "a", "a", "jane", "a", "a" },
		{ "", "", "jane", "", "" },
		{ "a%ub", "a%{user}b", "Jane@X", "aJane@Xb", "a<Jane@X>b" },
		{ "%{user}", "%{user}", "a/b", "a/b", "<a/b>" },
		{ "%d/%n", "%{user | domain}/%{user | username}", "j@x@y",
		  "x@y/j", "<x@y>/<j>" },
		{ "%{domain}/%{username}",
		  "%{user | domain}/%{user | username}", "jane", "/jane",
		  "<>/<jane>" },
		{ "%Lu", "%{user | lower}", "JANE@X", "jane@x", "<jane@x>" },
		{ "100%%", "100%", "jane", "100%", "100%" },
	};
	const char *text, *result, *error;
	unsigned int i;

	test_begin("compat_user_vars_expand()");
	for (i = 0; i < N_ELEMENTS(expand_tests); i++) {
		text = DOVECOT_PREREQ(2, 4, 0) ? expand_tests[i].text_24 :
			expand_tests[i].text_23;
		result = NULL;
		test_assert_idx(compat_user_vars_expand(text,
				expand_tests[i].username, NULL, &result,
				&error) == 0, i);
		test_assert_strcmp_idx(result, expand_tests[i].result, i);
		test_assert_idx(compat_user_vars_expand(text,
				expand_tests[i].username, mark, &result,
				&error) == 0, i);
		test_assert_strcmp_idx(result, expand_tests[i].marked, i);
	}
	result = error = NULL;
	test_assert(compat_user_vars_expand("%{nonesuch}", "jane", NULL,
					    &result, &error) < 0);
	test_assert(result == NULL && error != NULL);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_compat_user_vars,
		test_compat_user_vars_expand,
		NULL
	};

	return test_run(test_functions);
}
