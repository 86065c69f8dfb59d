#ifndef POP3_POLICY_COMPACT_H
#define POP3_POLICY_COMPACT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "message.h"

struct maildrop;
struct policy_epoch;

/* A message that a recovery could not find may come back from a backup: so long
   its UIDL is not forgotten. */
#define JOURNAL_KEEP_GONE_SECS (90 * 24 * 3600)

/* Whether more than half of the lines of the journal would be dead if so many
   were added. */
bool maildrop_journal_is_stale(const struct maildrop *drop,
			       const struct policy_epoch *epoch,
			       unsigned int added);
/* Put the news about messages into what the journal had, and leave out what is
   dead. Also counts what is left. dest must be empty; the strings stay where
   they are, but for names of devices that are copied into the pool. */
void maildrop_journal_compact(const struct maildrop *drop, pool_t pool,
			      const ARRAY_TYPE(pop3_message) *messages,
			      const ARRAY_TYPE(pop3_message) *news, time_t now,
			      struct policy_epoch *epoch,
			      ARRAY_TYPE(pop3_message) *dest);

#endif
