#ifndef POP3_POLICY_DUPLICATES_H
#define POP3_POLICY_DUPLICATES_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "recovery.h"

struct stored_uidls;

/* Messages whose UIDL by Dovecot's rules is that of another message: because the
   rules allow that, or because the other one's was imported. In the first
   session, those that pop3_uidl_duplicates = rename would rename keep the name
   that it gives them by their place; later each new one gets a name of its own,
   whatever pop3_uidl_duplicates says: a client that knows the UIDL would not fetch
   it. */

/* Whether there may be any that are not settled yet, by the epoch of the maildrop
   (NULL in the first session). */
bool maildrop_duplicates_are_due(const struct maildrop *drop,
				 const struct policy_epoch *epoch);
/* Find them, and write down their names before they are told. stored are the
   UIDLs of the epoch, NULL in the first session. Returns RECOVERY_DONE and
   *state_r, the caller's to deinit, or NULL if there are none, RECOVERY_RETRY, or
   RECOVERY_FAILED and an error. */
enum recovery_result
maildrop_settle_duplicates(struct maildrop *drop, struct policy_store *store,
			   const struct policy_epoch *epoch,
			   struct stored_uidls *stored,
			   struct policy_state **state_r, const char **error_r);

#endif
