#ifndef POP3_POLICY_CREDENTIAL_EDIT_H
#define POP3_POLICY_CREDENTIAL_EDIT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "credentials.h"

/* The text of a whole file in which one user differs. The lines of the others
   are copied octet by octet, also what is wrong in them. What of the user's own
   line this version does not know stays. Each appends to dest and returns 1, or
   leaves it alone and returns 0 where it says so, and -1 and an error if the
   user or the file could not be read back. */

/* Returns 0 if there is such a user already. */
int credential_edit_add(const struct credentials *credentials,
			const struct credential_user *user, string_t *dest,
			const char **error_r);
/* Returns 0 if there is no such user. */
int credential_edit_set(const struct credentials *credentials,
			const struct credential_user *user, string_t *dest,
			const char **error_r);
int credential_edit_remove(const struct credentials *credentials,
			   const char *name, string_t *dest,
			   const char **error_r);
/* Add or set each of these users, in one go; none may be there twice. Never
   returns 0. */
int credential_edit_put(const struct credentials *credentials,
			const ARRAY_TYPE(credential_user) *users,
			string_t *dest, const char **error_r);

#endif
