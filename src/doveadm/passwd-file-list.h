#ifndef POP3_POLICY_PASSWD_FILE_LIST_H
#define POP3_POLICY_PASSWD_FILE_LIST_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "passwd-file.h"

struct passdb_config;

#define PASSWD_FILE_MAX_LINES 1000000

enum password_import_result {
	/* the credential file says the same of the user already */
	PASSWORD_IMPORT_KEPT,
	PASSWORD_IMPORT_NEW,
	PASSWORD_IMPORT_REPLACED,
	/* the credential file says something else */
	PASSWORD_IMPORT_CONFLICT,
	/* the line cannot be taken over */
	PASSWORD_IMPORT_INVALID,

	PASSWORD_IMPORT_RESULT_COUNT
};

/* A line of a passwd-file that is about a user. */
struct passwd_file_line {
	unsigned int number;
	enum password_import_result result;
	/* for the results that are not as they should be; nothing secret */
	const char *reason;
	/* of an invalid line only the name is set, if it is known */
	struct passwd_file_entry entry;
};
ARRAY_DEFINE_TYPE(passwd_file_line, struct passwd_file_line);

/* Read a passwd-file to its end. Names of users are as auth makes them of those
   in the lines. Lines and what they say are in the pool, also secrets. The
   results are new or invalid. Returns 0, or -1 and an error if the file cannot
   be read. */
int passwd_file_list_read(int fd, const struct passdb_config *config,
			  pool_t pool,
			  ARRAY_TYPE(passwd_file_line) *lines_r,
			  const char **error_r);

#endif
