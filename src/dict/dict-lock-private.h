#ifndef POP3_POLICY_DICT_LOCK_PRIVATE_H
#define POP3_POLICY_DICT_LOCK_PRIVATE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "dict-lock.h"

/* Who has the lock longer must not write: others may have gone on. */
#define DICT_LOCK_MAX_HOLD_MSECS (90 * 1000)
/* Others go on when an owner's time is so far from theirs: more than the above,
   by what clocks of hosts may differ. */
#define DICT_LOCK_OWNER_EXPIRE_SECS 120
/* Between having the lock and saying so there is one step. */
#define DICT_LOCK_MAX_STEP_MSECS (4 * 1000)
/* So a lock that nobody owns up to is one of a process that was killed. */
#define DICT_LOCK_NO_OWNER_EXPIRE_MSECS (8 * 1000)
/* More turns than crashes within one version. */
#define DICT_LOCK_MAX_TURN 1000

/* The version that the documents have. Returns 0, or -1 and an error. */
int dict_lock_get_version(struct dict_lock *lock, int64_t *version_r,
			  const char **error_r);
/* The number of the version and turn of this lock, in the data stack. */
const char *dict_lock_number_key(const struct dict_lock *lock);

/* Each of these writes at once, or logs an error. */

/* Take away again what was added to the number. */
void dict_lock_give_back(struct dict_lock *lock);
/* A number of a version that is past: nobody can have that lock. */
void dict_lock_forget_number(struct dict_lock *lock);
/* Give back the lock that is held. */
void dict_lock_disown(struct dict_lock *lock);

/* No process of this host has added to the number any more. */
void dict_lock_unmark(struct dict_lock *lock,
		      struct dict_kv_transaction *trans);

#endif
