#ifndef POP3_POLICY_STATE_CMD_H
#define POP3_POLICY_STATE_CMD_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "compat-doveadm.h"

#include <time.h>

/* What commands need of a user that do not open the mailbox. */
struct state_cmd {
	struct mail_user *user;
	const struct pop3_policy_settings *set;
	struct policy_store *store;
	/* the state folder, which may not exist; NULL if the state is in a
	   dict */
	const char *dir;
	time_t now;
};

/* Returns 0, or -1 and an error for the admin. */
typedef int
state_cmd_func_t(struct doveadm_mail_cmd_context *ctx, struct state_cmd *cmd,
		 const char **error_r);

/* Read the state without a change, also if it is corrupt. Returns 0 and the
   state, to be freed, or -1 and an error. */
int state_cmd_look(struct state_cmd *cmd, struct policy_state **state_r,
		   const char **error_r);

/* Let the function do its work with the state of the user, and log its error.
   Returns as it does. */
int state_cmd_run(struct doveadm_mail_cmd_context *ctx, struct mail_user *user,
		  state_cmd_func_t *func);

#endif
