#ifndef POP3_POLICY_CREDENTIAL_STORE_H
#define POP3_POLICY_CREDENTIAL_STORE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "credentials.h"

struct event;

/* The credential files that a process of auth has in memory. A file that breaks
   does not lock out the users who were in it: what was read last stays in
   use. */
struct credential_store;

/* All files but the one that was used last have at most max_size octets
   together. */
struct credential_store *
credential_store_init(size_t max_size, struct event *event_parent);
void credential_store_deinit(struct credential_store **store);

/* Find a user in the file of this absolute path as it is now, which costs an
   lstat() if it is in memory and has not changed. If each user has a file
   somewhere below users_folder, there is no such user if there is no such file;
   but that folder must be there. NULL stands for a file of many users: if this
   is missing it is broken.

   Returns 1 and *user_r, which lives in the pool, 0 if there is no such user,
   -1 and an error if that cannot be known now or if what the file says of this
   user is wrong. In a broken file only those are found who were in it when it
   was read last, or if this process has not read it, who are in the copy beside
   a file of many users; all others get -1. Why it is broken is logged, once for
   each state of the file and at most once a minute. */
int credential_store_find(struct credential_store *store, const char *path,
			  const char *users_folder, const char *name, time_t now,
			  pool_t pool, struct credential_user *user_r,
			  const char **error_r);

/* See that there is a copy of this file of many users (credential-copy.h), if
   it was read since the last call and is still the same. Costs nothing if not,
   and writes at most each ten seconds. Returns 0, or -1 and an error. */
int credential_store_keep_copy(struct credential_store *store,
			       const char *path, time_t now,
			       const char **error_r);

#endif
