#ifndef POP3_POLICY_NEW_EPOCH_H
#define POP3_POLICY_NEW_EPOCH_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct maildrop;
struct policy_epoch;

/* Begin an epoch with the maildrop as it is now, after the old one (NULL if there
   was none) and after the epoch of a journal that is left (0 if there is none).
   Nothing is recorded yet. Memory comes from the pool. */
void maildrop_new_epoch(const struct maildrop *drop,
			const struct policy_epoch *old, uint32_t journal_epoch,
			pool_t pool, struct policy_epoch *epoch_r);

#endif
