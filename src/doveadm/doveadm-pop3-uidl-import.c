/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "istream.h"
#include "doveadm-print.h"
#include "maildrop-cmd.h"
#include "uidl-format-option.h"
#include "uidl-import.h"
#include "doveadm-pop3-policy-plugin.h"

#include <sysexits.h>

struct import_cmd_context {
	struct doveadm_mail_cmd_context ctx;
	struct uidl_format_option option;
	bool dry_run;
};

static const char *const result_names[UIDL_LIST_RESULT_COUNT] = {
	"kept", "new", "conflict", "unknown", "invalid"
};

/* Lines that change nothing are not told. */
static void print_results(const struct uidl_import *import)
{
	const struct uidl_list_line *line;
	const struct pop3_message *message;
	unsigned int idx;
	uint32_t uid;

	array_foreach(&import->list->lines, line) T_BEGIN {
		idx = array_foreach_idx(&import->list->lines, line);
		message = array_idx(&import->list->messages, idx);
		uid = uidl_import_uid(import, idx);
		if (line->result != UIDL_LIST_KEPT) {
			doveadm_print_num(line->number);
			doveadm_print(uid == 0 ? "-" : dec2str(uid));
			doveadm_print(*message->uidl == '\0' ? "-" :
				      message->uidl);
			doveadm_print(result_names[line->result]);
			doveadm_print(line->reason == NULL ? "-" :
				      line->reason);
		}
	} T_END;
}

/* The first line that forbids to write anything. */
static int check_results(const struct uidl_import *import, const char **error_r)
{
	const struct uidl_list_line *line;

	array_foreach(&import->list->lines, line) {
		if (line->result == UIDL_LIST_CONFLICT ||
		    line->result == UIDL_LIST_INVALID) {
			*error_r = t_strdup_printf("line %u: %s (%u conflicts, "
				"%u invalid lines: nothing was written)",
				line->number, line->reason,
				import->counts[UIDL_LIST_CONFLICT],
				import->counts[UIDL_LIST_INVALID]);
			return -1;
		}
	}
	return 0;
}

static enum recovery_result
assign(struct uidl_import *import, const char **error_r)
{
	struct maildrop_cmd *cmd = import->cmd;
	ARRAY_TYPE(uidl_assignment) assignments;

	p_array_init(&assignments, import->pool,
		     array_count(&import->list->lines) + 1);
	uidl_import_get_assignments(import, &assignments);
	if (array_is_empty(&assignments))
		return RECOVERY_DONE;
	/* the names of the others must be known */
	if (array_count(&assignments) < cmd->drop.messages &&
	    maildrop_cmd_check_names(cmd, error_r) < 0)
		return RECOVERY_FAILED;
	return maildrop_assign(&cmd->drop, cmd->store, cmd->epoch, cmd->stored,
			       &assignments, error_r);
}

static enum recovery_result
try_import(struct uidl_import *import, bool dry_run, const char **error_r)
{
	enum recovery_result result = RECOVERY_DONE;

	if (maildrop_cmd_look(import->cmd, error_r) < 0 ||
	    uidl_import_resolve(import, error_r) < 0)
		return RECOVERY_FAILED;
	if (check_results(import, error_r) < 0) {
		print_results(import);
		import->cmd->failure = MAIL_ERROR_INVALIDDATA;
		return RECOVERY_FAILED;
	}
	if (!dry_run)
		result = assign(import, error_r);
	if (result == RECOVERY_DONE)
		print_results(import);
	return result;
}

static void log_import(const struct uidl_import *import, bool dry_run)
{
	const unsigned int *counts = import->counts;

	e_info(import->cmd->event, "UIDLs %s: %u kept, %u new, %u unknown",
	       dry_run ? "looked at" : "imported",
	       counts[UIDL_LIST_KEPT], counts[UIDL_LIST_NEW],
	       counts[UIDL_LIST_UNKNOWN]);
}

