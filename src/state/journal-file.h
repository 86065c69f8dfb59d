#ifndef POP3_POLICY_JOURNAL_FILE_H
#define POP3_POLICY_JOURNAL_FILE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "journal-line.h"
#include "state-dir.h"

#define JOURNAL_NAME "messages.jsonl"
/* One that is written anew, until it takes the place of the other. */
#define JOURNAL_NEW_NAME JOURNAL_NAME".new"

/* More than a million messages. */
#define JOURNAL_MAX_SIZE (256 * 1024 * 1024)

struct journal_file {
	int fd;
	/* JOURNAL_NAME or JOURNAL_NEW_NAME */
	const char *name;
	uoff_t size;
	/* zeroes if the first line is damaged */
	struct policy_journal_header header;
};

/* Open the journal of this generation with openat()'s flags; with generation 0
   any that has a whole line. Returns 1 and *file_r, to be closed, 0 if there is
   none, -1 with errno and an error if that cannot be known. */
int journal_file_open(const struct state_dir *dir, uint32_t generation,
		      int flags, struct journal_file *file_r,
		      const char **error_r);
void journal_file_close(struct journal_file *file);

/* Put the new journal in the place of the old one. Returns 0, or -1 with errno
   and an error. */
int journal_file_install(const struct state_dir *dir, const char **error_r);

#endif
