#ifndef POP3_POLICY_DICT_LOCK_H
#define POP3_POLICY_DICT_LOCK_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "dict-kv.h"

/* A lock on the documents of one user, for processes of all hosts, made of what
   every dict has: adding to a number, and reading it. Who adds one and then
   reads one has it; who reads more gives his back and tries again.

   The documents have a version, which each write counts up, and the lock is of
   that version. So one that was never given back holds up nobody for ever:
   others go on to the next turn of this version, and the version itself is what
   is compared before a write. */
struct dict_lock {
	struct dict_kv *kv;
	struct event *event;

	/* says of this host what it has added; NULL if it holds no other lock
	   that tells whose that is */
	char *mark_key;
	bool held;
	/* what was added to, and may be held: */
	int64_t version;
	unsigned int turn;
	/* monotonic milliseconds */
	uint64_t taken_at;
};

void dict_lock_init(struct dict_lock *lock, struct dict_kv *kv,
		    struct event *event);
void dict_lock_deinit(struct dict_lock *lock);

enum dict_lock_result {
	DICT_LOCK_OK,
	/* the dict can be read, but takes no writes */
	DICT_LOCK_UNWRITABLE,
	DICT_LOCK_FAILED
};

/* Wait for the lock. place names another lock of this host that is held until
   this one is given back, so that what was left of it here is known to be of a
   process that is dead; NULL if there is none. *error_r is set for both
   failures. */
enum dict_lock_result
dict_lock_take(struct dict_lock *lock, const char *place,
	       const char **error_r);
/* Give it back without a write. */
void dict_lock_release(struct dict_lock *lock);

/* Whether the lock still stands, and the documents are as they were: asked just
   before a write. Returns 0, or -1 and an error; then it is not held any
   more. */
int dict_lock_check(struct dict_lock *lock, const char **error_r);
/* The documents are written by this transaction, which gives the lock back. */
void dict_lock_release_by(struct dict_lock *lock,
			  struct dict_kv_transaction *trans);

#endif