static int
import_list(struct maildrop_cmd *cmd, struct uidl_list_file *list,
	    const struct import_cmd_context *ctx, const char **error_r)
{
	struct uidl_import import = {
		.cmd = cmd, .list = list, .jsonl = ctx->option.jsonl
	};
	enum recovery_result result;
	unsigned int tries = 0;

	for (;;) {
		import.pool = pool_alloconly_create("pop3_policy import",
						    64 * 1024);
		result = try_import(&import, ctx->dry_run, error_r);
		pool_unref(&import.pool);
		if (result != RECOVERY_RETRY)
			break;
		if (maildrop_cmd_try_again(cmd, &tries, error_r) < 0)
			return -1;
	}
	if (result != RECOVERY_DONE)
		return -1;
	log_import(&import, ctx->dry_run);
	return 0;
}

static int
uidl_import(struct doveadm_mail_cmd_context *_ctx, struct maildrop_cmd *cmd,
	    const char **error_r)
{
	struct import_cmd_context *ctx =
		container_of(_ctx, struct import_cmd_context, ctx);
	struct uidl_list_file list;
	pool_t pool;
	int ret;

	if (uidl_format_option_parse(&ctx->option, error_r) < 0) {
		cmd->failure = MAIL_ERROR_PARAMS;
		return -1;
	}
	pool = pool_alloconly_create("pop3_policy list", 64 * 1024);
	/* an earlier user may have had it */
	i_stream_seek(_ctx->cmd_input, 0);
	ret = uidl_list_file_read(&list, _ctx->cmd_input, &ctx->option, pool,
				  error_r);
	if (ret == 0)
		ret = import_list(cmd, &list, ctx, error_r);
	pool_unref(&pool);
	return ret;
}

static int
cmd_uidl_import_run(struct doveadm_mail_cmd_context *ctx,
		    struct mail_user *user)
{
	return maildrop_cmd_run(ctx, user, uidl_import);
}

/* Open the file as the admin, not as the user of the mail; a server would wait
   for one that cannot be read. */
static void open_input(struct istream *input)
{
	const unsigned char *data;
	size_t size;

	(void)i_stream_read_more(input, &data, &size);
	if (input->stream_errno != 0) {
		i_fatal_status(EX_NOINPUT, "%s cannot be read: %s",
			       i_stream_get_name(input),
			       i_stream_get_error(input));
	}
}

static void cmd_uidl_import_init(COMPAT_DOVEADM_INIT_PARAMS)
{
	struct import_cmd_context *ictx =
		container_of(ctx, struct import_cmd_context, ctx);

	uidl_format_option_init(&ictx->option, ctx);
	(void)doveadm_cmd_param_bool(ctx->cctx, "dry-run", &ictx->dry_run);
	doveadm_mail_get_input(ctx);
	if (ctx->cctx->conn_type == DOVEADM_CONNECTION_TYPE_CLI)
		open_input(ctx->cmd_input);

	doveadm_print_header("line", "Line",
			     DOVEADM_PRINT_HEADER_FLAG_RIGHT_JUSTIFY);
	doveadm_print_header("uid", "UID",
			     DOVEADM_PRINT_HEADER_FLAG_RIGHT_JUSTIFY);
	doveadm_print_header("uidl", "UIDL", DOVEADM_PRINT_HEADER_FLAG_EXPAND);
	doveadm_print_header("result", "Result", 0);
	doveadm_print_header("reason", "Reason", 0);
}

static struct doveadm_mail_cmd_context *cmd_uidl_import_alloc(void)
{
	struct import_cmd_context *ctx;

	ctx = doveadm_mail_cmd_alloc(struct import_cmd_context);
	ctx->ctx.v.init = cmd_uidl_import_init;
	ctx->ctx.v.run = cmd_uidl_import_run;
	compat_doveadm_accept_options(&ctx->ctx);
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	return &ctx->ctx;
}

struct doveadm_cmd_ver2 doveadm_cmd_pop3_uidl_import = {
	.name = "pop3 uidl import",
	.usage = "[-f jsonl|msgno|courier|uidlist] [-n] [<file>]",
	.mail_cmd = cmd_uidl_import_alloc,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAM('f', "format", CMD_PARAM_STR, 0)
DOVEADM_CMD_PARAM('n', "dry-run", CMD_PARAM_BOOL, 0)
DOVEADM_CMD_PARAM('\0', "file", CMD_PARAM_ISTREAM, CMD_PARAM_FLAG_POSITIONAL)
DOVEADM_CMD_PARAMS_END
};
