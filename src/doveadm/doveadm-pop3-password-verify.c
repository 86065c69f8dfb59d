/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "net.h"
#include "compat-password.h"
#include "doveadm-print.h"
#include "login-choice.h"
#include "password-hash.h"
#include "scheme-limits.h"
#include "credential-cmd.h"
#include "password-input.h"
#include "doveadm-auth-json-plugin.h"

#include <sysexits.h>
#include <time.h>

struct verify_options {
	const char *protocol;
	/* family 0: from anywhere */
	struct ip_addr address;
};

static int
verify_sodium(struct credential_cmd *cmd, const char *hash, const char *secret,
	      const char **error_r)
{
	enum password_verify_result result;
	struct password_hasher *hasher;

	if (credential_cmd_hasher(cmd, &hasher, error_r) < 0)
		return -1;
	result = password_hasher_verify(hasher, hash, secret, error_r);
	password_hasher_deinit(&hasher);
	switch (result) {
	case PASSWORD_VERIFY_MATCH:
		return 1;
	case PASSWORD_VERIFY_MISMATCH:
		return 0;
	case PASSWORD_VERIFY_BAD_HASH:
	case PASSWORD_VERIFY_FAILED:
		break;
	}
	return -1;
}

/* Returns 1 if it is the right password, 0 if not, -1 and an error if that
   cannot be known. */
static int
verify_hash(struct credential_cmd *cmd, const struct login_choice *choice,
	    const char **error_r)
{
	const char *stripped;
	int ret;

	if (choice->hash == NULL)
		return 0;
	stripped = password_hash_strip(choice->hash);
	if (stripped != NULL)
		return verify_sodium(cmd, stripped, choice->secret, error_r);
	if (compat_password_schemes_begin(error_r) < 0)
		return -1;
	ret = compat_password_verify(cmd->username, choice->hash,
				     choice->secret, scheme_hash_check,
				     error_r);
	compat_password_schemes_end();
	return ret;
}

static bool
is_from_network(const struct app_password *app, const struct ip_addr *address)
{
	const struct credential_network *network;

	if (array_is_empty(&app->networks))
		return TRUE;
	array_foreach(&app->networks, network) {
		if (net_is_in_network(address, &network->ip, network->bits))
			return TRUE;
	}
	return FALSE;
}

/* What a login with the right password comes to. */
static const char *
verdict_name(const struct login_choice *choice,
	     const struct verify_options *options)
{
	switch (choice->verdict) {
	case LOGIN_ALLOWED:
		if (choice->app == NULL || options->address.family == 0 ||
		    is_from_network(choice->app, &options->address))
			return "good";
		return "not from this address";
	case LOGIN_USER_DISABLED:
		return "disabled";
	case LOGIN_PASSWORD_EXPIRED:
		return "expired";
	case LOGIN_PROTOCOL_BARRED:
		return t_strdup_printf("not for %s", options->protocol);
	}
	i_unreached();
}

static void
print_result(struct credential_cmd *cmd, const char *password,
	     const char *label, const char *result)
{
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	doveadm_print_header("user", "User", 0);
	doveadm_print_header("password", "Password", 0);
	doveadm_print_header("label", "Label", 0);
	doveadm_print_header("result", "Result", 0);
	doveadm_print(cmd->username);
	doveadm_print(password);
	doveadm_print(label);
	doveadm_print(result);
	if (strcmp(result, "good") != 0)
		doveadm_exit_code = EX_NOPERM;
}

static int
verify(struct credential_cmd *cmd, const struct credential_user *user,
       const struct password_input *input, const struct verify_options *options,
       const char **error_r)
{
	struct login_choice choice;
	int ret;

	login_choice_make(user, input->text, options->protocol, time(NULL),
			  &choice);
	ret = verify_hash(cmd, &choice, error_r);
	if (ret == 0)
		print_result(cmd, "-", "-", "wrong");
	else if (ret > 0 && choice.app == NULL)
		print_result(cmd, "main", "-", verdict_name(&choice, options));
	else if (ret > 0)
		print_result(cmd, choice.app->id, choice.app->label,
			     verdict_name(&choice, options));
	login_choice_wipe(&choice);
	return ret < 0 ? -1 : 0;
}

/* 2.3 takes an address that is none for none. */
static int
parse_options(struct credential_cmd *cmd, struct verify_options *options,
	      const char **error_r)
{
	const char *address;

	options->protocol = "pop3";
	(void)doveadm_cmd_param_str(cmd->cctx, "protocol", &options->protocol);
	if (!doveadm_cmd_param_str(cmd->cctx, "address", &address))
		return 0;
	if (net_addr2ip(address, &options->address) < 0) {
		cmd->exit_code = EX_DATAERR;
		*error_r = t_strdup_printf("%s is no address", address);
		return -1;
	}
	return 0;
}

static int password_verify(struct credential_cmd *cmd, const char **error_r)
{
	struct verify_options options = { .protocol = NULL };
	struct password_input input;
	struct credential_user user;
	int ret;

	if (parse_options(cmd, &options, error_r) < 0 ||
	    credential_cmd_find_user(cmd, &user, error_r) < 0)
		return -1;
	if (password_input_read(&input, t_strdup_printf("Password of %s: ",
				cmd->username), NULL, error_r) < 0) {
		cmd->exit_code = EX_DATAERR;
		return -1;
	}
	ret = verify(cmd, &user, &input, &options, error_r);
	password_input_wipe(&input);
	return ret;
}

static void cmd_password_verify(struct doveadm_cmd_context *cctx)
{
	credential_cmd_run(cctx, password_verify);
}

struct doveadm_cmd_ver2 doveadm_cmd_pop3_password_verify = {
	.name = "pop3 password verify",
	.usage = "[-p <protocol>] [-a <address>] -u <user>",
	.cmd = cmd_password_verify,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_PARAM('u', "user", CMD_PARAM_STR, 0)
DOVEADM_CMD_PARAM('p', "protocol", CMD_PARAM_STR, 0)
DOVEADM_CMD_PARAM('a', "address", CMD_PARAM_STR, 0)
DOVEADM_CMD_PARAMS_END
};
