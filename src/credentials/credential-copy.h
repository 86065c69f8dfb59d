#ifndef POP3_POLICY_CREDENTIAL_COPY_H
#define POP3_POLICY_CREDENTIAL_COPY_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include <sys/stat.h>

struct credentials;

/* PATH.good beside a credential file of many users: the file as it was read
   last, for a worker that starts while the file is broken. */

/* The path of the copy, in the data stack. */
const char *credential_copy_path(const char *path);

/* TRUE if the copy is of the file with this stat. The file is settled if it is
   so old that a change would show in its stat; a copy that was made before that
   is not good enough then. */
bool credential_copy_is_current(const char *path, const struct stat *st,
				bool settled);

/* Put a copy in the place of the one that is there. Nobody may read it who may
   not read the file with this stat; if we may, it is given to the same owner
   and group. Returns 1, 0 if somebody else is writing it, -1 and an error; then
   there is no copy, as an old one would bring back users who were removed. */
int credential_copy_write(const char *path,
			  const struct credentials *credentials,
			  const struct stat *st, time_t now,
			  const char **error_r);

/* Returns 1 and *credentials_r, 0 if there is no copy, -1 and an error if it is
   of no use. */
int credential_copy_read(const char *path, struct credentials **credentials_r,
			 const char **error_r);

#endif
