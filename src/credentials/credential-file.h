#ifndef POP3_POLICY_CREDENTIAL_FILE_H
#define POP3_POLICY_CREDENTIAL_FILE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include <sys/stat.h>

/* A file can change twice within a tick of the clock of its file system, and
   look the same after that. */
#define CREDENTIAL_FILE_TICK_SECS 2

struct credentials;
struct credential_file_edit;

/* Read a credential file. A link is not followed in the last component of the
   path, and a file is refused that its group may write or that others may use.
   Returns 1 and *text_r, which the caller frees, and *st_r of the file that was
   read; 0 with an error if there is none, -1 and an error. */
int credential_file_read(const char *path, string_t **text_r, struct stat *st_r,
			 const char **error_r);

/* Likewise, and find the users in the text; errors about it begin with the
   path. */
int credential_file_load(const char *path, struct credentials **credentials_r,
			 struct stat *st_r, const char **error_r);

/* Lock PATH.lock and read the file then, so that no writer works on an old
   text. One that does not exist has no users. A process may edit one file at a
   time. Returns 1 and *edit_r, 0 and an error if somebody held the lock all
   these seconds, -1 and an error. */
int credential_file_edit_begin(const char *path, unsigned int lock_secs,
			       struct credential_file_edit **edit_r,
			       const char **error_r);
const struct credentials *
credential_file_edit_get(const struct credential_file_edit *edit);
/* Put a file with this text in the place of the one that was read, at once and
   on disk; it has the owner, the group and the mode of that one, a new file
   those of the process and 0600, or those of its folder if the process is
   root's. In any case the edit is over. Returns 0, or -1
   and an error; the old file is still there then, unless only writing to the
   disk failed. */
int credential_file_edit_commit(struct credential_file_edit **edit,
				const string_t *text, const char **error_r);
void credential_file_edit_rollback(struct credential_file_edit **edit);

#endif
