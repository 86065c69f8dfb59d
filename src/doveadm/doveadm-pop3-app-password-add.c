/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "doveadm-print.h"
#include "login-choice.h"
#include "password-hash.h"
#include "app-password-options.h"
#include "credential-cmd.h"
#include "doveadm-auth-json-plugin.h"

#include <stdio.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* Names of devices come from both, so none may be that of another one. */
static int
check_names(const struct credential_user *user, const struct app_password *app,
	    const char **error_r)
{
	const struct app_password *other;

	array_foreach(&user->app_passwords, other) {
		if (strcmp(other->id, app->id) == 0 ||
		    strcmp(other->label, app->id) == 0) {
			*error_r = t_strdup_printf("the id %s that was drawn "
				"is taken, try again", app->id);
			return -1;
		}
		if (*app->label != '\0' &&
		    (strcmp(other->label, app->label) == 0 ||
		     strcmp(other->id, app->label) == 0)) {
			*error_r = t_strdup_printf("%s has an app password %s "
				"already, which is labelled \"%s\"", user->name,
				other->id, other->label);
			return -1;
		}
	}
	return 0;
}

static int
add_app(struct credential_cmd *cmd, struct credential_user *user, void *context,
	const char **error_r)
{
	const struct app_password *app = context;

	cmd->exit_code = EX_DATAERR;
	if (array_count(&user->app_passwords) >= APP_PASSWORDS_MAX) {
		*error_r = t_strdup_printf("%s has %u app passwords already, "
			"more are not possible: revoke one that is not used",
			user->name, APP_PASSWORDS_MAX);
		return -1;
	}
	if (check_names(user, app, error_r) < 0)
		return -1;
	cmd->exit_code = EX_TEMPFAIL;
	array_push_back(&user->app_passwords, app);
	return 1;
}

static void
say_device(struct credential_cmd *cmd, const struct app_password *app)
{
	const struct login_choice choice = { .app = app };
	const char *device = login_choice_device(&choice);

	if (*app->label != '\0' && strcmp(device, app->label) != 0) {
		e_info(cmd->event, "the label \"%s\" cannot be the name of a "
		       "device: it will be %s", app->label, device);
	}
}

/* To a terminal; what is in a pipe is for a program. */
static void say_how(struct credential_cmd *cmd)
{
	if (cmd->cctx->conn_type != DOVEADM_CONNECTION_TYPE_CLI ||
	    isatty(STDOUT_FILENO) == 0)
		return;
	fprintf(stderr,
		"This is the password of one device of %s, and is shown only "
		"now.\nUpper and lower case, dashes and spaces do not matter "
		"when it is typed.\n", cmd->username);
}

static void
print_code(struct credential_cmd *cmd, const struct app_password_code *code)
{
	char text[APP_PASSWORD_TEXT_SIZE];

	say_how(cmd);
	app_password_print(code, text);
	doveadm_print_init(DOVEADM_PRINT_TYPE_FLOW);
	doveadm_print_header("password", "password",
			     DOVEADM_PRINT_HEADER_FLAG_HIDE_TITLE);
	doveadm_print(text);
	app_password_wipe_text(text);
}

static int
add_code(struct credential_cmd *cmd, struct app_password *app,
	 const struct app_password_code *code, const char **error_r)
{
	struct password_hasher *hasher;
	const char *hash;
	int ret;

	if (credential_cmd_hasher(cmd, &hasher, error_r) < 0)
		return -1;
	ret = password_hasher_hash(hasher, code->secret, &hash, error_r);
	password_hasher_deinit(&hasher);
	if (ret < 0)
		return -1;
	app->id = p_strdup(cmd->pool, code->id);
	app->hash = p_strdup(cmd->pool, hash);
	if (credential_cmd_edit_user(cmd, FALSE, add_app, app, error_r) < 0)
		return -1;
	say_device(cmd, app);
	print_code(cmd, code);
	return 0;
}

static int app_password_add(struct credential_cmd *cmd, const char **error_r)
{
	struct app_password_code code;
	struct app_password app;
	int ret;

	if (app_password_options_parse(cmd->cctx, time(NULL), cmd->pool, &app,
				       error_r) < 0) {
		cmd->exit_code = EX_DATAERR;
		return -1;
	}
	app_password_generate(&code);
	ret = add_code(cmd, &app, &code, error_r);
	app_password_wipe(&code);
	return ret;
}

static void cmd_app_password_add(struct doveadm_cmd_context *cctx)
{
	credential_cmd_run(cctx, app_password_add);
}

struct doveadm_cmd_ver2 doveadm_cmd_pop3_app_password_add = {
	.name = "pop3 app-password add",
	.usage = "[-l <label>] [-e <time>|<date>] [-n <network> ...] "
		"[-p <protocol> ...] [-s <setting>=<value> ...] -u <user>",
	.cmd = cmd_app_password_add,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_PARAM('u', "user", CMD_PARAM_STR, 0)
DOVEADM_CMD_PARAM('l', "label", CMD_PARAM_STR, 0)
DOVEADM_CMD_PARAM('e', "expires", CMD_PARAM_STR, 0)
DOVEADM_CMD_PARAM('n', "network", CMD_PARAM_ARRAY, 0)
DOVEADM_CMD_PARAM('p', "protocol", CMD_PARAM_ARRAY, 0)
DOVEADM_CMD_PARAM('s', "setting", CMD_PARAM_ARRAY, 0)
DOVEADM_CMD_PARAMS_END
};
