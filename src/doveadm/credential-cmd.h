#ifndef POP3_POLICY_CREDENTIAL_CMD_H
#define POP3_POLICY_CREDENTIAL_CMD_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "doveadm-mail.h"
#include "credential.h"
#include "passdb-config.h"

struct password_hasher;
struct credential_file_edit;

/* What commands about credentials have in common. They ask no userdb: users are
   those of the credential file. */

#define CREDENTIAL_CMD_LOCK_SECS 10

struct credential_cmd {
	struct doveadm_cmd_context *cctx;
	struct event *event;
	/* lives as long as the command */
	pool_t pool;
	struct passdb_config config;
	/* who is to be changed or shown, by the name that auth knows, and in
	   which file; NULL before credential_cmd_set_user() */
	const char *username;
	const char *path;
	/* one of sysexits.h, for the case of an error */
	int exit_code;
};

/* What a command does. Returns 0, or -1 and an error. */
typedef int
credential_cmd_func_t(struct credential_cmd *cmd, const char **error_r);

/* Run a command: read the settings, take the user of the option -u if the
   command has it, call func. What fails is logged and becomes the exit code of
   doveadm. */
void credential_cmd_run(struct doveadm_cmd_context *cctx,
			credential_cmd_func_t *func);

/* From now on the command is about the user who logs in by this name. Returns
   0, or -1 and an error if no file can have it. */
int credential_cmd_set_user(struct credential_cmd *cmd, const char *login_name,
			    const char **error_r);

/* Lock and read the file of cmd->path, wait for somebody else who has it.
   Returns 0, or -1 and an error. */
int credential_cmd_edit_begin(struct credential_cmd *cmd,
			      struct credential_file_edit **edit_r,
			      const char **error_r);

/* What a command does with a user of the file. Returns 1 if the user was
   changed, 0 if there is nothing to change, -1 and an error. */
typedef int
credential_cmd_change_t(struct credential_cmd *cmd,
			struct credential_user *user, void *context,
			const char **error_r);

/* Change cmd->username in the file and make auth forget what it has in its
   cache. Without the user the new one is changed and added if create is TRUE,
   else that is an error. Returns as change() does. */
int credential_cmd_edit_user(struct credential_cmd *cmd, bool create,
			     credential_cmd_change_t *change, void *context,
			     const char **error_r);
/* Likewise, without the user afterwards. Returns 0, or -1 and an error. */
int credential_cmd_remove_user(struct credential_cmd *cmd,
			       const char **error_r);

/* Read cmd->username. Returns 0, or -1 and an error, also if there is no such
   user. */
int credential_cmd_find_user(struct credential_cmd *cmd,
			     struct credential_user *user_r,
			     const char **error_r);

/* Say what has become of cmd->username: the only row of a table. */
void credential_cmd_print_result(struct credential_cmd *cmd,
				 const char *result);

/* Make auth forget what it has of these users in its cache, so that changes
   take effect at once; NULL is of all. That auth is not running is no error,
   any other failure is logged as a warning. */
void credential_cmd_flush(struct credential_cmd *cmd, const char *const *users);

/* The hasher of new passwords as the passdb is configured. Returns 0, or -1 and
   an error. */
int credential_cmd_hasher(struct credential_cmd *cmd,
			  struct password_hasher **hasher_r,
			  const char **error_r);

#endif
