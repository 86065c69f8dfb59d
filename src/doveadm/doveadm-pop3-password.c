/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "app-password.h"
#include "password-hash.h"
#include "credential-cmd.h"
#include "password-input.h"
#include "doveadm-auth-json-plugin.h"

#include <sysexits.h>

/* A login could not tell it from the password of a device. */
static int
check_form(const struct password_input *input, const char **error_r)
{
	struct app_password_code code;

	if (!app_password_parse(input->text, &code))
		return 0;
	app_password_wipe(&code);
	*error_r = "the password has the form of an app password, expected "
		"one that differs from it, for example by other characters";
	return -1;
}

static int
read_hash(struct credential_cmd *cmd, const char **hash_r, const char **error_r)
{
	struct password_hasher *hasher;
	struct password_input input;
	int ret;

	if (credential_cmd_hasher(cmd, &hasher, error_r) < 0)
		return -1;
	ret = password_input_read(&input, t_strdup_printf(
			"New password of %s: ", cmd->username),
			"The same once more: ", error_r);
	if (ret == 0)
		ret = check_form(&input, error_r);
	if (ret < 0)
		cmd->exit_code = EX_DATAERR;
	else
		ret = password_hasher_hash(hasher, input.text, hash_r, error_r);
	password_input_wipe(&input);
	password_hasher_deinit(&hasher);
	return ret;
}

static int
set_hash(struct credential_cmd *cmd ATTR_UNUSED, struct credential_user *user,
	 void *context, const char **error_r ATTR_UNUSED)
{
	user->password = context;
	return 1;
}

static int say_create(struct credential_cmd *cmd, const char **error_r)
{
	if (cmd->exit_code == EX_NOUSER) {
		*error_r = t_strconcat(*error_r, ": to make one, add --create",
				       NULL);
	}
	return -1;
}

static int password_set(struct credential_cmd *cmd, const char **error_r)
{
	struct credential_user user;
	const char *hash;
	bool create = FALSE;

	(void)doveadm_cmd_param_bool(cmd->cctx, "create", &create);
	/* nobody should have to type a password in vain */
	if (!create && credential_cmd_find_user(cmd, &user, error_r) < 0)
		return say_create(cmd, error_r);
	if (read_hash(cmd, &hash, error_r) < 0)
		return -1;
	if (credential_cmd_edit_user(cmd, create, set_hash,
				     p_strdup(cmd->pool, hash), error_r) < 0)
		return say_create(cmd, error_r);
	credential_cmd_print_result(cmd, "password set");
	return 0;
}

static int
set_enabled(struct credential_cmd *cmd ATTR_UNUSED,
	    struct credential_user *user, void *context,
	    const char **error_r ATTR_UNUSED)
{
	const bool *enabled = context;

	if (user->enabled == *enabled)
		return 0;
	user->enabled = *enabled;
	return 1;
}

static int password_disable(struct credential_cmd *cmd, const char **error_r)
{
	bool enabled = FALSE;
	int ret;

	ret = credential_cmd_edit_user(cmd, FALSE, set_enabled, &enabled,
				       error_r);
	if (ret < 0)
		return -1;
	credential_cmd_print_result(cmd, ret > 0 ? "disabled" :
				    "was disabled already");
	return 0;
}

static int password_enable(struct credential_cmd *cmd, const char **error_r)
{
	bool enabled = TRUE;
	int ret;

	ret = credential_cmd_edit_user(cmd, FALSE, set_enabled, &enabled,
				       error_r);
	if (ret < 0)
		return -1;
	credential_cmd_print_result(cmd, ret > 0 ? "enabled" :
				    "was enabled already");
	return 0;
}

static int password_remove(struct credential_cmd *cmd, const char **error_r)
{
	if (credential_cmd_remove_user(cmd, error_r) < 0)
		return -1;
	credential_cmd_print_result(cmd, "removed");
	return 0;
}

static void cmd_password_set(struct doveadm_cmd_context *cctx)
{
	credential_cmd_run(cctx, password_set);
}

static void cmd_password_disable(struct doveadm_cmd_context *cctx)
{
	credential_cmd_run(cctx, password_disable);
}

static void cmd_password_enable(struct doveadm_cmd_context *cctx)
{
	credential_cmd_run(cctx, password_enable);
}

static void cmd_password_remove(struct doveadm_cmd_context *cctx)
{
	credential_cmd_run(cctx, password_remove);
}

struct doveadm_cmd_ver2 doveadm_cmd_pop3_password_set = {
	.name = "pop3 password set",
	.usage = "[-c] -u <user>",
	.cmd = cmd_password_set,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_PARAM('u', "user", CMD_PARAM_STR, 0)
DOVEADM_CMD_PARAM('c', "create", CMD_PARAM_BOOL, 0)
DOVEADM_CMD_PARAMS_END
};

struct doveadm_cmd_ver2 doveadm_cmd_pop3_password_disable = {
	.name = "pop3 password disable",
	.usage = "-u <user>",
	.cmd = cmd_password_disable,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_PARAM('u', "user", CMD_PARAM_STR, 0)
DOVEADM_CMD_PARAMS_END
};

struct doveadm_cmd_ver2 doveadm_cmd_pop3_password_enable = {
	.name = "pop3 password enable",
	.usage = "-u <user>",
	.cmd = cmd_password_enable,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_PARAM('u', "user", CMD_PARAM_STR, 0)
DOVEADM_CMD_PARAMS_END
};

struct doveadm_cmd_ver2 doveadm_cmd_pop3_password_remove = {
	.name = "pop3 password remove",
	.usage = "-u <user>",
	.cmd = cmd_password_remove,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_PARAM('u', "user", CMD_PARAM_STR, 0)
DOVEADM_CMD_PARAMS_END
};
