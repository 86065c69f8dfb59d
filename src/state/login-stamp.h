#ifndef POP3_POLICY_LOGIN_STAMP_H
#define POP3_POLICY_LOGIN_STAMP_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "store.h"

/* One number of the user that each login moves: DIR/login.json, or in the dict
   that has the state. The file is written in place and never synced: who loses
   it loses no more than one delay. What cannot be parsed is as good as no number,
   which is 0. */

/* Read the number, without a lock. Returns POLICY_STORE_OK, or
   POLICY_STORE_UNUSABLE and an error. */
enum policy_store_result
policy_login_stamp_read(struct policy_store *store, uint64_t *number_r,
			const char **error_r);
/* Set the number under its own lock, if it is still the old one. Returns
   POLICY_STORE_OK and whether it was set (if not, another process has set it),
   else an error; then another process may see the old one or the new one. */
enum policy_store_result
policy_login_stamp_set(struct policy_store *store, uint64_t old,
		       uint64_t number, bool *set_r, const char **error_r);

#endif
