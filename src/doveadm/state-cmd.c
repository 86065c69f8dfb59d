/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "mail-user.h"
#include "compat-mail-user.h"
#include "pop3-policy-settings.h"
#include "pop3-policy-store.h"
#include "store.h"
#include "state-cmd.h"

static int
cmd_open(struct state_cmd *cmd, struct mail_user *user, const char **error_r)
{
	i_zero(cmd);
	cmd->user = user;
	cmd->now = time(NULL);
	if (pop3_policy_settings_get(user, &cmd->set, error_r) < 0)
		return -1;
	if ((pop3_policy_settings_use_dict(cmd->set) ||
	     pop3_policy_settings_state_dir(cmd->set, user, &cmd->dir,
					    error_r) == 0) &&
	    pop3_policy_store_open(cmd->set, user,
				   compat_mail_user_wants_fsync(user),
				   user->event, &cmd->store, error_r) == 0)
		return 0;
	pop3_policy_settings_free(&cmd->set);
	return -1;
}

static void cmd_close(struct state_cmd *cmd)
{
	policy_store_deinit(&cmd->store);
	pop3_policy_settings_free(&cmd->set);
}

int state_cmd_look(struct state_cmd *cmd, struct policy_state **state_r,
		   const char **error_r)
{
	if (policy_store_look(cmd->store, state_r, error_r) != POLICY_STORE_OK)
		return -1;
	if (*state_r != NULL)
		return 0;
	*error_r = t_strdup_printf("%s is corrupt (%s): the next session sets "
		"it aside", cmd->dir == NULL ? "the state in the dict" :
		t_strconcat(cmd->dir, "/state.json", NULL), *error_r);
	return -1;
}

int state_cmd_run(struct doveadm_mail_cmd_context *ctx, struct mail_user *user,
		  state_cmd_func_t *func)
{
	struct state_cmd cmd;
	const char *error;
	int ret;

	ret = cmd_open(&cmd, user, &error);
	if (ret == 0) {
		ret = func(ctx, &cmd, &error);
		cmd_close(&cmd);
	}
	if (ret < 0) {
		e_error(user->event, "pop3_policy: %s", error);
		doveadm_mail_failed_error(ctx, MAIL_ERROR_TEMP);
	}
	return ret;
}
