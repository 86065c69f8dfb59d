/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "doveadm-print.h"
#include "credential-check.h"
#include "last-used.h"
#include "cmd-print.h"
#include "credential-cmd.h"
#include "doveadm-auth-json-plugin.h"

#include <sysexits.h>

static void print_text(const char *text)
{
	doveadm_print(*text == '\0' ? "-" : text);
}

static void print_networks(const struct app_password *app)
{
	const struct credential_network *network;
	string_t *str = t_str_new(64);

	array_foreach(&app->networks, network) {
		if (str_len(str) > 0)
			str_append_c(str, ' ');
		str_append(str, credential_network_print(network));
	}
	print_text(str_c(str));
}

/* Values have spaces, as "100M/day 1G/month" has. */
static void print_settings(const struct app_password *app)
{
	const struct credential_pair *setting;
	string_t *str = t_str_new(128);

	array_foreach(&app->settings, setting) {
		if (str_len(str) > 0)
			str_append(str, ", ");
		str_printfa(str, "%s=%s", setting->name, setting->value);
	}
	print_text(str_c(str));
}

static const struct last_use *
find_use(const ARRAY_TYPE(last_use) *uses, const char *id)
{
	const struct last_use *use;

	array_foreach(uses, use) {
		if (strcmp(use->id, id) == 0)
			return use;
	}
	return NULL;
}

static void
print_app(const struct app_password *app, const ARRAY_TYPE(last_use) *uses)
{
	const struct last_use *use = find_use(uses, app->id);

	doveadm_print(app->id);
	print_text(app->label);
	cmd_print_time(app->created, "-");
	cmd_print_time(app->expires, "never");
	print_networks(app);
	print_text(t_strarray_join(app->protocols, " "));
	print_settings(app);
	cmd_print_time(use == NULL ? 0 : use->time, "never");
	print_text(use == NULL ? "" : use->address);
}

static void print_headers(void)
{
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	doveadm_print_header("id", "Id", 0);
	doveadm_print_header("label", "Label", 0);
	doveadm_print_header("created", "Created", 0);
	doveadm_print_header("expires", "Expires", 0);
	doveadm_print_header("networks", "Networks", 0);
	doveadm_print_header("protocols", "Protocols", 0);
	doveadm_print_header("settings", "Settings", 0);
	doveadm_print_header("last_used", "Last used", 0);
	doveadm_print_header("from", "From", 0);
}

static int
read_uses(struct credential_cmd *cmd, ARRAY_TYPE(last_use) *uses_r,
	  const char **error_r)
{
	struct last_used *used;
	int ret;

	used = last_used_init(cmd->path);
	ret = last_used_get(used, cmd->username, cmd->pool, uses_r, error_r);
	last_used_deinit(&used);
	return ret;
}

static int app_password_list(struct credential_cmd *cmd, const char **error_r)
{
	const struct app_password *app;
	struct credential_user user;
	ARRAY_TYPE(last_use) uses;

	if (credential_cmd_find_user(cmd, &user, error_r) < 0 ||
	    read_uses(cmd, &uses, error_r) < 0)
		return -1;
	print_headers();
	array_foreach(&user.app_passwords, app) T_BEGIN {
		print_app(app, &uses);
	} T_END;
	return 0;
}

/* Which one is to be revoked: one of them is NULL. */
struct revoke_options {
	const char *id, *label;
};

static bool
is_meant(const struct app_password *app, const struct revoke_options *options)
{
	return options->id != NULL ? strcmp(app->id, options->id) == 0 :
		strcmp(app->label, options->label) == 0;
}

/* Which one, and how many: other programs may give one label to several. */
static unsigned int
find_meant(const struct credential_user *user,
	   const struct revoke_options *options, unsigned int *idx_r)
{
	const struct app_password *app;
	unsigned int count = 0;

	array_foreach(&user->app_passwords, app) {
		if (!is_meant(app, options))
			continue;
		*idx_r = array_foreach_idx(&user->app_passwords, app);
		count++;
	}
	return count;
}

static const char *
describe_meant(const struct credential_user *user,
	       const struct revoke_options *options, unsigned int count)
{
	if (options->id != NULL) {
		return t_strdup_printf("%s has no app password with the id %s",
				       user->name, options->id);
	}
	if (count == 0) {
		return t_strdup_printf("%s has no app password with the label "
				       "\"%s\"", user->name, options->label);
	}
	return t_strdup_printf("%s has %u app passwords with the label \"%s\": "
			       "say which one by its id", user->name, count,
			       options->label);
}

static int
revoke_app(struct credential_cmd *cmd, struct credential_user *user,
	   void *context, const char **error_r)
{
	const struct revoke_options *options = context;
	unsigned int idx, count = find_meant(user, options, &idx);

	if (count != 1) {
		cmd->exit_code = EX_DATAERR;
		*error_r = describe_meant(user, options, count);
		return -1;
	}
	array_delete(&user->app_passwords, idx, 1);
	return 1;
}

static int app_password_revoke(struct credential_cmd *cmd, const char **error_r)
{
	struct revoke_options options = { .id = NULL };

	(void)doveadm_cmd_param_str(cmd->cctx, "id", &options.id);
	(void)doveadm_cmd_param_str(cmd->cctx, "label", &options.label);
	if ((options.id == NULL) == (options.label == NULL)) {
		cmd->exit_code = EX_USAGE;
		*error_r = "which one? Say it either by its id or by --label";
		return -1;
	}
	if (credential_cmd_edit_user(cmd, FALSE, revoke_app, &options,
				     error_r) < 0)
		return -1;
	credential_cmd_print_result(cmd, "revoked");
	return 0;
}

static void cmd_app_password_list(struct doveadm_cmd_context *cctx)
{
	credential_cmd_run(cctx, app_password_list);
}

static void cmd_app_password_revoke(struct doveadm_cmd_context *cctx)
{
	credential_cmd_run(cctx, app_password_revoke);
}

struct doveadm_cmd_ver2 doveadm_cmd_pop3_app_password_list = {
	.name = "pop3 app-password list",
	.usage = "-u <user>",
	.cmd = cmd_app_password_list,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_PARAM('u', "user", CMD_PARAM_STR, 0)
DOVEADM_CMD_PARAMS_END
};

struct doveadm_cmd_ver2 doveadm_cmd_pop3_app_password_revoke = {
	.name = "pop3 app-password revoke",
	.usage = "-u <user> <id> | -l <label>",
	.cmd = cmd_app_password_revoke,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_PARAM('u', "user", CMD_PARAM_STR, 0)
DOVEADM_CMD_PARAM('l', "label", CMD_PARAM_STR, 0)
DOVEADM_CMD_PARAM('\0', "id", CMD_PARAM_STR, CMD_PARAM_FLAG_POSITIONAL)
DOVEADM_CMD_PARAMS_END
};
