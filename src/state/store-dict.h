#ifndef POP3_POLICY_STORE_DICT_H
#define POP3_POLICY_STORE_DICT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "store.h"

/* What store.c does with a state that is in a dict. */

int store_dict_read_brief(struct policy_store *store, pool_t pool,
			  struct policy_epoch *epoch_r, const char **error_r);
/* Without the lock. A corrupt state is left where it is; *state_r is then that
   of a new user. */
enum policy_store_result
store_dict_load(struct policy_store *store, struct policy_state **state_r,
		bool *corrupt_r, const char **error_r);

/* *state_r is set if this is POLICY_STORE_OK only. */
enum policy_store_result
store_dict_begin(struct policy_store *store, struct policy_state **state_r,
		 const char **error_r);
enum policy_store_result
store_dict_commit(struct policy_store *store, struct policy_state *state,
		  const char **error_r);
void store_dict_rollback(struct policy_store *store);

/* The number that each login moves: as the functions of login-stamp.h, which
   has it in a file. */
enum policy_store_result
store_dict_read_login_stamp(struct policy_store *store, uint64_t *number_r,
			    const char **error_r);
enum policy_store_result
store_dict_set_login_stamp(struct policy_store *store, uint64_t old,
			   uint64_t number, bool *set_r, const char **error_r);

#endif
