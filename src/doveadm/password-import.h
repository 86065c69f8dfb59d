#ifndef POP3_POLICY_PASSWORD_IMPORT_H
#define POP3_POLICY_PASSWORD_IMPORT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "passwd-file-list.h"

struct credentials;
struct credential_cmd;
struct password_hasher;

/* The lines whose users are in one credential file. */
struct password_import_file {
	const char *path;
	ARRAY(struct passwd_file_line *) lines;
};
ARRAY_DEFINE_TYPE(password_import_file, struct password_import_file);

struct password_import {
	struct credential_cmd *cmd;
	/* it has secrets, and is wiped when it is freed */
	pool_t pool;
	struct password_hasher *hasher;
	/* users that are there already get what the lines say */
	bool replace;

	ARRAY_TYPE(passwd_file_line) lines;
	ARRAY_TYPE(password_import_file) files;

	unsigned int counts[PASSWORD_IMPORT_RESULT_COUNT];
};

/* Find out what is to be done with each line of the list, without a change.
   Returns 0, or -1 and an error if that cannot be known. */
int password_import_check(struct password_import *import, const char **error_r);
/* Write what the check has found: each file at once, under its lock. What has
   changed since is a conflict. Returns 0, or -1 and an error, which says so if
   some files were written already. */
int password_import_write(struct password_import *import, const char **error_r);

/* Count the results; returns the first line that forbids to write anything, or
   NULL. */
const struct passwd_file_line *
password_import_count(struct password_import *import);

/* Within the import: set the results of the lines by what the credential file
   says now. Returns 0, or -1 and an error if that cannot be known. */
int password_import_match(struct password_import *import,
			  const struct password_import_file *file,
			  const struct credentials *credentials,
			  const char **error_r);

#endif
