/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "test-stamp-use.h"

#include <fcntl.h>

static unsigned int count_fds(void)
{
	unsigned int count = 0;
	int fd;

	for (fd = 0; fd < 100; fd++) {
		if (fcntl(fd, F_GETFD) != -1)
			count++;
	}
	return count;
}

void expect_stamp(struct policy_store *store, uint64_t number, unsigned int idx)
{
	uint64_t found = UINT64_MAX;
	unsigned int fds = count_fds();
	const char *error = NULL;

	test_assert_idx(policy_login_stamp_read(store, &found, &error) ==
			POLICY_STORE_OK, idx);
	test_assert_idx(found == number, idx);
	test_assert_idx(count_fds() == fds, idx);
}

void expect_set(struct policy_store *store, uint64_t old, uint64_t number,
		bool expected, unsigned int idx)
{
	unsigned int fds = count_fds();
	const char *error = NULL;
	bool set = !expected;

	test_assert_idx(policy_login_stamp_set(store, old, number, &set,
					       &error) == POLICY_STORE_OK, idx);
	test_assert_idx(set == expected, idx);
	test_assert_idx(count_fds() == fds, idx);
}

static void
expect_words(const char *error, bool expected, const char *words,
	     unsigned int idx)
{
	if (expected && (error == NULL || strstr(error, words) == NULL))
		test_assert_strcmp_idx(error, words, (int)idx);
}

void expect_stamp_results(struct policy_store *store,
			  enum policy_store_result read,
			  enum policy_store_result set, const char *words,
			  unsigned int idx)
{
	unsigned int fds = count_fds();
	const char *error = NULL;
	uint64_t number = 0;
	bool was_set = FALSE;

	test_assert_idx(policy_login_stamp_read(store, &number, &error) == read,
			idx);
	expect_words(error, read != POLICY_STORE_OK, words, idx);
	error = NULL;
	test_assert_idx(policy_login_stamp_set(store, number, number + 1,
					       &was_set, &error) == set, idx);
	expect_words(error, set != POLICY_STORE_OK, words, idx);
	test_assert_idx(set != POLICY_STORE_OK || was_set, idx);
	test_assert_idx(count_fds() == fds, idx);
}
