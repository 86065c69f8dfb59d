/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "net.h"
#include "auth-master.h"
#include "doveadm.h"
#include "doveadm-print.h"
#include "doveadm-settings.h"
#include "credential-edit.h"
#include "credential-file.h"
#include "passdb-json-hasher.h"
#include "password-hash.h"
#include "credential-cmd.h"

#include <sysexits.h>
#include <unistd.h>

static int cmd_take_user(struct credential_cmd *cmd, const char **error_r)
{
	const struct doveadm_cmd_param *param = cmd->cctx->cmd->parameters;
	const char *login_name;

	while (param->name != NULL && strcmp(param->name, "user") != 0)
		param++;
	if (param->name == NULL)
		return 0;
	if (!doveadm_cmd_param_str(cmd->cctx, "user", &login_name)) {
		cmd->exit_code = EX_USAGE;
		*error_r = "whose? Say it by -u USER";
		return -1;
	}
	return credential_cmd_set_user(cmd, login_name, error_r);
}

static int
cmd_run(struct credential_cmd *cmd, credential_cmd_func_t *func,
	const char **error_r)
{
	if (passdb_config_read(cmd->pool, &cmd->config, error_r) < 0) {
		cmd->exit_code = EX_CONFIG;
		return -1;
	}
	if (cmd_take_user(cmd, error_r) < 0)
		return -1;
	return func(cmd, error_r);
}

void credential_cmd_run(struct doveadm_cmd_context *cctx,
			credential_cmd_func_t *func)
{
	struct credential_cmd cmd = {
		.cctx = cctx,
		.exit_code = EX_TEMPFAIL,
	};
	const char *error;

	cmd.event = event_create(NULL);
	event_set_append_log_prefix(cmd.event, "pop3_policy: ");
	cmd.pool = pool_alloconly_create("pop3_policy credentials", 4096);
	if (cmd_run(&cmd, func, &error) < 0) {
		e_error(cmd.event, "%s", error);
		doveadm_exit_code = cmd.exit_code;
	}
	pool_unref(&cmd.pool);
	event_unref(&cmd.event);
}

int credential_cmd_set_user(struct credential_cmd *cmd, const char *login_name,
			    const char **error_r)
{
	const char *username, *path;

	if (passdb_config_username(&cmd->config, login_name, &username,
				   error_r) < 0 ||
	    passdb_config_path(&cmd->config, username, &path, error_r) < 0) {
		cmd->exit_code = EX_DATAERR;
		return -1;
	}
	cmd->username = p_strdup(cmd->pool, username);
	cmd->path = p_strdup(cmd->pool, path);
	return 0;
}

int credential_cmd_edit_begin(struct credential_cmd *cmd,
			      struct credential_file_edit **edit_r,
			      const char **error_r)
{
	int ret;

	ret = credential_file_edit_begin(cmd->path, CREDENTIAL_CMD_LOCK_SECS,
					 edit_r, error_r);
	return ret > 0 ? 0 : -1;
}

static int unknown_user(struct credential_cmd *cmd, const char **error_r)
{
	cmd->exit_code = EX_NOUSER;
	*error_r = t_strdup_printf("there is no user %s in %s", cmd->username,
				   cmd->path);
	return -1;
}

/* The file has no line and column for what is wrong with the command. */
static int
find_user(struct credential_cmd *cmd, const struct credentials *credentials,
	  struct credential_user *user_r, const char **error_r)
{
	const char *error;
	int ret;

	ret = credentials_find(credentials, cmd->username, cmd->pool, user_r,
			       &error);
	if (ret < 0)
		*error_r = t_strdup_printf("%s: %s", cmd->path, error);
	return ret;
}

static int
change_user(struct credential_cmd *cmd, const struct credentials *credentials,
	    bool create, credential_cmd_change_t *change, void *context,
	    string_t *text, const char **error_r)
{
	struct credential_user user;
	bool found;
	int ret;

	ret = find_user(cmd, credentials, &user, error_r);
	if (ret < 0)
		return -1;
	found = ret > 0;
	if (!found && !create) {
		(void)unknown_user(cmd, error_r);
		return -1;
	}
	if (!found)
		credential_user_init(&user, cmd->username, cmd->pool);
	ret = change(cmd, &user, context, error_r);
	if (ret <= 0)
		return ret;
	ret = found ? credential_edit_set(credentials, &user, text, error_r) :
		credential_edit_add(credentials, &user, text, error_r);
	i_assert(ret != 0);
	return ret;
}

