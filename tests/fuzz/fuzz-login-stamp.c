/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "login-stamp.h"
#include "test-home.h"
#include "fuzz.h"
#include "fuzz-home.h"

#include <sys/stat.h>

#include <jansson.h>

/* Whatever the file has, there is a number, which can be moved, unless a newer
   version has written it. */

const char *const fuzz_corpus = "login-stamp";

#define FILE_NAME "login.json"
#define NUMBER 1700000000000u

/* What it should be: 0 for what is broken. Returns FALSE for a newer version. */
static bool expected_number(const uint8_t *data, size_t size, uint64_t *number_r)
{
	json_t *root = size > 1024 ? NULL :
		json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES,
			   NULL);
	json_t *version = json_object_get(root, "version");
	json_t *next = json_object_get(root, "next");
	bool newer = json_is_integer(version) &&
		json_integer_value(version) > 1;

	*number_r = json_is_integer(version) && json_is_integer(next) &&
		json_integer_value(version) > 0 &&
		json_integer_value(next) >= 0 ?
		(uint64_t)json_integer_value(next) : 0;
	json_decref(root);
	return !newer;
}

static void expect_number(struct policy_store *store, uint64_t expected)
{
	uint64_t number;
	const char *error;

	i_assert(policy_login_stamp_read(store, &number, &error) ==
		 POLICY_STORE_OK);
	i_assert(number == expected);
}

static void
set_number(struct policy_store *store, uint64_t old, uint64_t number,
	   bool expected)
{
	const char *error;
	bool set;

	i_assert(policy_login_stamp_set(store, old, number, &set, &error) ==
		 POLICY_STORE_OK);
	i_assert(set == expected);
}

static void expect_untouched(struct policy_store *store, const uint8_t *data,
			     size_t size)
{
	struct stat st;
	uint64_t number;
	const char *error, *path, *text;
	bool set;

	i_assert(policy_login_stamp_read(store, &number, &error) ==
		 POLICY_STORE_UNUSABLE);
	fuzz_check_error(error);
	i_assert(policy_login_stamp_set(store, 0, NUMBER, &set, &error) ==
		 POLICY_STORE_UNUSABLE);
	path = t_strconcat(fuzz_home_dir(), "/"FILE_NAME, NULL);
	i_assert(stat(path, &st) == 0 && (size_t)st.st_size == size);
	text = test_file_read(path);
	i_assert(memcmp(text, data, size) == 0);
}

static void check_stamp(const uint8_t *data, size_t size)
{
	struct policy_store *store =
		policy_store_init(fuzz_home_dir(), FALSE, NULL);
	uint64_t number;

	fuzz_home_write(FILE_NAME, data, size);
	if (expected_number(data, size, &number)) {
		expect_number(store, number);
		set_number(store, number + 1, NUMBER, FALSE);
		expect_number(store, number);
		set_number(store, number, NUMBER, TRUE);
		expect_number(store, NUMBER);
	} else {
		expect_untouched(store, data, size);
	}
	policy_store_deinit(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_init();
	fuzz_home_init();
	fuzz_ignore_errors();
	T_BEGIN {
		check_stamp(data, size);
	} T_END;
	return 0;
}
