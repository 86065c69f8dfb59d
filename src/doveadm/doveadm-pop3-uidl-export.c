/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "mail-storage.h"
#include "doveadm-print.h"
#include "uidl.h"
#include "describe.h"
#include "journal-line.h"
#include "journal-map.h"
#include "maildrop-cmd.h"
#include "maildrop-iter.h"
#include "uidl-format-option.h"
#include "doveadm-pop3-policy-plugin.h"

struct export_cmd_context {
	struct doveadm_mail_cmd_context ctx;
	struct uidl_format_option option;
};

struct uidl_export {
	struct maildrop_cmd *cmd;
	const struct uidl_format_option *option;
	struct journal_map map;
	/* for one message */
	pool_t pool;
	/* of the message that is looked at */
	unsigned int msgno;
	/* messages of which the format cannot say the UIDL */
	unsigned int left_out;
};

/* The printer adds the line end. */
static void print_line(string_t *line)
{
	if (str_len(line) == 0)
		return;
	str_truncate(line, str_len(line) - 1);
	doveadm_print(str_c(line));
}

static void
leave_out(struct uidl_export *export, struct mail *mail, const char *error)
{
	e_error(export->cmd->event, "UID %u is left out: %s", mail->uid, error);
	export->left_out++;
}

static int
export_jsonl(struct uidl_export *export, struct mail *mail,
	     const char **error_r)
{
	struct maildrop_cmd *cmd = export->cmd;
	const struct pop3_message *known;
	struct pop3_message message;
	string_t *line = t_str_new(256);
	const char *error;
	int ret;

	known = journal_map_find(&export->map, mail->uid);
	if (known == NULL) {
		p_clear(export->pool);
		ret = maildrop_describe(&cmd->drop, cmd->stored, mail,
					export->pool, &message, error_r);
		if (ret <= 0)
			return ret;
		known = &message;
	}
	if (!pop3_uidl_is_valid(known->uidl, &error)) {
		leave_out(export, mail, error);
		return 0;
	}
	policy_journal_line_print(line, known);
	print_line(line);
	return 0;
}

static int
export_text(struct uidl_export *export, struct mail *mail, const char **error_r)
{
	struct pop3_uidl_text_message message = {
		.msgno = export->msgno,
		.uid = mail->uid,
	};
	string_t *line = t_str_new(256);
	const char *error;
	uoff_t size;
	int ret;

	ret = maildrop_cmd_get_told(export->cmd, mail, &message.uidl, error_r);
	if (ret > 0) {
		ret = maildrop_cmd_get_filename(mail, &message.filename,
						error_r);
	}
	if (ret <= 0)
		return ret;
	if (mail_get_virtual_size(mail, &size) < 0) {
		*error_r = maildrop_mail_error(mail);
		return mail->expunged ? 0 : -1;
	}
	message.size = size;
	if (pop3_uidl_text_print(line, export->option->format, &message,
				 &error) < 0)
		leave_out(export, mail, error);
	else
		print_line(line);
	return 0;
}

static int
export_messages(struct uidl_export *export, const char **error_r)
{
	const struct uidl_format_option *option = export->option;
	struct maildrop_iter *iter;
	struct mail *mail;
	int ret = 0;

	iter = maildrop_iter_init(export->cmd, !option->jsonl &&
				  option->format == POP3_UIDL_TEXT_MSGNO ?
				  MAILDROP_ORDER_POP3 : MAILDROP_ORDER_UID);
	while (ret == 0 && maildrop_iter_next(iter, &mail)) T_BEGIN {
		export->msgno++;
		ret = option->jsonl ? export_jsonl(export, mail, error_r) :
			export_text(export, mail, error_r);
	} T_END_PASS_STR_IF(ret < 0, error_r);
	if (maildrop_iter_deinit(&iter, error_r) < 0)
		ret = -1;
	return ret;
}

static int export_begin(struct uidl_export *export, const char **error_r)
{
	const struct maildrop *drop = &export->cmd->drop;
	struct pop3_uidl_text_mailbox mailbox = {
		.uidvalidity = drop->uidvalidity,
		.uidnext = drop->uidnext,
	};
	struct mailbox_metadata metadata;
	string_t *line = t_str_new(64);

	if (mailbox_get_metadata(drop->box, MAILBOX_METADATA_GUID,
				 &metadata) < 0) {
		*error_r = mailbox_get_last_internal_error(drop->box, NULL);
		return -1;
	}
	guid_128_copy(mailbox.guid, metadata.guid);
	pop3_uidl_text_print_begin(line, export->option->format, &mailbox);
	print_line(line);
	return 0;
}

static int export_all(struct uidl_export *export, const char **error_r)
{
	if (!export->option->jsonl && export_begin(export, error_r) < 0)
		return -1;
	if (export_messages(export, error_r) < 0)
		return -1;
	if (export->left_out > 0) {
		export->cmd->failure = MAIL_ERROR_NOTPOSSIBLE;
		*error_r = t_strdup_printf("%u of %u messages were left out",
			export->left_out, export->cmd->drop.messages);
		return -1;
	}
	return 0;
}

static int
uidl_export(struct doveadm_mail_cmd_context *_ctx, struct maildrop_cmd *cmd,
	    const char **error_r)
{
	struct export_cmd_context *ctx =
		container_of(_ctx, struct export_cmd_context, ctx);
	struct uidl_export export = { .cmd = cmd, .option = &ctx->option };
	int ret;

	if (uidl_format_option_parse(&ctx->option, error_r) < 0) {
		cmd->failure = MAIL_ERROR_PARAMS;
		return -1;
	}
	if (maildrop_cmd_look(cmd, error_r) < 0 ||
	    maildrop_cmd_check_names(cmd, error_r) < 0 ||
	    journal_map_init(&export.map, cmd, error_r) < 0)
		return -1;
	export.pool = pool_alloconly_create("pop3_policy export", 1024);
	ret = export_all(&export, error_r);
	pool_unref(&export.pool);
	journal_map_deinit(&export.map);
	return ret;
}

static int
cmd_uidl_export_run(struct doveadm_mail_cmd_context *ctx,
		    struct mail_user *user)
{
	return maildrop_cmd_run(ctx, user, uidl_export);
}

static void cmd_uidl_export_init(COMPAT_DOVEADM_INIT_PARAMS)
{
	struct export_cmd_context *ectx =
		container_of(ctx, struct export_cmd_context, ctx);

	uidl_format_option_init(&ectx->option, ctx);
	doveadm_print_header("line", "", DOVEADM_PRINT_HEADER_FLAG_HIDE_TITLE);
}

static struct doveadm_mail_cmd_context *cmd_uidl_export_alloc(void)
{
	struct export_cmd_context *ctx;

	ctx = doveadm_mail_cmd_alloc(struct export_cmd_context);
	ctx->ctx.v.init = cmd_uidl_export_init;
	ctx->ctx.v.run = cmd_uidl_export_run;
	compat_doveadm_accept_options(&ctx->ctx);
	/* with one field, and without its title, these are lines */
	doveadm_print_init(DOVEADM_PRINT_TYPE_FLOW);
	return &ctx->ctx;
}

struct doveadm_cmd_ver2 doveadm_cmd_pop3_uidl_export = {
	.name = "pop3 uidl export",
	.usage = "[-f jsonl|msgno|courier|uidlist]",
	.mail_cmd = cmd_uidl_export_alloc,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAM('f', "format", CMD_PARAM_STR, 0)
DOVEADM_CMD_PARAMS_END
};
