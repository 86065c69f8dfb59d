#ifndef POP3_POLICY_CHECK_H
#define POP3_POLICY_CHECK_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "array-decl.h"

#include <time.h>

struct state_cmd;
struct maildrop_cmd;
struct policy_epoch;

/* What doveadm pop3 check --repair does about a finding. The order counts: what
   comes up to CHECK_TIDY is no damage, and what comes after CHECK_LEAVE changes
   state or journal. */
enum check_remedy {
	/* it is no fault */
	CHECK_NOTE,
	/* nor is this: write the state again, which puts it right */
	CHECK_TIDY,
	/* nothing would be safe */
	CHECK_LEAVE,
	/* set state.json aside, as a session does */
	CHECK_SET_ASIDE,
	/* take UIDs out of the state that no message has had yet */
	CHECK_TRIM,
	/* recover UIDLs, as a session does */
	CHECK_RECOVER,
	/* keep a copy of the journal, and write it anew */
	CHECK_REWRITE
};

struct check_finding {
	enum check_remedy remedy;
	/* where, and what: one finding at the most for both */
	const char *file;
	const char *problem;
	/* how many messages, lines or counters */
	unsigned int count;
	const char *text;
};
ARRAY_DEFINE_TYPE(check_finding, struct check_finding);

struct check {
	pool_t pool;
	time_t now;
	ARRAY_TYPE(check_finding) findings;
};

/* Add a finding, unless count is 0. */
void check_add(struct check *check, enum check_remedy remedy, const char *file,
	       const char *problem, unsigned int count, const char *text);
bool check_has(const struct check *check, enum check_remedy remedy);
/* Whether a time is later than a clock can be that is a little wrong. */
bool check_is_future(const struct check *check, time_t t);

/* Look at the files by themselves. Returns 1, 0 if they cannot be compared with
   the mailbox, -1 and an error. */
int check_state(struct check *check, struct state_cmd *cmd,
		const char **error_r);
/* Compare state, journal and mailbox. Returns 0, or -1 and an error. */
int check_maildrop(struct check *check, struct maildrop_cmd *cmd,
		   const char **error_r);
/* Mend what was found, as far as the remedies go that come first; others may be
   found then. Returns 0, or -1 and an error. */
int check_repair(const struct check *check, struct maildrop_cmd *cmd,
		 const char **error_r);

#endif
