/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "quota-text.h"
#include "cmd-print.h"
#include "maildrop-cmd.h"
#include "state-cmd.h"
#include "status-user.h"
#include "doveadm-pop3-policy-plugin.h"

#define NOTHING "-"

struct status_cmd_context {
	struct doveadm_mail_cmd_context ctx;
	bool mailbox;
	/* of the user whose turn it is */
	struct user_status status;
};

static struct user_status *get_status(struct doveadm_mail_cmd_context *ctx)
{
	struct status_cmd_context *sctx =
		container_of(ctx, struct status_cmd_context, ctx);

	return &sctx->status;
}

static void print_quota(const struct user_status *status)
{
	const struct pop3_quota_standing *quota = &status->quota;

	if (!status->has_limit) {
		doveadm_print(NOTHING);
		doveadm_print(NOTHING);
		doveadm_print(NOTHING);
		doveadm_print(NOTHING);
		return;
	}
	doveadm_print(pop3_quota_limit_to_text(quota->window, quota->resource,
					       quota->limit));
	doveadm_print_num(quota->used);
	doveadm_print_num(quota->left);
	cmd_print_time(quota->until, NOTHING);
}

/* All of the user. */
static void
print_user(const struct user_status *status, const struct status_device *all)
{
	doveadm_print(NOTHING);
	print_quota(status);
	doveadm_print_num(status->messages);
	doveadm_print_num(all->downloaded);
	cmd_print_time(status->next, NOTHING);
	if (status->due_is_known)
		doveadm_print_num(status->due);
	else
		doveadm_print(NOTHING);
	cmd_print_time(all->last_download, NOTHING);
	cmd_print_time(status->last_login, NOTHING);
	cmd_print_time(status->last_write, NOTHING);
	doveadm_print(status->uidls);
}

/* Only what is the device's own: the rest is all users' in the line before. */
static void print_device(const struct status_device *device)
{
	doveadm_print(device->name);
	doveadm_print(NOTHING);
	doveadm_print(NOTHING);
	doveadm_print(NOTHING);
	doveadm_print(NOTHING);
	doveadm_print(NOTHING);
	doveadm_print_num(device->downloaded);
	doveadm_print(NOTHING);
	doveadm_print(NOTHING);
	cmd_print_time(device->last_download, NOTHING);
	doveadm_print(NOTHING);
	doveadm_print(NOTHING);
	doveadm_print(NOTHING);
}

static void print_status(const struct user_status *status)
{
	const struct status_device *device;

	array_foreach(&status->devices, device) {
		if (device->name == NULL)
			print_user(status, device);
		else
			print_device(device);
	}
}

static int
read_state(struct doveadm_mail_cmd_context *ctx, struct state_cmd *cmd,
	   const char **error_r)
{
	return user_status_read(get_status(ctx), cmd, error_r);
}

static int
look_at_mailbox(struct doveadm_mail_cmd_context *ctx, struct maildrop_cmd *cmd,
		const char **error_r)
{
	return user_status_look(get_status(ctx), cmd, error_r);
}

static int
cmd_status_run(struct doveadm_mail_cmd_context *_ctx, struct mail_user *user)
{
	struct status_cmd_context *ctx =
		container_of(_ctx, struct status_cmd_context, ctx);
	struct user_status *status = &ctx->status;
	int ret;

	i_zero(status);
	status->pool = pool_alloconly_create("pop3_policy status", 1024);
	ret = state_cmd_run(_ctx, user, read_state);
	/* of users of whom nothing is known there is nothing to look for */
	if (ret == 0 && ctx->mailbox && strcmp(status->uidls, "first") != 0)
		ret = maildrop_cmd_run(_ctx, user, look_at_mailbox);
	if (ret == 0)
		print_status(status);
	pool_unref(&status->pool);
	return ret;
}

static void cmd_status_init(COMPAT_DOVEADM_INIT_PARAMS)
{
	struct status_cmd_context *sctx =
		container_of(ctx, struct status_cmd_context, ctx);

	(void)doveadm_cmd_param_bool(ctx->cctx, "mailbox", &sctx->mailbox);
	doveadm_print_header("device", "Device", 0);
	doveadm_print_header("limit", "Limit", 0);
	cmd_print_number_header("used", "Used");
	cmd_print_number_header("left", "Left");
	doveadm_print_header("resets_at", "Resets at", 0);
	cmd_print_number_header("messages", "Messages");
	cmd_print_number_header("downloaded", "Downloaded");
	doveadm_print_header("next", "Next due", 0);
	cmd_print_number_header("due", "Due");
	doveadm_print_header("last_download", "Last download", 0);
	doveadm_print_header("last_login", "Last login", 0);
	doveadm_print_header("last_write", "Last write", 0);
	doveadm_print_header("uidls", "UIDLs", 0);
}

static struct doveadm_mail_cmd_context *cmd_status_alloc(void)
{
	struct status_cmd_context *ctx;

	ctx = doveadm_mail_cmd_alloc(struct status_cmd_context);
	ctx->ctx.v.init = cmd_status_init;
	ctx->ctx.v.run = cmd_status_run;
	compat_doveadm_accept_options(&ctx->ctx);
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	return &ctx->ctx;
}

struct doveadm_cmd_ver2 doveadm_cmd_pop3_status = {
	.name = "pop3 status",
	.usage = "[-m|--mailbox]",
	.mail_cmd = cmd_status_alloc,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAM('m', "mailbox", CMD_PARAM_BOOL, 0)
DOVEADM_CMD_PARAMS_END
};
