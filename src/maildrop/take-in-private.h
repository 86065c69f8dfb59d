#ifndef POP3_POLICY_TAKE_IN_PRIVATE_H
#define POP3_POLICY_TAKE_IN_PRIVATE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "message.h"
#include "epoch.h"
#include "take-in.h"

struct take_in {
	pool_t pool;
	struct maildrop *drop;
	struct policy_store *store;
	struct stored_uidls *stored;
	const struct session_news *news;

	/* of messages that may have to be written, in the order of UIDs */
	ARRAY_TYPE(pop3_message) described;
	/* messages came back that were gone when the state was written */
	bool some_returned;
	/* what is written */
	struct policy_epoch epoch;
	ARRAY_TYPE(pop3_message) lines;
	unsigned int added;
};

/* Write lines about the messages that were described, under the lock, and count
   them in the epoch. */
enum policy_store_result
take_in_write_journal(struct take_in *take_in, const char **error_r);

#endif
