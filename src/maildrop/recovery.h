#ifndef POP3_POLICY_RECOVERY_H
#define POP3_POLICY_RECOVERY_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "message.h"

struct maildrop;
struct policy_epoch;
struct policy_state;
struct policy_store;

/* What a recovery came to. */
struct recovery_counts {
	unsigned int kept_by_guid;
	unsigned int kept_by_hash;
	/* found messages that the journal does not know */
	unsigned int added;
	/* those of added whose fingerprint is that of several messages */
	unsigned int ambiguous;
	/* messages of the journal that are not in the mailbox any more */
	unsigned int gone;
};

enum recovery_result {
	RECOVERY_DONE,
	/* the state or the mailbox has changed meanwhile: read the state, sync
	   the mailbox, and look again */
	RECOVERY_RETRY,
	/* too many messages could not be matched; nothing was changed */
	RECOVERY_ALARM,
	RECOVERY_FAILED
};

/* Match all messages of the maildrop with the journal, under the lock, and begin
   a new epoch in which each message has the UIDL that clients know it by. epoch is
   the one that was found broken, NULL if the state was lost; reason is why. It is
   refused when more than alarm_percent of at least 20 known messages could not be
   found (100 is never). Logs one line with the counts. After RECOVERY_DONE
   *state_r is what is written now, the caller's to deinit; otherwise *error_r says
   what is wrong and what to do, unless it is to be tried again. */
enum recovery_result
maildrop_recover(struct maildrop *drop, struct policy_store *store,
		 const struct policy_epoch *epoch, const char *reason,
		 unsigned int alarm_percent, struct policy_state **state_r,
		 const char **error_r);

/* What a recovery would come to, without a lock and without a change. Strings of
   the messages, which are those that would be in the journal, live in the pool.
   epoch_r->stored says which of these have a UIDL that is not Dovecot's own.
   Returns 0, or -1 and an error. */
int maildrop_recovery_preview(struct maildrop *drop, struct policy_store *store,
			      const struct policy_epoch *epoch, pool_t pool,
			      struct policy_epoch *epoch_r,
			      ARRAY_TYPE(pop3_message) *messages_r,
			      struct recovery_counts *counts_r,
			      const char **error_r);

#endif
