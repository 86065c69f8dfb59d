#ifndef POP3_POLICY_DICT_LOCK_OWNER_H
#define POP3_POLICY_DICT_LOCK_OWNER_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "dict-lock.h"

/* Who has the lock says so in the dict. */

/* Instead of a host: only the turn is of use. */
#define DICT_LOCK_NOBODY "-"

struct dict_lock_owner {
	int64_t version;
	unsigned int turn;
	time_t time;
	const char *host;
};

/* Returns 1 if somebody has said that he has the lock of this version or had
   it, 0 if not, -1 and an error. *text_r is what is there, or "". */
int dict_lock_owner_get(struct dict_lock *lock, int64_t version,
			struct dict_lock_owner *owner_r, const char **text_r,
			const char **error_r);
/* Whether this host owns it. */
bool dict_lock_owner_is_us(struct dict_lock *lock);

/* The transaction says that this host has the lock, or DICT_LOCK_NOBODY. */
void dict_lock_owner_set(const struct dict_lock *lock,
			 struct dict_kv_transaction *trans, const char *host);
void dict_lock_owner_unset(struct dict_kv_transaction *trans);

#endif
