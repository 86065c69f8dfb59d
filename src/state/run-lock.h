#ifndef POP3_POLICY_RUN_LOCK_H
#define POP3_POLICY_RUN_LOCK_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct policy_store;

/* DIR/retention.lock: held while mail of the user is removed, by a session or
   by doveadm. It is not the lock of the state, which nobody may hold so
   long. */
struct policy_run_lock;

/* Returns 1 and *lock_r, 0 if somebody else holds it, -1 and an error. */
int policy_run_try_lock(struct policy_store *store,
			struct policy_run_lock **lock_r, const char **error_r);
void policy_run_unlock(struct policy_run_lock **lock);

#endif
