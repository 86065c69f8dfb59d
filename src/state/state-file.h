#ifndef POP3_POLICY_STATE_FILE_H
#define POP3_POLICY_STATE_FILE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#define STATE_NAME "state.json"
/* Our own are below 4 KB, so this is somebody else's. */
#define STATE_MAX_SIZE (64 * 1024)

struct policy_store;
struct state_dir;

enum load_result {
	LOADED,
	/* *error_r says why the file is of no use */
	LOAD_CORRUPT,
	LOAD_FAILED
};

/* Read the file of the state in this folder; the text is in the data stack, NULL
   if there is no file. */
enum load_result
state_file_read(const struct state_dir *dir, const void **text_r,
		size_t *size_r, const char **error_r);
/* Rename a file that is of no use, so that nothing of it is lost, and log it. The
   store must be locked. */
void state_file_set_aside(struct policy_store *store, const char *reason);

#endif
