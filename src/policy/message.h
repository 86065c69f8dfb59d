#ifndef POP3_POLICY_MESSAGE_H
#define POP3_POLICY_MESSAGE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "array-decl.h"

#include <time.h>

/* What the journal knows of one message. The strings belong to whoever made the
   record; none of them is NULL. */
struct pop3_message {
	/* in the mailbox of the epoch; 0 once the message is gone from there */
	uint32_t uid;
	/* octets as LIST tells them */
	uint64_t size;
	/* as pop3_guid_normalize() leaves it; "" if the storage has none */
	const char *guid;
	/* the fingerprint; "" if it is not known */
	const char *hash;
	const char *uidl;
	/* when the first download that was whole, in a session that ended with
	   QUIT, was over; 0 if there was none */
	time_t downloaded;
	/* when a recovery did not find the message any more; 0 if it is there */
	time_t gone;
};
ARRAY_DEFINE_TYPE(pop3_message, struct pop3_message);

#endif
