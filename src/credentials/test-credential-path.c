/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "credential-path.h"
#include "test-user-vars.h"

static const struct {
	const char *with_vars, *username;
	/* NULL if the name is refused */
	const char *path;
} tests[] = {
	/* no variable, no matter */
	{ "/etc/c.json", "jane", "/etc/c.json" },
	{ "/etc/c.json", "../jane", "/etc/c.json" },
	{ "/etc/"USER".json", "jane", "/etc/jane.json" },
	{ "/etc/"USER".json", "jane@example.org",
	  "/etc/jane@example.org.json" },
	{ "/etc/"LOWER, "Jane", "/etc/jane" },
	{ "/etc/"USER".json", "jane.", "/etc/jane..json" },
	{ "/etc/"USER".json", "ja..ne", "/etc/ja..ne.json" },
	{ "/etc/"USER".json", "\xc3\xa4", "/etc/\xc3\xa4.json" },
	{ "/etc/.hidden/"USER, "jane", "/etc/.hidden/jane" },
	{ "/etc/."USER, "jane", "/etc/.jane" },
	{ "/etc/"DOMAIN"/"LOCAL, "jane@example.org", "/etc/example.org/jane" },
	{ "/etc/"DOMAIN"/"LOCAL, "jane@a@b", "/etc/a@b/jane" },
	/* who is in no domain */
	{ "/etc/"DOMAIN"/"LOCAL, "jane", "/etc//jane" },
	{ "/etc/"DOMAIN"/c.json", "jane", "/etc//c.json" },
	{ "/etc/"DOMAIN"/c.json", "jane@", "/etc//c.json" },
	/* a dot or a slash in front, or nothing at all, is left */
	{ "/etc/"DOMAIN".json", "jane", NULL },
	{ "/etc/"LOCAL".json", "@example.org", NULL },
	{ "/etc/"LOCAL, "@example.org", NULL },

	{ "/etc/"USER".json", "/", NULL },
	{ "/etc/"USER".json", "a/b", NULL },
	{ "/etc/"USER".json", "jane/", NULL },
	{ "/etc/"USER".json", ".jane", NULL },
	{ "/etc/"USER"/jane", ".", NULL },
	{ "/etc/"USER"/jane", "..", NULL },
	{ "/etc/"USER"/jane", "../..", NULL },
	{ "/etc/"DOMAIN"/jane", "jane@..", NULL },
	{ "/etc/"DOMAIN"/jane", "jane@a/b", NULL },
	{ "/etc/.hidden/"USER".json", ".jane", NULL },
	{ "/etc/.hidden/"USER"/jane", "..", NULL },
	{ "/etc/jane"USER, "/../shadow", NULL },
	{ "/etc/jane"USER, ".json", NULL },
	/* what stands in for a value that is refused */
	{ "/etc/"USER".json", "\001", NULL },

	/* a modifier makes something else of the value */
	{ "/etc/"CUT, "jane", "/etc/ane" },
	{ "/etc/"CUT"/jane", "a..", NULL },
	{ "/etc/"CUT"/jane", "a.", NULL },
	{ "/etc/"CUT, "a.b", NULL },
	{ "/etc/"CUT, "aa/b", NULL },
	{ "/etc/"CUT, "a", NULL },
};

static void test_credential_path(void)
{
	const char *path, *error;
	unsigned int i;
	int ret;

	test_begin("credential_path_make()");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		path = error = NULL;
		ret = credential_path_make(tests[i].with_vars,
					   tests[i].username, &path, &error);
		test_assert_idx(ret == (tests[i].path == NULL ? 0 : 1), i);
		test_assert_strcmp_idx(path, tests[i].path, i);
		test_assert_idx((ret == 0) == (error != NULL), i);
	}
	test_end();
}

static void test_credential_path_unknown(void)
{
	const char *path, *error;

	test_begin("credential_path_make(): unknown variables");
	test_assert(credential_path_make("/etc/%{nonesuch}", "jane", &path,
					 &error) < 0);
	test_assert(strstr(error, "/etc/%{nonesuch}: ") != NULL);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_credential_path,
		test_credential_path_unknown,
		NULL
	};

	return test_run(test_functions);
}
