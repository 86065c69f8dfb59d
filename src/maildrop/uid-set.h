#ifndef POP3_POLICY_UID_SET_H
#define POP3_POLICY_UID_SET_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "seq-range-array.h"

struct maildrop;

/* Sets of UIDs against the messages that the maildrop has. The time that these
   take grows with the number of ranges, not with that of messages. */

/* How many messages have a UID of the set that is below uidnext. */
unsigned int uid_set_count(const struct maildrop *drop,
			   const ARRAY_TYPE(seq_range) *uids, uint32_t uidnext);
/* Join ranges that have no message between them. */
void uid_set_join(const struct maildrop *drop, ARRAY_TYPE(seq_range) *uids);
/* Join, and then forget the lowest UIDs as long as there are more than
   POLICY_EPOCH_MAX_RANGES ranges. */
void uid_set_limit(const struct maildrop *drop, ARRAY_TYPE(seq_range) *uids);

/* Join; if there are still more than that, make it one range that has them all,
   and others. */
void uid_set_limit_superset(const struct maildrop *drop,
			    ARRAY_TYPE(seq_range) *uids);

#endif
