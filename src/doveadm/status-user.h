#ifndef POP3_POLICY_STATUS_USER_H
#define POP3_POLICY_STATUS_USER_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "array-decl.h"
#include "quota-tightest.h"

struct state_cmd;
struct maildrop_cmd;

/* What is known of a device. */
struct status_device {
	const char *name;
	/* how many messages it has downloaded that are still there */
	unsigned int downloaded;
	/* when it has downloaded the last of these first; 0 if that is not
	   known */
	time_t last_download;
};

/* What doveadm pop3 status says of a user. */
struct user_status {
	pool_t pool;

	/* the limit that is nearest to its end, if there is one */
	bool has_limit;
	struct pop3_quota_standing quota;

	/* what the state knows of UIDLs: "first", "lost", "damaged" or
	   "recorded", or of the mailbox: "steady" or "broken" */
	const char *uidls;
	unsigned int messages;
	/* no message goes by time before that; 0 if none does */
	time_t next;
	/* how many messages would go now, if that is known */
	bool due_is_known;
	unsigned int due;
	/* when login.json and state.json were last written; 0 if there are
	   none */
	time_t last_login, last_write;

	/* the first one is all of the user, without a name */
	ARRAY(struct status_device) devices;
};

/* Read state.json, the journal, and when files were written. Returns 0, or -1
   and an error. */
int user_status_read(struct user_status *status, struct state_cmd *cmd,
		     const char **error_r);
/* Put what the mailbox says in the place of what was read. Returns 0, or -1 and
   an error. */
int user_status_look(struct user_status *status, struct maildrop_cmd *cmd,
		     const char **error_r);

#endif
