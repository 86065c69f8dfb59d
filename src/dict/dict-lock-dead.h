#ifndef POP3_POLICY_DICT_LOCK_DEAD_H
#define POP3_POLICY_DICT_LOCK_DEAD_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "dict-lock.h"

/* Locks that were never given back, as who had them is dead. */

/* What a waiter has seen, and since when. */
struct dict_lock_watch {
	uint64_t deadline;
	/* "VERSION/TURN OWNER" */
	char *seen;
	uint64_t since;
	/* the turn that this process goes on to, of this version */
	int64_t next_version;
	unsigned int next_turn;
};

/* Somebody else has added to the number. Go on to the next turn, if he is
   gone. Returns 0, or -1 and an error. */
int dict_lock_look_for_dead(struct dict_lock *lock,
			    struct dict_lock_watch *watch,
			    const char **error_r);
/* Give back what a process has left that had the other lock before, which has
   said what it has added to. Returns 0, or -1 and an error. */
int dict_lock_take_back(struct dict_lock *lock, const char **error_r);

#endif
