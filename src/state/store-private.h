#ifndef POP3_POLICY_STORE_PRIVATE_H
#define POP3_POLICY_STORE_PRIVATE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "state-dir.h"
#include "state-file.h"
#include "store.h"

/* For the files of the store itself. */
struct policy_store {
	struct event *event;
	char *path;
	bool fsync;

	/* What was last read or written, to be used again if the file still
	   has the same text: to parse it costs more than all the rest. */
	struct policy_state *known_state;
	buffer_t *known_text;

	/* Where the documents are, if not in files: then the folder has locks
	   only, and path is "" if there is none. NULL for files. */
	struct policy_dict *dict;
	const struct policy_dict_vfuncs *dict_v;
	/* dict is locked */
	bool dict_locked;

	/* while the lock is held: */
	struct state_dir dir;
	struct file_lock *lock;
	/* of the journal that the state on disk names; 0 for none */
	uint32_t journal_generation;
	/* the state that is to be committed names the one that is new */
	bool journal_replaced;
};

/* Open the folder of the store, and make it if there is none; dir_r is set if
   POLICY_STORE_OK is returned, else an error. */
enum policy_store_result
policy_store_open_dir(struct policy_store *store, struct state_dir *dir_r,
		      const char **error_r);
/* The state whose text this is. */
enum load_result
policy_store_load_text(struct policy_store *store, const void *text,
		       size_t size, struct policy_state **state_r,
		       const char **error_r);
/* This is the text of the state from now on; the state is taken over. */
void policy_store_set_known(struct policy_store *store,
			    struct policy_state *state, const void *text,
			    size_t size);
/* Open the folder, or make it, and lock it. */
enum policy_store_result
policy_store_lock_dir(struct policy_store *store, const char **error_r);
/* Give back what of that there is. */
void policy_store_unlock_dir(struct policy_store *store);

/* For the log: the state is of no use, and the session goes on without it. */
struct event *policy_store_corrupt_event(struct policy_store *store);
/* What follows from an error of a system call that was to write. */
enum policy_store_result policy_store_write_failure(int write_errno);

#endif
