#ifndef POP3_POLICY_POLICY_DICT_H
#define POP3_POLICY_POLICY_DICT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "quota.h"
#include "store.h"

/* The documents of one user in a Dovecot dict, as doc/dict.md describes it. A
   module of its own does this (src/dict), which is loaded when a setting asks
   for it: sessions with files need not pay for its symbols. */
struct policy_dict;

/* Whoever changes anything here or in the types that it names counts up. */
#define POLICY_DICT_INTERFACE 1

struct policy_dict_settings {
	/* what follows "dict:" in pop3_policy_state */
	const char *name;
	const char *username;
	const char *base_dir;
	struct event *event_parent;
};

/* What the module exports. Errors begin with what was asked for; results are
   those of store.h. Strings are returned in the data stack. */
struct policy_dict_vfuncs {
	unsigned int interface;

	/* Nothing is connected yet. Returns 0 and *dict_r, or -1 and an
	   error. */
	int (*open)(const struct policy_dict_settings *set,
		    struct policy_dict **dict_r, const char **error_r);
	/* The lock must not be held. */
	void (*close)(struct policy_dict **dict);

	/* The text of the state. Returns 1, 0 if there is none, -1 and an
	   error. */
	int (*get_state)(struct policy_dict *dict, const char **text_r,
			 const char **error_r);
	/* Put in the place of what the state says was used since each start
	   what the counters of the dict say. Returns 0, or -1 and an error. */
	int (*get_quota)(struct policy_dict *dict,
			 struct pop3_quota_counters *counters,
			 const char **error_r);

	/* Lock all documents of the user, on all hosts. place names a lock of
	   this host that is held, too, so that another one who held the two is
	   known to be dead; NULL if there is none. POLICY_STORE_UNWRITABLE is
	   for a dict that can be read only; then nothing is locked. */
	enum policy_store_result
	(*lock)(struct policy_dict *dict, const char *place,
		const char **error_r);
	void (*unlock)(struct policy_dict *dict);
	/* Write the state, what the counters have gained since get_quota(),
	   which must have been called under the lock, and the journal. Unlocks,
	   whatever is returned. */
	enum policy_store_result
	(*write)(struct policy_dict *dict, const char *text,
		 const struct pop3_quota_counters *counters,
		 const char **error_r);
	/* Under the lock: move a text that is of no use. Returns its new key,
	   or NULL and an error. */
	const char *(*set_aside)(struct policy_dict *dict, const char *text,
				 const char **error_r);

	/* The journal of this generation, or any with 0. Returns 1 and *text_r,
	   in which lines may be missing if *damaged_r, 0 if there is none, -1
	   and an error. */
	int (*get_journal)(struct policy_dict *dict, uint32_t generation,
			   string_t *text_r, bool *damaged_r,
			   const char **error_r);
	/* Likewise, but only its first lines are read, if text_r is not NULL,
	   else *damaged_r says whether the last lines are missing. */
	int (*find_journal)(struct policy_dict *dict, uint32_t generation,
			    string_t *text_r, bool *damaged_r,
			    const char **error_r);
	/* Both need the lock, and are written with the state. */
	enum policy_store_result
	(*append_journal)(struct policy_dict *dict, uint32_t generation,
			  const string_t *lines, const char **error_r);
	void (*replace_journal)(struct policy_dict *dict, uint32_t generation,
				const string_t *text);

	/* The number that logins move; 0 if there is none. Returns 0, or -1 and
	   an error. */
	int (*get_login_stamp)(struct policy_dict *dict, uint64_t *number_r,
			       const char **error_r);
	/* Under the lock. Returns 0, or -1 and an error. */
	int (*set_login_stamp)(struct policy_dict *dict, uint64_t number,
			       const char **error_r);
};

#endif
