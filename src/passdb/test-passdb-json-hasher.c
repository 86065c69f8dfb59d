/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "password-hash.h"
#include "passdb-json-settings.h"
#include "passdb-json-hasher.h"

#define M (1024 * 1024ULL)

static const struct {
	uoff_t memory;
	unsigned int passes;
	uint64_t max_memory, max_work;
} tests[] = {
	/* the default */
	{ 64 * M, 2, 128 * M, 512 * M },
	/* what others have made stays good */
	{ M, 1, 128 * M, 512 * M },
	{ 256 * M, 1, 512 * M, 1024 * M },
	{ 64 * M, 10, 128 * M, 2560 * M },
	{ 16 * M, 100, 128 * M, 6400 * M },
	{ 1024 * M, 100, 2048 * M, 409600 * M },
};

static void test_passdb_json_hasher_settings(void)
{
	struct passdb_json_settings set = { .passdb_json_path = "/x" };
	struct password_hasher_settings hasher_set;
	struct password_hasher *hasher;
	const char *error;
	unsigned int i;

	test_begin("passdb_json_hasher_settings()");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		set.passdb_json_hash_memory = tests[i].memory;
		set.passdb_json_hash_passes = tests[i].passes;
		test_assert_idx(passdb_json_settings_check(&set, &error), i);
		passdb_json_hasher_settings(&set, &hasher_set);
		test_assert_idx(hasher_set.memlimit == tests[i].memory, i);
		test_assert_idx(hasher_set.opslimit == tests[i].passes, i);
		test_assert_idx(hasher_set.max.memory == tests[i].max_memory,
				i);
		test_assert_idx(hasher_set.max.work == tests[i].max_work, i);
		/* libsodium takes what the settings allow */
		if (password_hasher_init(&hasher_set, &hasher, &error) < 0)
			i_fatal("%s", error);
		password_hasher_deinit(&hasher);
	}
	test_end();
}

static void test_default(void)
{
	struct password_hasher_settings set;

	test_begin("passdb_json_hasher_settings(): default");
	passdb_json_hasher_settings(&passdb_json_default_settings, &set);
	test_assert(set.opslimit == password_hasher_defaults.opslimit);
	test_assert(set.memlimit == password_hasher_defaults.memlimit);
	test_assert(set.max.memory == password_hasher_defaults.max.memory);
	test_assert(set.max.work == password_hasher_defaults.max.work);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_passdb_json_hasher_settings,
		test_default,
		NULL
	};

	return test_run(test_functions);
}
