/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "passdb-json-settings.h"

#define M (1024 * 1024)

static const struct {
	const char *path;
	uoff_t memory;
	unsigned int passes;
	/* NULL if it is good */
	const char *error;
} check_tests[] = {
	{ "/etc/x.json", 64 * M, 2, NULL },
	{ "/", M, 1, NULL },
	{ "/etc/%u.json", 1024 * M, 100, NULL },
	{ "", 64 * M, 2, "path: not set, expected the absolute path of a "
	  "credential file" },
	{ "x.json", 64 * M, 2, "path: \"x.json\" is not an absolute path" },
	{ "%u", 64 * M, 2, "path: \"%u\" is not an absolute path" },
	{ "/x", M - 1, 2, "hash_memory: 1048575 octets, expected 1M to 1G" },
	{ "/x", 1024 * M + 1, 2,
	  "hash_memory: 1073741825 octets, expected 1M to 1G" },
	{ "/x", 64 * M, 0, "hash_passes: 0, expected 1 to 100" },
	{ "/x", 64 * M, 101, "hash_passes: 101, expected 1 to 100" },
};

static void test_check(void)
{
	struct passdb_json_settings set = passdb_json_default_settings;
	const char *error;
	unsigned int i;
	bool good;

	test_begin("passdb_json_settings_check()");
	for (i = 0; i < N_ELEMENTS(check_tests); i++) {
		set.passdb_json_path = check_tests[i].path;
		set.passdb_json_hash_memory = check_tests[i].memory;
		set.passdb_json_hash_passes = check_tests[i].passes;
		error = NULL;
		good = passdb_json_settings_check(&set, &error);
		test_assert_idx(good == (check_tests[i].error == NULL), i);
		test_assert_idx(null_strcmp(error, check_tests[i].error) == 0,
				i);
	}
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_check,
		NULL
	};

	return test_run(test_functions);
}
