/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "test-home.h"
#include "test-store-use.h"

#define BYTES POP3_QUOTA_BYTES
#define MESSAGES POP3_QUOTA_MESSAGES
#define DAY POP3_QUOTA_WINDOW_DAY

struct policy_store *test_store_init(const char *dir)
{
	return policy_store_init(test_home_path(dir), FALSE, NULL);
}

uint64_t test_store_bytes(struct policy_store *store)
{
	struct policy_state *state = NULL;
	const char *error;
	uint64_t bytes;

	if (policy_store_read(store, &state, &error) != POLICY_STORE_OK) {
		test_assert_strcmp(error, NULL);
		return UINT64_MAX;
	}
	bytes = policy_state_quota(state)->window[DAY].used.n[BYTES];
	policy_state_deinit(&state);
	return bytes;
}

bool test_store_begin(struct policy_store *store, struct policy_state **state_r)
{
	const char *error = NULL;

	*state_r = NULL;
	if (policy_store_begin(store, state_r, &error) == POLICY_STORE_OK)
		return TRUE;
	test_assert_strcmp(error, NULL);
	policy_state_deinit(state_r);
	return FALSE;
}

void test_store_commit(struct policy_store *store, struct policy_state **state)
{
	const char *error = NULL;

	test_assert(policy_store_commit(store, *state, &error) ==
		    POLICY_STORE_OK);
	test_assert_strcmp(error, NULL);
	policy_state_deinit(state);
}

void test_store_add(struct policy_store *store, uint64_t bytes,
		    uint64_t messages)
{
	struct policy_state *state;
	struct pop3_quota_amount *used;

	if (!test_store_begin(store, &state))
		return;
	used = &policy_state_quota(state)->window[DAY].used;
	used->n[BYTES] += bytes;
	used->n[MESSAGES] += messages;
	test_store_commit(store, &state);
}

/* The result of a function of the store, whose error must have these words. */
static void
assert_result(enum policy_store_result result,
	      enum policy_store_result expected, const char *error,
	      const char *words, unsigned int idx)
{
	test_assert_idx(result == expected, idx);
	if (expected == POLICY_STORE_OK)
		return;
	test_assert_idx(error != NULL, idx);
	if (error != NULL && strstr(error, words) == NULL)
		test_assert_strcmp_idx(error, words, (int)idx);
}

void expect_read(struct policy_store *store, enum policy_store_result expected,
		 const char *words, uint64_t bytes, unsigned int idx)
{
	struct policy_state *state = NULL;
	enum policy_store_result result;
	const char *error = NULL;

	result = policy_store_read(store, &state, &error);
	assert_result(result, expected, error, words, idx);
	test_assert_idx((state != NULL) == (expected == POLICY_STORE_OK), idx);
	if (state != NULL) {
		test_assert_idx(policy_state_quota(state)->
				window[DAY].used.n[BYTES] == bytes, idx);
	}
	policy_state_deinit(&state);
}

void expect_add(struct policy_store *store,
		enum policy_store_result begin_expected,
		enum policy_store_result commit_expected, const char *words,
		uint64_t bytes, unsigned int idx)
{
	struct policy_state *state = NULL;
	enum policy_store_result result;
	const char *error = NULL;

	result = policy_store_begin(store, &state, &error);
	assert_result(result, begin_expected, error, words, idx);
	test_assert_idx((state != NULL) ==
			(begin_expected != POLICY_STORE_UNUSABLE), idx);
	if (state != NULL) {
		uint64_t *used = &policy_state_quota(state)->
			window[DAY].used.n[BYTES];

		test_assert_idx(*used == bytes, idx);
		*used = bytes + 1;
	}
	if (result == POLICY_STORE_OK) {
		error = NULL;
		result = policy_store_commit(store, state, &error);
		assert_result(result, commit_expected, error, words, idx);
	}
	policy_state_deinit(&state);
}
