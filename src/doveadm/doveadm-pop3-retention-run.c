/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "doveadm-print.h"
#include "pop3-policy-settings.h"
#include "retention-due.h"
#include "run.h"
#include "maildrop-cmd.h"
#include "retention-cmd.h"
#include "doveadm-pop3-policy-plugin.h"

#include <time.h>

struct run_cmd_context {
	struct doveadm_mail_cmd_context ctx;
	bool dry_run;
	bool force;
};

static void print_counts(const struct retention_counts *counts)
{
	unsigned int rule, messages = 0;
	uint64_t bytes = 0;

	for (rule = POP3_RETENTION_NONE + 1; rule < POP3_RETENTION_RULE_COUNT;
	     rule++) {
		messages += counts->messages[rule];
		bytes += counts->bytes[rule];
	}
	if (messages == 0)
		return;
	for (rule = POP3_RETENTION_NONE + 1; rule < POP3_RETENTION_RULE_COUNT;
	     rule++)
		doveadm_print_num(counts->messages[rule]);
	doveadm_print_num(bytes);
}

static enum retention_result
run_until_done(struct maildrop_cmd *cmd,
	       const struct retention_run_options *options,
	       struct retention_counts *counts, const char **error_r)
{
	enum retention_result result;
	unsigned int runs = 1;

	i_zero(counts);
	for (;;) {
		result = maildrop_retention_run(&cmd->drop, cmd->store,
						&cmd->set->retention, options,
						counts, error_r);
		if (result != RETENTION_AGAIN || runs++ == RETENTION_MAX_RUNS)
			break;
		if (maildrop_cmd_reread(cmd, error_r) < 0)
			return RETENTION_FAILED;
	}
	return result;
}

static int leave_to_later_run(struct maildrop_cmd *cmd, const char *reason)
{
	e_info(cmd->event, "retention is left to a later run: %s", reason);
	return 0;
}

static int
retention_run(struct doveadm_mail_cmd_context *_ctx, struct maildrop_cmd *cmd,
	      const char **error_r)
{
	struct run_cmd_context *ctx =
		container_of(_ctx, struct run_cmd_context, ctx);
	const struct retention_run_options options = {
		.force = ctx->force,
		.dry_run = ctx->dry_run,
		.bytes = UINT64_MAX,
	};
	struct retention_counts counts;
	enum retention_result result;
	int ret;

	ret = retention_cmd_check(cmd, error_r);
	if (ret <= 0)
		return ret < 0 ? -1 : leave_to_later_run(cmd, *error_r);
	result = run_until_done(cmd, &options, &counts, error_r);
	print_counts(&counts);
	switch (result) {
	case RETENTION_DONE:
	case RETENTION_AGAIN:
		return 0;
	case RETENTION_LATER:
		return leave_to_later_run(cmd, *error_r);
	case RETENTION_CLOCK_JUMPED:
	case RETENTION_FAILED:
		break;
	}
	return -1;
}

/* Whether the mailbox has to be opened: by what the state says, or because
   somebody wants to look whatever that is. Returns 1, 0, or -1 and an
   error. */
static int
may_be_due(struct mail_user *user, const struct pop3_policy_settings *set,
	   bool look, const char **error_r)
{
	const struct retention_policy *policy = &set->retention;
	struct pop3_retention_bounds bounds;
	int ret;

	if (pop3_retention_is_forever(&policy->rules))
		return 0;
	ret = retention_cmd_read_bounds(user, set, &bounds, error_r);
	if (ret > 0 && !look &&
	    retention_policy_is_due(policy, &bounds, UINT64_MAX, UINT64_MAX,
				    time(NULL)) == POP3_RETENTION_NOT_DUE)
		ret = 0;
	return ret;
}

static int
cmd_retention_run_run(struct doveadm_mail_cmd_context *_ctx,
		      struct mail_user *user)
{
	struct run_cmd_context *ctx =
		container_of(_ctx, struct run_cmd_context, ctx);
	const struct pop3_policy_settings *set;
	const char *error;
	int ret;

	ret = pop3_policy_settings_get(user, &set, &error);
	if (ret == 0) {
		T_BEGIN {
			ret = may_be_due(user, set, ctx->force || ctx->dry_run,
					 &error);
		} T_END_PASS_STR_IF(ret < 0, &error);
		pop3_policy_settings_free(&set);
	}
	if (ret < 0) {
		e_error(user->event, "pop3_policy: %s", error);
		doveadm_mail_failed_error(_ctx, MAIL_ERROR_TEMP);
	}
	return ret <= 0 ? ret : maildrop_cmd_run(_ctx, user, retention_run);
}

static void cmd_retention_run_init(COMPAT_DOVEADM_INIT_PARAMS)
{
	struct run_cmd_context *rctx =
		container_of(ctx, struct run_cmd_context, ctx);
	unsigned int rule;

	(void)doveadm_cmd_param_bool(ctx->cctx, "dry-run", &rctx->dry_run);
	(void)doveadm_cmd_param_bool(ctx->cctx, "force", &rctx->force);
	for (rule = POP3_RETENTION_NONE + 1; rule < POP3_RETENTION_RULE_COUNT;
	     rule++) {
		const char *name = pop3_retention_rule_name(rule);

		doveadm_print_header(name, name,
				     DOVEADM_PRINT_HEADER_FLAG_RIGHT_JUSTIFY);
	}
	doveadm_print_header("bytes", "bytes",
			     DOVEADM_PRINT_HEADER_FLAG_RIGHT_JUSTIFY);
}

static struct doveadm_mail_cmd_context *cmd_retention_run_alloc(void)
{
	struct run_cmd_context *ctx;

	ctx = doveadm_mail_cmd_alloc(struct run_cmd_context);
	ctx->ctx.v.init = cmd_retention_run_init;
	ctx->ctx.v.run = cmd_retention_run_run;
	compat_doveadm_accept_options(&ctx->ctx);
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	return &ctx->ctx;
}

struct doveadm_cmd_ver2 doveadm_cmd_pop3_retention_run = {
	.name = "pop3 retention run",
	.usage = "[-n|--dry-run] [-f|--force]",
	.mail_cmd = cmd_retention_run_alloc,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAM('n', "dry-run", CMD_PARAM_BOOL, 0)
DOVEADM_CMD_PARAM('f', "force", CMD_PARAM_BOOL, 0)
DOVEADM_CMD_PARAMS_END
};
