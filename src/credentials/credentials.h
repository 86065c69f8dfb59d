#ifndef POP3_POLICY_CREDENTIALS_H
#define POP3_POLICY_CREDENTIALS_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "credential.h"

/* A credential file in memory. Text as credential-edit.h prints it has each
   user in a line, and is not parsed but for the user who is asked for; what is
   written in any other way is parsed whole once, and gives the same. Errors
   have the line and the column of the file, and nothing of a password. */
struct credentials;

#define CREDENTIALS_MAX_SIZE (64 * 1024 * 1024)
/* Twice of what a user can have that is ours. */
#define CREDENTIAL_USER_MAX_SIZE (1024 * 1024)

/* Take over the text of a file; *text becomes NULL, also for an error, and what
   it had is wiped. Returns 0, or -1 and an error if the file is not one of
   ours. What is wrong with one user alone is found by credentials_find(). */
int credentials_init(string_t **text, struct credentials **credentials_r,
		     const char **error_r);
/* Without any user. */
struct credentials *credentials_init_empty(void);
/* Wipes the text. */
void credentials_deinit(struct credentials **credentials);

/* Returns 1 and *user_r, which lives in the pool, 0 if there is no such user,
   -1 and an error if what the file says of this user is wrong. */
int credentials_find(const struct credentials *credentials, const char *name,
		     pool_t pool, struct credential_user *user_r,
		     const char **error_r);

/* Users by their number, which is below the count; the name is in the data
   stack. */
unsigned int credentials_count(const struct credentials *credentials);
const char *credentials_get_name(const struct credentials *credentials,
				 unsigned int idx);

#endif
