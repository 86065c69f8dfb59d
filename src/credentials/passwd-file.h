#ifndef POP3_POLICY_PASSWD_FILE_H
#define POP3_POLICY_PASSWD_FILE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "credential.h"

/* Lines of the files that Dovecot's passwd-file driver reads:
   USER:PASSWORD:UID:GID:(gecos):HOME:(shell):EXTRA FIELDS */

/* Octets, without the line end. A user can have no more than this. */
#define PASSWD_FILE_LINE_MAX_LEN (128 * 1024)

struct passwd_file_entry {
	/* without app passwords; the password is NULL if there is none, or if
	   it is below */
	struct credential_user user;
	/* NULL, or a password that is to be hashed and then wiped */
	char *clear_text;
};

/* The user of a line, in the data stack; NULL if the line is not known to begin
   with a name. */
const char *passwd_file_get_name(const char *line);

/* What a line without its end says. It all lives in the pool, which has
   secrets then. Returns 1 and *entry_r, 0 for a line that Dovecot passes over,
   -1 and an error if a credential file cannot say the same: a user must never
   get more than they had. The error quotes nothing of the line but names of
   fields that Dovecot knows. */
int passwd_file_parse(const char *line, pool_t pool,
		      struct passwd_file_entry *entry_r, const char **error_r);

#endif
