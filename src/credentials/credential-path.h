#ifndef POP3_POLICY_CREDENTIAL_PATH_H
#define POP3_POLICY_CREDENTIAL_PATH_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* The path of the credential file that a user is in, in the data stack, made of
   one with variables that compat_user_vars_check() has found to be good. No
   name may lead out of the folder, or to a file that is hidden. Returns 1, 0
   and an error if the name is such a one, -1 and an error if the variables
   cannot be replaced. */
int credential_path_make(const char *with_vars, const char *username,
			 const char **path_r, const char **error_r);

#endif
