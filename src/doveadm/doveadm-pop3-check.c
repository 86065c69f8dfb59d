/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "cmd-print.h"
#include "maildrop-cmd.h"
#include "state-cmd.h"
#include "check.h"
#include "doveadm-pop3-policy-plugin.h"

/* What is mended may show what was hidden by it: the state, its sets, UIDLs,
   the journal. */
#define MAX_REPAIRS 5

struct check_cmd_context {
	struct doveadm_mail_cmd_context ctx;
	bool repair;
	/* of the user whose turn it is */
	struct check check;
	/* files can be compared with the mailbox */
	bool compare;
	/* faults that were found before something was mended */
	ARRAY_TYPE(check_finding) before;
};

static struct check_cmd_context *
get_context(struct doveadm_mail_cmd_context *ctx)
{
	return container_of(ctx, struct check_cmd_context, ctx);
}

static bool
has_finding(const ARRAY_TYPE(check_finding) *findings,
	    const struct check_finding *finding)
{
	const struct check_finding *other;

	array_foreach(findings, other) {
		if (strcmp(other->file, finding->file) == 0 &&
		    strcmp(other->problem, finding->problem) == 0)
			return TRUE;
	}
	return FALSE;
}

static bool is_mendable(const struct check *check)
{
	const struct check_finding *finding;

	array_foreach(&check->findings, finding) {
		if (finding->remedy > CHECK_LEAVE)
			return TRUE;
	}
	return FALSE;
}

static int
look_at_state(struct doveadm_mail_cmd_context *_ctx, struct state_cmd *cmd,
	      const char **error_r)
{
	struct check_cmd_context *ctx = get_context(_ctx);
	int ret;

	ctx->check.now = cmd->now;
	ret = check_state(&ctx->check, cmd, error_r);
	ctx->compare = ret > 0;
	return ret < 0 ? -1 : 0;
}

/* Sessions go on meanwhile: what is found must be found twice. */
static int
look_at_maildrop(struct doveadm_mail_cmd_context *_ctx,
		 struct maildrop_cmd *cmd, const char **error_r)
{
	struct check *check = &get_context(_ctx)->check;
	unsigned int count = array_count(&check->findings);

	if (check_maildrop(check, cmd, error_r) < 0)
		return -1;
	if (array_count(&check->findings) == count)
		return 0;
	array_delete(&check->findings, count,
		     array_count(&check->findings) - count);
	if (maildrop_cmd_reread(cmd, error_r) < 0)
		return -1;
	return check_maildrop(check, cmd, error_r);
}

static int
look(struct doveadm_mail_cmd_context *_ctx, struct mail_user *user)
{
	struct check_cmd_context *ctx = get_context(_ctx);
	int ret;

	array_clear(&ctx->check.findings);
	ret = state_cmd_run(_ctx, user, look_at_state);
	if (ret == 0 && ctx->compare)
		ret = maildrop_cmd_run(_ctx, user, look_at_maildrop);
	return ret;
}

static int
repair(struct doveadm_mail_cmd_context *_ctx, struct maildrop_cmd *cmd,
       const char **error_r)
{
	return check_repair(&get_context(_ctx)->check, cmd, error_r);
}

/* Mend and look again, until nothing is left to be mended. */
static int
repair_until_done(struct doveadm_mail_cmd_context *_ctx, struct mail_user *user)
{
	struct check_cmd_context *ctx = get_context(_ctx);
	const struct check_finding *finding;
	unsigned int tries = 0;

	while ((is_mendable(&ctx->check) ||
		(tries == 0 && check_has(&ctx->check, CHECK_TIDY))) &&
	       tries++ < MAX_REPAIRS) {
		array_foreach(&ctx->check.findings, finding) {
			if (finding->remedy != CHECK_NOTE &&
			    !has_finding(&ctx->before, finding))
				array_push_back(&ctx->before, finding);
		}
		if (maildrop_cmd_run(_ctx, user, repair) < 0 ||
		    look(_ctx, user) < 0)
			return -1;
	}
	return 0;
}

static void
print_finding(const struct check_finding *finding, const char *result)
{
	doveadm_print(finding->file);
	doveadm_print(finding->problem);
	doveadm_print_num(finding->count);
	doveadm_print(result);
	doveadm_print(finding->text);
}

/* Returns TRUE if anything is wrong. */
static bool print_findings(const struct check_cmd_context *ctx)
{
	const struct check_finding *finding;
	bool wrong = FALSE;

	array_foreach(&ctx->before, finding) {
		if (!has_finding(&ctx->check.findings, finding))
			print_finding(finding, "mended");
	}
	array_foreach(&ctx->check.findings, finding) {
		if (finding->remedy <= CHECK_TIDY) {
			print_finding(finding, "note");
			continue;
		}
		wrong = TRUE;
		print_finding(finding, finding->remedy == CHECK_LEAVE ||
			      ctx->repair ? "left" : "mendable");
	}
	return wrong;
}

static int
cmd_check_run(struct doveadm_mail_cmd_context *_ctx, struct mail_user *user)
{
	struct check_cmd_context *ctx = get_context(_ctx);
	int ret;

	ctx->check.pool = pool_alloconly_create("pop3_policy check", 4096);
	p_array_init(&ctx->check.findings, ctx->check.pool, 8);
	p_array_init(&ctx->before, ctx->check.pool, 8);
	ret = look(_ctx, user);
	if (ret == 0 && ctx->repair)
		ret = repair_until_done(_ctx, user);
	if (print_findings(ctx) && ret == 0) {
		doveadm_mail_failed_error(_ctx, MAIL_ERROR_INVALIDDATA);
		ret = -1;
	}
	pool_unref(&ctx->check.pool);
	return ret;
}

static void cmd_check_init(COMPAT_DOVEADM_INIT_PARAMS)
{
	struct check_cmd_context *cctx =
		container_of(ctx, struct check_cmd_context, ctx);

	(void)doveadm_cmd_param_bool(ctx->cctx, "repair", &cctx->repair);
	doveadm_print_header("file", "File", 0);
	doveadm_print_header("problem", "Problem", 0);
	cmd_print_number_header("count", "Count");
	doveadm_print_header("result", "Result", 0);
	doveadm_print_header("text", "Text", 0);
}

static struct doveadm_mail_cmd_context *cmd_check_alloc(void)
{
	struct check_cmd_context *ctx;

	ctx = doveadm_mail_cmd_alloc(struct check_cmd_context);
	ctx->ctx.v.init = cmd_check_init;
	ctx->ctx.v.run = cmd_check_run;
	compat_doveadm_accept_options(&ctx->ctx);
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	return &ctx->ctx;
}

struct doveadm_cmd_ver2 doveadm_cmd_pop3_check = {
	.name = "pop3 check",
	.usage = "[-r|--repair]",
	.mail_cmd = cmd_check_alloc,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAM('r', "repair", CMD_PARAM_BOOL, 0)
DOVEADM_CMD_PARAMS_END
};
