/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "mail-user.h"
#include "pop3-policy-settings.h"
#include "store.h"
#include "cmd-print.h"
#include "state-cmd.h"
#include "doveadm-pop3-policy-plugin.h"

/* What a user has downloaded today. */
struct top_user {
	const char *name;
	struct pop3_quota_amount used;
};

struct top_cmd_context {
	struct doveadm_mail_cmd_context ctx;
	ARRAY(struct top_user) users;
	/* how many to print */
	unsigned int max;
	/* of whom nothing is counted */
	unsigned int uncounted;
};

static int top_user_cmp(const struct top_user *a, const struct top_user *b)
{
	unsigned int r;

	for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
		if (a->used.n[r] != b->used.n[r])
			return a->used.n[r] > b->used.n[r] ? -1 : 1;
	}
	return strcmp(a->name, b->name);
}

static int
top_add_user(struct doveadm_mail_cmd_context *_ctx, struct state_cmd *cmd,
	     const char **error_r)
{
	struct top_cmd_context *ctx =
		container_of(_ctx, struct top_cmd_context, ctx);
	struct pop3_quota_counters *counters;
	struct policy_state *state;
	struct top_user user;

	if (state_cmd_look(cmd, &state, error_r) < 0)
		return -1;
	counters = policy_state_quota(state);
	(void)pop3_quota_roll(counters, cmd->now);
	user.used = counters->window[POP3_QUOTA_WINDOW_DAY].used;
	policy_state_deinit(&state);

	if (pop3_quota_is_unlimited(&cmd->set->quota))
		ctx->uncounted++;
	if (user.used.n[POP3_QUOTA_BYTES] == 0 &&
	    user.used.n[POP3_QUOTA_MESSAGES] == 0)
		return 0;
	user.name = p_strdup(_ctx->pool, cmd->user->username);
	array_push_back(&ctx->users, &user);
	return 0;
}

static int
cmd_top_run(struct doveadm_mail_cmd_context *ctx, struct mail_user *user)
{
	return state_cmd_run(ctx, user, top_add_user);
}

static void cmd_top_init(COMPAT_DOVEADM_INIT_PARAMS)
{
	struct top_cmd_context *tctx =
		container_of(ctx, struct top_cmd_context, ctx);
	const char *max;

	tctx->max = UINT_MAX;
	if (doveadm_cmd_param_str(ctx->cctx, "max", &max) &&
	    (str_to_uint(max, &tctx->max) < 0 || tctx->max == 0)) {
		i_fatal_status(EX_USAGE, "--max: \"%s\" is not a number of "
			       "users from 1 on", max);
	}
	p_array_init(&tctx->users, ctx->pool, 128);
	cmd_print_number_header("bytes", "Bytes");
	cmd_print_number_header("messages", "Messages");
}

static void say_uncounted(unsigned int users)
{
	struct event *event = event_create(NULL);

	event_set_append_log_prefix(event, "pop3_policy: ");
	e_info(event, "users who have no pop3_policy_quota, so that nothing is "
	       "counted: %u", users);
	event_unref(&event);
}

/* All users are known. Over doveadm-server there are none here: each user was
   asked for by itself, and the answers are printed by now. */
static void cmd_top_deinit(struct doveadm_mail_cmd_context *_ctx)
{
	struct top_cmd_context *ctx =
		container_of(_ctx, struct top_cmd_context, ctx);
	const struct top_user *user;
	unsigned int printed = 0;

	if (!array_is_created(&ctx->users))
		return;
	array_sort(&ctx->users, top_user_cmp);
	array_foreach(&ctx->users, user) {
		if (printed++ == ctx->max)
			break;
		if (!_ctx->iterate_single_user)
			doveadm_print_sticky("username", user->name);
		doveadm_print_num(user->used.n[POP3_QUOTA_BYTES]);
		doveadm_print_num(user->used.n[POP3_QUOTA_MESSAGES]);
	}
	if (ctx->uncounted > 0 &&
	    _ctx->cctx->conn_type == DOVEADM_CONNECTION_TYPE_CLI)
		say_uncounted(ctx->uncounted);
}

static struct doveadm_mail_cmd_context *cmd_top_alloc(void)
{
	struct top_cmd_context *ctx;

	ctx = doveadm_mail_cmd_alloc(struct top_cmd_context);
	ctx->ctx.v.init = cmd_top_init;
	ctx->ctx.v.run = cmd_top_run;
	ctx->ctx.v.deinit = cmd_top_deinit;
	compat_doveadm_accept_options(&ctx->ctx);
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	return &ctx->ctx;
}

struct doveadm_cmd_ver2 doveadm_cmd_pop3_top = {
	.name = "pop3 top",
	.usage = "[-n|--max <users>]",
	.mail_cmd = cmd_top_alloc,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAM('n', "max", CMD_PARAM_STR, 0)
DOVEADM_CMD_PARAMS_END
};
