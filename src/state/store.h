#ifndef POP3_POLICY_STORE_H
#define POP3_POLICY_STORE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "state.h"

/* Where the state of one user lives: in a dict (policy-dict.h), or in
   DIR/state.json, written anew under the lock DIR/state.lock and renamed into
   place, so that a reader without the lock sees the old or the new one, never a
   part. */
struct policy_store;
struct policy_dict;
struct policy_dict_vfuncs;

enum policy_store_result {
	POLICY_STORE_OK,
	/* The state is known, but the file system takes no writes now (full,
	   over quota, read-only): go on, and count in memory. */
	POLICY_STORE_UNWRITABLE,
	/* The state is not known, or must not be trusted: serve nothing that
	   depends on it. */
	POLICY_STORE_UNUSABLE
};

/* path is that of the state folder; nothing is opened or made yet. */
struct policy_store *
policy_store_init(const char *path, bool fsync, struct event *event_parent);
/* The state is in a dict, which is taken over. path is that of a folder with
   locks of this host, or "". */
struct policy_store *
policy_store_init_dict(struct policy_dict *dict,
		       const struct policy_dict_vfuncs *dict_v,
		       const char *path, struct event *event_parent);
void policy_store_deinit(struct policy_store **store);
/* Whether files are synced from now on. */
void policy_store_set_fsync(struct policy_store *store, bool fsync);

/* Read the state without the lock; nothing is written, unless the file is
   corrupt: then it is renamed, which is logged, and the state is that of a new
   user, as it is when there is no file. Returns POLICY_STORE_OK and *state_r,
   the caller's to deinit, or POLICY_STORE_UNUSABLE and an error. */
enum policy_store_result
policy_store_read(struct policy_store *store, struct policy_state **state_r,
		  const char **error_r);

/* Likewise, but a corrupt file stays where it is, and nothing is written: then
   *state_r is NULL, and *error_r says what is wrong with the file. */
enum policy_store_result
policy_store_look(struct policy_store *store, struct policy_state **state_r,
		  const char **error_r);

/* Read without the lock what a poll needs to know of the UIDLs; nothing is
   written. Returns 1 and *epoch_r as policy_brief_parse() leaves it, with memory
   of the pool; 0 if policy_store_read() has to tell; -1 and an error if the state
   cannot be used. */
int policy_store_read_brief(struct policy_store *store, pool_t pool,
			    struct policy_epoch *epoch_r, const char **error_r);

/* Read the state under the lock, in order to change it. After POLICY_STORE_OK
   the lock is held (for as short as can be: never write to a client meanwhile)
   and commit or rollback must follow. After POLICY_STORE_UNWRITABLE *state_r is
   set too, but nothing is locked. *error_r is set for both failures. */
enum policy_store_result
policy_store_begin(struct policy_store *store, struct policy_state **state_r,
		   const char **error_r);
/* Write the state, put a journal that was written anew in its place, and
   unlock, whatever is returned. */
enum policy_store_result
policy_store_commit(struct policy_store *store, struct policy_state *state,
		    const char **error_r);
void policy_store_rollback(struct policy_store *store);

#endif
