#ifndef POP3_POLICY_RECOUNT_H
#define POP3_POLICY_RECOUNT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct policy_epoch;
struct policy_journal;
struct policy_store;

/* Which messages have a line that says of their downloads what the epoch knows,
   counted anew from what can be read of the journal. The others get lines anew
   in later sessions; that they were downloaded is not forgotten until then.
   Names of devices are copied into the pool. */
void journal_recount(pool_t pool, struct policy_epoch *epoch,
		     const struct policy_journal *journal);
/* Likewise, from a journal that has lost nothing: also which messages were
   downloaded is what it says. The sets may have had too many UIDs. */
void journal_recount_whole(struct policy_epoch *epoch,
			   const struct policy_journal *journal);
/* One of both, as the journal is. Called when messages came back that were
   gone: the sets may have them, though they have no line, or were never
   downloaded. Returns 0, or -1 and an error. */
int journal_recount_returned(struct policy_store *store, pool_t pool,
			     struct policy_epoch *epoch, const char **error_r);
/* Called under the lock, before something is written to the journal of the
   epoch: if that was taken away or torn, count what is left of it. Returns 1 if
   lines can be appended to it, 0 if a new one is needed, -1 and an error. */
int journal_recount_if_torn(struct policy_store *store, pool_t pool,
			    struct policy_epoch *epoch, const char **error_r);

#endif