/* Take over a change, or forget it if ret says that there is none. */
static int
edit_finish(struct credential_cmd *cmd, struct credential_file_edit **edit,
	    const string_t *text, int ret, const char **error_r)
{
	const char *const users[] = { cmd->username, NULL };

	if (ret <= 0) {
		credential_file_edit_rollback(edit);
		return ret;
	}
	if (credential_file_edit_commit(edit, text, error_r) < 0)
		return -1;
	credential_cmd_flush(cmd, users);
	return 1;
}

/* A name that was mistyped shall not leave a lock file of its own. */
static int check_file(struct credential_cmd *cmd, const char **error_r)
{
	struct stat st;

	if (lstat(cmd->path, &st) == 0 || errno != ENOENT)
		return 0;
	return unknown_user(cmd, error_r);
}

int credential_cmd_edit_user(struct credential_cmd *cmd, bool create,
			     credential_cmd_change_t *change, void *context,
			     const char **error_r)
{
	struct credential_file_edit *edit;
	string_t *text;
	int ret;

	if ((!create && check_file(cmd, error_r) < 0) ||
	    credential_cmd_edit_begin(cmd, &edit, error_r) < 0)
		return -1;
	text = str_new(default_pool, 4096);
	ret = change_user(cmd, credential_file_edit_get(edit), create, change,
			  context, text, error_r);
	ret = edit_finish(cmd, &edit, text, ret, error_r);
	str_free(&text);
	return ret;
}

int credential_cmd_remove_user(struct credential_cmd *cmd, const char **error_r)
{
	struct credential_file_edit *edit;
	string_t *text;
	int ret;

	if (check_file(cmd, error_r) < 0 ||
	    credential_cmd_edit_begin(cmd, &edit, error_r) < 0)
		return -1;
	text = str_new(default_pool, 4096);
	ret = credential_edit_remove(credential_file_edit_get(edit),
				     cmd->username, text, error_r);
	if (ret == 0)
		ret = unknown_user(cmd, error_r);
	ret = edit_finish(cmd, &edit, text, ret, error_r);
	str_free(&text);
	return ret < 0 ? -1 : 0;
}

int credential_cmd_find_user(struct credential_cmd *cmd,
			     struct credential_user *user_r,
			     const char **error_r)
{
	struct credentials *credentials;
	struct stat st;
	int ret;

	ret = credential_file_load(cmd->path, &credentials, &st, error_r);
	if (ret < 0)
		return -1;
	if (ret == 0)
		return unknown_user(cmd, error_r);
	ret = find_user(cmd, credentials, user_r, error_r);
	credentials_deinit(&credentials);
	if (ret == 0)
		return unknown_user(cmd, error_r);
	return ret < 0 ? -1 : 0;
}

void credential_cmd_print_result(struct credential_cmd *cmd, const char *result)
{
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	doveadm_print_header("user", "User", 0);
	doveadm_print_header("result", "Result", 0);
	doveadm_print(cmd->username);
	doveadm_print(result);
}

int credential_cmd_hasher(struct credential_cmd *cmd,
			  struct password_hasher **hasher_r,
			  const char **error_r)
{
	struct password_hasher_settings set;

	passdb_json_hasher_settings(&cmd->config.set, &set);
	if (password_hasher_init(&set, hasher_r, error_r) < 0) {
		cmd->exit_code = EX_CONFIG;
		return -1;
	}
	return 0;
}

/* auth-master would log that nobody listens. */
static bool auth_is_running(const char *path)
{
	int fd = net_connect_unix(path);

	if (fd == -1)
		return errno != ENOENT && errno != ECONNREFUSED;
	i_close_fd(&fd);
	return TRUE;
}

void credential_cmd_flush(struct credential_cmd *cmd, const char *const *users)
{
	struct auth_master_connection *conn;
	unsigned int count;
	const char *path;

	path = t_strconcat(doveadm_settings->base_dir, "/auth-master", NULL);
	if (!auth_is_running(path))
		return;
	conn = auth_master_init(path, 0);
	if (auth_master_cache_flush(conn, users, &count) < 0) {
		e_warning(cmd->event, "the cache of auth could not be flushed: "
			  "the old passwords may be good until auth_cache_ttl "
			  "is over");
	}
	auth_master_deinit(&conn);
}
