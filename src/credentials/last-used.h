#ifndef POP3_POLICY_LAST_USED_H
#define POP3_POLICY_LAST_USED_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "array-decl.h"

#include <time.h>

/* When the passwords of a credential file PATH were used last: PATH.used, to
   which a line is appended for each use, at most one an hour for each password.
   doc/credentials.md describes it. What is in it is kept in memory, and only
   what was appended since is read. */
struct last_used;

struct last_use {
	/* of the app password; "" for the main password */
	const char *id;
	time_t time;
	/* "" if it is not known */
	const char *address;
};
ARRAY_DEFINE_TYPE(last_use, struct last_use);

/* The path is that of the credential file. Nothing is opened yet. */
struct last_used *last_used_init(const char *path);
void last_used_deinit(struct last_used **used);

/* Note a use now, from this address, or "" if it is not known. Nobody is waited
   for. Returns 1 if it was written, 0 if one was noted within the hour or
   somebody else is writing, -1 and an error; it is also one that the file
   should have been made smaller, and could not. */
int last_used_note(struct last_used *used, const char *name, const char *id,
		   const char *address, time_t now, const char **error_r);

/* The last uses of the passwords that this user has or had, in no order. They
   live in the pool. There are none if there is no file. Returns 0, or -1 and an
   error. */
int last_used_get(struct last_used *used, const char *name, pool_t pool,
		  ARRAY_TYPE(last_use) *uses_r, const char **error_r);

#endif
