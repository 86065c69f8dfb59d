#ifndef POP3_POLICY_RETENTION_RUN_H
#define POP3_POLICY_RETENTION_RUN_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "report.h"

struct maildrop;
struct policy_epoch;
struct policy_store;

/* How often a run may have to be repeated for RETENTION_AGAIN. */
#define RETENTION_MAX_RUNS 5

struct retention_run_options {
	/* whether anything is due or not, and although the clock has jumped */
	bool force;
	/* remove nothing, and leave nothing written */
	bool dry_run;
	/* A session of the user ends: who has none is not a user of POP3,
	   though there may be a state of doveadm pop3 uidl adopt. */
	bool after_session;
	/* what the maildrop has, or UINT64_MAX if that is not known */
	uint64_t bytes;
};

/* Whether the epoch tells of somebody who uses POP3; a brief may not know.
   Mail of others is left alone. */
bool retention_is_pop3_user(const struct policy_epoch *epoch);

enum retention_result {
	RETENTION_DONE,
	/* Done, but another session, which could not run itself meanwhile, has
	   downloaded messages that are due: sync, and run again. */
	RETENTION_AGAIN,
	/* somebody else is at it, or UIDs are not what the journal knows: a
	   later run sees */
	RETENTION_LATER,
	/* the clock says that the last look was too long ago: it has to be
	   confirmed */
	RETENTION_CLOCK_JUMPED,
	RETENTION_FAILED
};

/* Remove from the maildrop, which was just synced, what the rules take now. If
   it turns out that nothing is due any more, nothing is looked at. Says in the
   log what was removed, and adds that to counts, also if it failed later on.
   Returns RETENTION_DONE or RETENTION_AGAIN, or else an error. Whatever
   happens no message is lost that was to be moved. */
enum retention_result
maildrop_retention_run(struct maildrop *drop, struct policy_store *store,
		       const struct retention_policy *policy,
		       const struct retention_run_options *options,
		       struct retention_counts *counts, const char **error_r);

#endif
