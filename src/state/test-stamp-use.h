#ifndef POP3_POLICY_TEST_STAMP_USE_H
#define POP3_POLICY_TEST_STAMP_USE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "login-stamp.h"

/* The number must be this. */
void expect_stamp(struct policy_store *store, uint64_t number,
		  unsigned int idx);
/* It must be set from old, or not, without an error. */
void expect_set(struct policy_store *store, uint64_t old, uint64_t number,
		bool expected, unsigned int idx);
/* Reading and setting it must have these results, an error these words. Nothing
   must be left open. */
void expect_stamp_results(struct policy_store *store,
			  enum policy_store_result read,
			  enum policy_store_result set, const char *words,
			  unsigned int idx);

#endif
