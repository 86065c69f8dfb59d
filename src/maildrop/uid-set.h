#ifndef POP3_POLICY_UID_SET_H
#define POP3_POLICY_UID_SET_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "seq-range-array.h"

struct maildrop;
struct policy_epoch;

/* Sets of UIDs against the messages that the maildrop has. The time that these
   take grows with the number of ranges, not with that of messages. */

/* How many messages have a UID of the set that is below uidnext. */
unsigned int uid_set_count(const struct maildrop *drop,
			   const ARRAY_TYPE(seq_range) *uids, uint32_t uidnext);
/* Whether the state has counted a line with this UID: not if the line was
   appended just before a crash. recorded is that of the epoch, or what it was
   before it is counted anew. */
bool uid_is_counted(const struct policy_epoch *epoch,
		    const ARRAY_TYPE(seq_range) *recorded, uint32_t uid);
/* Bring the sets of the epoch below POLICY_EPOCH_MAX_RANGES ranges. Those that
   have no message between them are joined, of downloaded and those of devices
   only as many as must be; of all three and of recorded the lowest UIDs are
   forgotten then, and stored gets some too many. The epoch may know of newer
   messages than the maildrop: UIDs that it had not come to when it was listed
   are not taken for such without a message. */
void epoch_tidy_sets(const struct maildrop *drop, struct policy_epoch *epoch);

#endif
