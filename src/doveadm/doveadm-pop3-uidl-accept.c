/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "doveadm-print.h"
#include "epoch.h"
#include "recovery.h"
#include "state.h"
#include "maildrop-cmd.h"
#include "doveadm-pop3-policy-plugin.h"

/* The alarm never goes off. */
#define NO_ALARM 100

void doveadm_pop3_uidl_print_recovery_headers(void)
{
	doveadm_print_header("kept", "Kept",
			     DOVEADM_PRINT_HEADER_FLAG_RIGHT_JUSTIFY);
	doveadm_print_header("new", "New",
			     DOVEADM_PRINT_HEADER_FLAG_RIGHT_JUSTIFY);
	doveadm_print_header("gone", "Gone",
			     DOVEADM_PRINT_HEADER_FLAG_RIGHT_JUSTIFY);
}

static void
print_accepted(const char *result, const struct recovery_counts *counts)
{
	doveadm_print(result);
	doveadm_print_num(counts->kept_by_guid + counts->kept_by_hash);
	doveadm_print_num(counts->added);
	doveadm_print_num(counts->gone);
}

/* The state is lost, and with it what pop3_reuse_xuidl was. */
static int check_xuidl(struct maildrop_cmd *cmd, const char **error_r)
{
	int ret;

	if (policy_state_epoch(cmd->state) != NULL)
		return 0;
	ret = maildrop_cmd_has_xuidl(cmd, error_r);
	if (ret <= 0)
		return ret;
	*error_r = "messages have X-UIDL headers, and pop3_reuse_xuidl is "
		"known to POP3 sessions only: set "
		"pop3_policy_uidl_alarm = 100% and log in by POP3 once";
	return -1;
}

static enum recovery_result
recover(struct maildrop_cmd *cmd, const char *reason,
	struct recovery_counts *counts_r, const char **error_r)
{
	const struct policy_epoch *old = policy_state_epoch(cmd->state);
	ARRAY_TYPE(pop3_message) messages;
	enum recovery_result result;
	struct policy_epoch epoch;
	struct policy_state *state;
	pool_t pool;
	int ret;

	pool = pool_alloconly_create("pop3_policy accept", 64 * 1024);
	ret = maildrop_recovery_preview(&cmd->drop, cmd->store, old, pool,
					&epoch, &messages, counts_r, error_r);
	pool_unref(&pool);
	if (ret < 0)
		return RECOVERY_FAILED;
	result = maildrop_recover(&cmd->drop, cmd->store, old,
		t_strconcat("accepted by the admin: ", reason, NULL),
		NO_ALARM, &state, error_r);
	if (result == RECOVERY_DONE)
		policy_state_deinit(&state);
	return result;
}

/* Returns as a recovery does; RECOVERY_DONE also if there is nothing to do. */
static enum recovery_result
try_accept(struct maildrop_cmd *cmd, const char **result_r,
	   struct recovery_counts *counts_r, const char **error_r)
{
	const char *reason;

	i_zero(counts_r);
	switch (maildrop_cmd_check(cmd, &reason)) {
	case EPOCH_STEADY:
		*result_r = "steady";
		return RECOVERY_DONE;
	case EPOCH_FIRST:
		*result_r = "first";
		return RECOVERY_DONE;
	case EPOCH_BROKEN:
		break;
	case EPOCH_FAILED:
		*error_r = reason;
		return RECOVERY_FAILED;
	}
	if (check_xuidl(cmd, error_r) < 0)
		return RECOVERY_FAILED;
	*result_r = "accepted";
	return recover(cmd, reason, counts_r, error_r);
}

static int
uidl_accept(struct doveadm_mail_cmd_context *ctx ATTR_UNUSED,
	    struct maildrop_cmd *cmd, const char **error_r)
{
	struct recovery_counts counts;
	enum recovery_result result;
	unsigned int tries = 0;
	const char *what;

	while ((result = try_accept(cmd, &what, &counts, error_r)) ==
	       RECOVERY_RETRY) {
		if (maildrop_cmd_try_again(cmd, &tries, error_r) < 0)
			return -1;
	}
	if (result != RECOVERY_DONE)
		return -1;
	print_accepted(what, &counts);
	return 0;
}

static int
cmd_uidl_accept_run(struct doveadm_mail_cmd_context *ctx,
		    struct mail_user *user)
{
	return maildrop_cmd_run(ctx, user, uidl_accept);
}

static void cmd_uidl_accept_init(COMPAT_DOVEADM_INIT_PARAMS)
{
	doveadm_print_header("result", "Result", 0);
	doveadm_pop3_uidl_print_recovery_headers();
}

static struct doveadm_mail_cmd_context *cmd_uidl_accept_alloc(void)
{
	struct doveadm_mail_cmd_context *ctx;

	ctx = doveadm_mail_cmd_alloc(struct doveadm_mail_cmd_context);
	ctx->v.init = cmd_uidl_accept_init;
	ctx->v.run = cmd_uidl_accept_run;
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	return ctx;
}

struct doveadm_cmd_ver2 doveadm_cmd_pop3_uidl_accept = {
	.name = "pop3 uidl accept",
	.usage = "",
	.mail_cmd = cmd_uidl_accept_alloc,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAMS_END
};
