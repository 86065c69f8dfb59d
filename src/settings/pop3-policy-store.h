#ifndef POP3_POLICY_POP3_POLICY_STORE_H
#define POP3_POLICY_POP3_POLICY_STORE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct mail_user;
struct policy_store;
struct pop3_policy_settings;

/* The store that pop3_policy_state says, in files or in a dict. Returns 0 and
   *store_r, to be freed by policy_store_deinit(), or -1 and an error. fsync
   is for files. */
int pop3_policy_store_open(const struct pop3_policy_settings *set,
			   struct mail_user *user, bool fsync,
			   struct event *event_parent,
			   struct policy_store **store_r,
			   const char **error_r);
/* When no store is open any more. */
void pop3_policy_store_unload(void);

#endif
