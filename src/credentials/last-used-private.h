#ifndef POP3_POLICY_LAST_USED_PRIVATE_H
#define POP3_POLICY_LAST_USED_PRIVATE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "hash.h"
#include "credential.h"
#include "last-used-line.h"
#include "last-used.h"

#include <sys/stat.h>

/* Half of it is the last lines of as many passwords as may be in it. */
#define LAST_USED_MAX_SIZE (64 * 1024 * 1024)
/* What a worker can keep in memory. */
#define LAST_USED_MAX_ENTRIES (256 * 1024)
/* Of one user. Passwords that were revoked count as well: of more than these
   the one is forgotten that was not used for longest. */
#define LAST_USED_USER_MAX_ENTRIES (2 * (APP_PASSWORDS_MAX + 1))

struct last_used_entry {
	/* of the same user */
	struct last_used_entry *next;
	time_t time;
	struct ip_addr ip;
	char id[APP_PASSWORD_ID_LEN + 1];
};

struct last_used {
	/* of the credential file, and of the file beside it */
	char *path, *used_path;

	/* what was read of the file: up to there, which is behind a line end
	   unless it is amid a line that is too long */
	dev_t dev;
	ino_t ino;
	uoff_t offset;
	bool in_long_line;
	/* the last octets before the offset, by which a file is recognized that
	   has grown */
	char tail[64];
	/* when it was read last */
	uoff_t size;

	/* the entries of users by their names; both live in the pool */
	pool_t pool;
	HASH_TABLE(const char *, struct last_used_entry *) users;
	unsigned int entries_count;
	/* there were more than may be; those are not here */
	bool too_many;
	/* also of damaged ones */
	unsigned int lines_count;
};

/* Open the file beside the credential file. Returns 1 and *fd_r, to be closed,
   0 if there is none, -1 and an error if there is something that is not our
   file. */
int last_used_open(const struct last_used *used, int flags, int *fd_r,
		   const char **error_r);
/* Likewise to append to it; it is made if there is none. Returns 0 if somebody
   else removes it at the same time. */
int last_used_open_append(const struct last_used *used, int *fd_r,
			  const char **error_r);

/* Forget what was read. */
void last_used_reset(struct last_used *used);
/* Read what is new in the open file. Returns 0, or -1 and an error. */
int last_used_read(struct last_used *used, int fd, const char **error_r);
/* NULL if the user has not used it. */
const struct last_used_entry *
last_used_lookup(const struct last_used *used, const char *name,
		 const char *id);

/* Put a file with only the last lines in the place of this one, which is
   locked. Returns 0, or -1 and an error; then the old one is still there. */
int last_used_compact(struct last_used *used, int fd, const char **error_r);

#endif
