#ifndef POP3_POLICY_MEND_H
#define POP3_POLICY_MEND_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct maildrop;
struct policy_epoch;
struct policy_store;

/* Write the journal of this epoch anew, in which lines were lost: those that
   can be read, and new ones for messages of the maildrop, which is synced, that
   have lost theirs. What was downloaded counts as downloaded now. Logs a
   warning. If it turns out that none are lost, it is written anew only if the
   caller always wants that. Returns 1, 0 if another epoch has begun meanwhile,
   -1 and an error. */
int maildrop_mend_journal(struct maildrop *drop, struct policy_store *store,
			  const struct policy_epoch *epoch, bool always,
			  const char **error_r);

#endif
