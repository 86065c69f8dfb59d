/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "passdb-json-settings.h"

#define M (1024 * 1024)

static const struct {
	const char *args, *path;
	uoff_t memory;
	unsigned int passes;
} good_tests[] = {
	{ "path=/x", "/x", 64 * M, 2 },
	{ "path=/x/%u=.json", "/x/%u=.json", 64 * M, 2 },
	{ "hash_passes=3 path=/x hash_memory=32M", "/x", 32 * M, 3 },
	{ "  path=/x   hash_memory=1G ", "/x", 1024 * M, 2 },
	{ "path=/x path=/y", "/y", 64 * M, 2 },
};

static const struct {
	const char *args, *error;
} bad_tests[] = {
	{ "", "path: not set, expected the absolute path of a credential "
	  "file" },
	{ "path", "path: not set, expected the absolute path of a credential "
	  "file" },
	{ "/x", "unknown argument \"/x\", expected path=, hash_memory= or "
	  "hash_passes=" },
	{ "path=/x paths=/y", "unknown argument \"paths=/y\", expected path=, "
	  "hash_memory= or hash_passes=" },
	{ "path=/x hash_memory=much", "hash_memory: \"much\" is no amount of "
	  "octets, expected one such as 64M" },
	{ "path=/x hash_memory", "hash_memory: \"\" is no amount of octets, "
	  "expected one such as 64M" },
	{ "path=/x hash_memory=64", "hash_memory: 64 octets, expected 1M to "
	  "1G" },
	{ "path=/x hash_passes=-1", "hash_passes: \"-1\" is not a number" },
	{ "path=/x hash_passes=2x", "hash_passes: \"2x\" is not a number" },
	{ "path=/x hash_passes=0", "hash_passes: 0, expected 1 to 100" },
};

static void test_good(void)
{
	struct passdb_json_settings set;
	const char *error;
	unsigned int i;

	test_begin("passdb_json_settings_parse_args()");
	for (i = 0; i < N_ELEMENTS(good_tests); i++) {
		test_assert_idx(passdb_json_settings_parse_args(
			good_tests[i].args, pool_datastack_create(), &set,
			&error) == 0, i);
		test_assert_idx(strcmp(set.passdb_json_path,
				       good_tests[i].path) == 0, i);
		test_assert_idx(set.passdb_json_hash_memory ==
				good_tests[i].memory, i);
		test_assert_idx(set.passdb_json_hash_passes ==
				good_tests[i].passes, i);
	}
	test_end();
}

static void test_bad(void)
{
	struct passdb_json_settings set = { .passdb_json_path = NULL };
	const char *error;
	unsigned int i;

	test_begin("passdb_json_settings_parse_args(): errors");
	for (i = 0; i < N_ELEMENTS(bad_tests); i++) {
		test_assert_idx(passdb_json_settings_parse_args(
			bad_tests[i].args, pool_datastack_create(), &set,
			&error) == -1, i);
		test_assert_idx(strcmp(error, bad_tests[i].error) == 0, i);
		test_assert_idx(set.passdb_json_path == NULL, i);
	}
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_good,
		test_bad,
		NULL
	};

	return test_run(test_functions);
}
