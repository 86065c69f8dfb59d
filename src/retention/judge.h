#ifndef POP3_POLICY_RETENTION_JUDGE_H
#define POP3_POLICY_RETENTION_JUDGE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "retention-policy.h"

struct maildrop;
struct policy_epoch;
struct policy_store;

/* The epoch of this maildrop, which must be what is known of it. Returns 1 and
   the epoch, 0 and an error if the maildrop is another one by now, so that
   UIDs of the journal are not those of its messages, -1 and an error. */
int retention_read_epoch(struct maildrop *drop, struct policy_store *store,
			 pool_t pool, struct policy_epoch *epoch_r,
			 const char **error_r);

/* Every message of the maildrop, in the order of UIDs, and the rule that takes
   it now. Only messages that a rule takes are looked at for pop3_policy_exempt
   and pop3_policy_view, as looking may mean to read them. Returns 1, 0 and an
   error if the journal has lost lines (see retention_collect()), -1 and an
   error. */
int retention_judge(struct maildrop *drop, struct policy_store *store,
		    const struct policy_epoch *epoch,
		    const struct retention_policy *policy, time_t now,
		    ARRAY_TYPE(pop3_retention_message) *messages,
		    const char **error_r);

/* Likewise, for somebody who only wants to know: all messages are looked at for
   these. Returns 0, or -1 and an error. */
int maildrop_retention_status(struct maildrop *drop, struct policy_store *store,
			      const struct retention_policy *policy, time_t now,
			      ARRAY_TYPE(pop3_retention_message) *messages,
			      const char **error_r);

#endif
