#ifndef POP3_POLICY_MAILDROP_CMD_H
#define POP3_POLICY_MAILDROP_CMD_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "compat-doveadm.h"
#include "epoch-check.h"
#include "maildrop.h"

/* How often the state may change while a command begins. */
#define MAILDROP_CMD_MAX_TRIES 5

/* What commands about UIDLs need of a user. */
struct maildrop_cmd {
	struct mail_user *user;
	struct event *event;
	const struct pop3_policy_settings *set;
	struct policy_store *store;
	/* as it was before the maildrop was synced */
	struct policy_state *state;
	struct mailbox *box;
	struct maildrop drop;
	/* what a command that fails ends with */
	enum mail_error failure;

	/* what clients are told, once maildrop_cmd_check(), _look() or
	   _prepare() has found it out; both are NULL if nothing was ever
	   written for this user */
	const struct policy_epoch *epoch;
	struct stored_uidls *stored;

	/* pop3_uidl_format */
	char *uidl_format;
	/* who owns what clients are told: one of these */
	struct maildrop_uidls *prepared;
	struct stored_uidls *looked_up;
};

/* Returns 0, or -1 and an error for the admin. */
typedef int
maildrop_cmd_func_t(struct doveadm_mail_cmd_context *ctx,
		    struct maildrop_cmd *cmd, const char **error_r);

/* Open the INBOX of the user, let the function do its work, and log its error.
   Returns as it does. */
int maildrop_cmd_run(struct doveadm_mail_cmd_context *ctx,
		     struct mail_user *user, maildrop_cmd_func_t *func);

/* Read the state and the maildrop again; what clients are told is to be found
   out anew. Returns 0, or -1 and an error. */
int maildrop_cmd_reread(struct maildrop_cmd *cmd, const char **error_r);
/* Likewise, because somebody else has changed the state; after so many tries
   that is an error. */
int maildrop_cmd_try_again(struct maildrop_cmd *cmd, unsigned int *tries,
			   const char **error_r);

/* Find out what clients are told, without a change. *reason_r is set when the
   epoch is broken, or when that failed. */
enum epoch_check_result
maildrop_cmd_check(struct maildrop_cmd *cmd, const char **reason_r);
/* What to do if the epoch is broken for that reason, in the data stack. */
const char *maildrop_cmd_recover_first(const struct maildrop_cmd *cmd,
				       const char *reason);
/* As maildrop_cmd_check(); also fails when a session would first have to recover UIDLs, or to
   make names. Returns 0, or -1 and an error that says what to do. */
int maildrop_cmd_look(struct maildrop_cmd *cmd, const char **error_r);
/* As a session does when it begins: recover UIDLs if need be. Returns 0, or -1
   and an error. */
int maildrop_cmd_prepare(struct maildrop_cmd *cmd, const char **error_r);

/* Whether the names of messages can be known although no session has begun an
   epoch yet: pop3_reuse_xuidl and pop3_uidl_duplicates are settings of the pop3
   process. Returns 0, or -1 and an error that says what to do. */
int maildrop_cmd_check_names(struct maildrop_cmd *cmd, const char **error_r);
/* Whether a message has an X-UIDL header. Returns 1, 0, or -1 and an error. */
int maildrop_cmd_has_xuidl(struct maildrop_cmd *cmd, const char **error_r);

/* What a POP3 client is told of the message, in the data stack. Returns 1, 0 if
   the message is gone, or -1 and an error. */
int maildrop_cmd_get_told(struct maildrop_cmd *cmd, struct mail *mail,
			  const char **uidl_r, const char **error_r);
/* The base name of the maildir file, in the data stack, or NULL if the storage
   is another one. Returns as above. */
int maildrop_cmd_get_filename(struct mail *mail, const char **filename_r,
			      const char **error_r);

#endif
