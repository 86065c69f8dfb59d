#ifndef POP3_POLICY_TEST_STORE_USE_H
#define POP3_POLICY_TEST_STORE_USE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "store.h"

/* What a session does with a store. What it should be able to do, but is not, is
   a failure of the test. */

/* The store in this folder of the test's home. */
struct policy_store *test_store_init(const char *dir);
/* Day bytes of the state on disk. */
uint64_t test_store_bytes(struct policy_store *store);
/* Returns FALSE, without a state, if it has failed. */
bool test_store_begin(struct policy_store *store, struct policy_state **state_r);
void test_store_commit(struct policy_store *store, struct policy_state **state);
/* Add this to the counters of the day. */
void test_store_add(struct policy_store *store, uint64_t bytes,
		    uint64_t messages);

/* The functions below expect a result, and if it is a failure, an error that
   has these words. bytes is what must be read. */

void expect_read(struct policy_store *store, enum policy_store_result expected,
		 const char *words, uint64_t bytes, unsigned int idx);
/* Read bytes and write one more, which one of the two functions may refuse. */
void expect_add(struct policy_store *store,
		enum policy_store_result begin_expected,
		enum policy_store_result commit_expected, const char *words,
		uint64_t bytes, unsigned int idx);

#endif
