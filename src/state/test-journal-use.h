#ifndef POP3_POLICY_TEST_JOURNAL_USE_H
#define POP3_POLICY_TEST_JOURNAL_USE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "journal.h"

/* What a session does with a journal, in the folder "pop3-policy" of the test's
   home. What it should be able to do, but is not, is a failure of the test.
   Strings are in the data stack. */

#define TEST_JOURNAL "pop3-policy/messages.jsonl"
#define TEST_JOURNAL_NEW TEST_JOURNAL".new"
#define TEST_HEADER(generation) \
	"{\"version\":1,\"epoch\":3,\"generation\":" #generation "}\n"
/* A message with the UIDL "u7" and the size 7, as test_messages() make it. */
#define TEST_LINE(uid) \
	"{\"uid\":" #uid ",\"size\":" #uid ",\"uidl\":\"u" #uid "\"}\n"

/* Messages with these UIDs, such as "7,8"; in the data stack. */
const ARRAY_TYPE(pop3_message) *test_messages(const char *uids);

/* What is read: "epoch generation lines damaged: uid=uidl ...", with "+" and
   the time after a message that was downloaded, "-" and the time after one that
   is gone; "none" or "error: ..." if nothing was read. */
const char *test_journal_read(struct policy_store *store, uint32_t generation);

/* Let the state name this generation, and nothing else. */
void test_state_set_generation(struct policy_state *state, uint32_t generation);

/* Write a journal of epoch 3 with these messages, and the state that names
   it. */
void test_journal_replace(struct policy_store *store, uint32_t generation,
			  const char *uids);
/* Append in a transaction, which must have this result, and an error with these
   words if it is a failure. */
void test_journal_append(struct policy_store *store, uint32_t generation,
			 const char *uids, enum policy_store_result expected,
			 const char *words, unsigned int idx);

#endif
