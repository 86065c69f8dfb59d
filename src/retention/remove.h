#ifndef POP3_POLICY_RETENTION_REMOVE_H
#define POP3_POLICY_RETENTION_REMOVE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "seq-range-array.h"
#include "retention-policy.h"

struct maildrop;

enum retention_remove_result {
	RETENTION_REMOVE_DONE,
	RETENTION_REMOVE_FAILED,
	/* Messages cannot be expunged, though nothing speaks against it before.
	   If they were to be moved they have been copied, and each further try
	   would copy them once more. */
	RETENTION_REMOVE_STUCK
};

/* Expunge these messages of the maildrop, or move them to the mailbox of the
   policy, which is created if there is none. It is done in batches, so that
   locks are not held for long. A batch that moves is expunged when its copies
   are committed: a crash between the two leaves messages twice. What has
   become exempt meanwhile stays. So does what is hidden meanwhile, unless it is
   one of the undownloaded ones.

   UIDs of messages that are gone by this are added to removed, whatever is
   returned. Unless it is RETENTION_REMOVE_DONE, *error_r is set. */
enum retention_remove_result
retention_remove(struct maildrop *drop, const struct retention_policy *policy,
		 const ARRAY_TYPE(seq_range) *uids,
		 const ARRAY_TYPE(seq_range) *undownloaded,
		 ARRAY_TYPE(seq_range) *removed, const char **error_r);

#endif
