/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "seq-range-array.h"
#include "doveadm-print.h"
#include "epoch.h"
#include "state.h"
#include "take-in.h"
#include "uid-set.h"
#include "maildrop-cmd.h"
#include "doveadm-pop3-policy-plugin.h"

#include <stdio.h>
#include <unistd.h>

/* Messages that are written at once. */
#define ADOPT_STEP 1000

struct adopt {
	struct maildrop_cmd *cmd;
	/* tell how far it is */
	bool progress;
	unsigned int added;
};

/* How many messages are taken in. */
static unsigned int
count_known(const struct maildrop_cmd *cmd, const struct policy_epoch *epoch)
{
	return epoch == NULL ? 0 :
		uid_set_count(&cmd->drop, &epoch->recorded, cmd->drop.uidnext);
}

/* Returns 1, 0 if nothing was to be done, or -1 and an error. */
static int adopt_step(struct adopt *adopt, const char **error_r)
{
	struct maildrop_cmd *cmd = adopt->cmd;
	struct session_news news = {
		.uidnext = cmd->drop.uidnext,
		.shown = cmd->drop.messages > 0,
	};
	struct taken_in taken;

	t_array_init(&news.seen, 1);
	t_array_init(&news.downloaded, 1);
	if (!maildrop_take_in_is_due(&cmd->drop, cmd->epoch, &news))
		return 0;
	if (maildrop_take_in(&cmd->drop, cmd->store, cmd->epoch, cmd->stored,
			     &news, ADOPT_STEP, &taken, error_r) !=
	    POLICY_STORE_OK)
		return -1;
	adopt->added += taken.added;
	return 1;
}

/* Take in the next messages; *known is how many there are. Returns as above. */
static int
adopt_next(struct adopt *adopt, unsigned int *known, const char **error_r)
{
	struct maildrop_cmd *cmd = adopt->cmd;
	int ret;

	if (maildrop_cmd_prepare(cmd, error_r) < 0)
		return -1;
	*known = count_known(cmd, cmd->epoch);
	ret = adopt_step(adopt, error_r);
	if (ret > 0 && maildrop_cmd_reread(cmd, error_r) < 0)
		return -1;
	return ret;
}

static int adopt_all(struct adopt *adopt, const char **error_r)
{
	struct maildrop_cmd *cmd = adopt->cmd;
	unsigned int before, known, tries = 0;
	int ret;

	for (;;) {
		T_BEGIN {
			ret = adopt_next(adopt, &before, error_r);
		} T_END_PASS_STR_IF(ret < 0, error_r);
		if (ret <= 0)
			return ret;
		known = count_known(cmd, policy_state_epoch(cmd->state));
		if (adopt->progress) {
			fprintf(stderr, "\r%u of %u messages", known,
				cmd->drop.messages);
		}
		if (known > before) {
			tries = 0;
		} else if (++tries == MAILDROP_CMD_MAX_TRIES) {
			*error_r = "the state keeps changing, try again later";
			return -1;
		}
		if (doveadm_is_killed()) {
			*error_r = "interrupted, what was adopted stays so";
			return -1;
		}
	}
}

static int
uidl_adopt(struct doveadm_mail_cmd_context *ctx, struct maildrop_cmd *cmd,
	   const char **error_r)
{
	struct adopt adopt = { .cmd = cmd };
	int ret;

	if (maildrop_cmd_check_names(cmd, error_r) < 0)
		return -1;
	adopt.progress = isatty(STDERR_FILENO) > 0 &&
		ctx->cctx->conn_type == DOVEADM_CONNECTION_TYPE_CLI;
	ret = adopt_all(&adopt, error_r);
	if (adopt.progress && adopt.added > 0)
		fputc('\n', stderr);
	if (ret == 0)
		doveadm_print_num(adopt.added);
	return ret;
}

static int
cmd_uidl_adopt_run(struct doveadm_mail_cmd_context *ctx, struct mail_user *user)
{
	return maildrop_cmd_run(ctx, user, uidl_adopt);
}

static void cmd_uidl_adopt_init(COMPAT_DOVEADM_INIT_PARAMS)
{
	doveadm_print_header("adopted", "Adopted",
			     DOVEADM_PRINT_HEADER_FLAG_RIGHT_JUSTIFY);
}

static struct doveadm_mail_cmd_context *cmd_uidl_adopt_alloc(void)
{
	struct doveadm_mail_cmd_context *ctx;

	ctx = doveadm_mail_cmd_alloc(struct doveadm_mail_cmd_context);
	ctx->v.init = cmd_uidl_adopt_init;
	ctx->v.run = cmd_uidl_adopt_run;
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	return ctx;
}

struct doveadm_cmd_ver2 doveadm_cmd_pop3_uidl_adopt = {
	.name = "pop3 uidl adopt",
	.usage = "",
	.mail_cmd = cmd_uidl_adopt_alloc,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAMS_END
};
