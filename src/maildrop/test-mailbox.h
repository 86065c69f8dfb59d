#ifndef POP3_POLICY_TEST_MAILBOX_H
#define POP3_POLICY_TEST_MAILBOX_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "maildrop.h"
#include "seq-range-array.h"

/* A mailbox that is a list of UIDs, in place of Dovecot's own: this program's
   mailbox_get_seq_range() tells of it, whatever mailbox it is asked for. */

/* UIDs such as "1:7,9", or "" for none; in the data stack. */
const ARRAY_TYPE(seq_range) *test_uids(const char *text);
const char *test_uids_text(const ARRAY_TYPE(seq_range) *uids);

/* A maildrop whose messages have these UIDs. They must outlive it. */
void test_maildrop_init(struct maildrop *drop_r,
			const ARRAY_TYPE(seq_range) *uids, uint32_t uidnext);

#endif
