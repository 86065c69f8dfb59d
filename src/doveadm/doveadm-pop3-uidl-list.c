/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "seq-range-array.h"
#include "mail-storage.h"
#include "epoch.h"
#include "message.h"
#include "cmd-print.h"
#include "journal-map.h"
#include "maildrop-cmd.h"
#include "maildrop-iter.h"
#include "doveadm-pop3-policy-plugin.h"

static int
print_message(struct maildrop_cmd *cmd, const struct journal_map *map,
	      struct mail *mail, unsigned int msgno, const char **error_r)
{
	const struct pop3_message *known = journal_map_find(map, mail->uid);
	bool stored = cmd->epoch != NULL &&
		seq_range_exists(&cmd->epoch->stored, mail->uid);
	const char *uidl;
	int ret;

	ret = maildrop_cmd_get_told(cmd, mail, &uidl, error_r);
	if (ret <= 0)
		return ret;
	doveadm_print_num(msgno);
	doveadm_print_num(mail->uid);
	doveadm_print(uidl);
	doveadm_print(stored ? "stored" : "own");
	doveadm_print(known != NULL ? "yes" : "no");
	cmd_print_time(known != NULL ? known->downloaded : 0, "-");
	return 0;
}

static int
print_messages(struct maildrop_cmd *cmd, const struct journal_map *map,
	       const char **error_r)
{
	struct maildrop_iter *iter;
	unsigned int msgno = 0;
	struct mail *mail;
	int ret = 0;

	iter = maildrop_iter_init(cmd, MAILDROP_ORDER_POP3);
	while (ret == 0 && maildrop_iter_next(iter, &mail)) T_BEGIN {
		ret = print_message(cmd, map, mail, ++msgno, error_r);
	} T_END_PASS_STR_IF(ret < 0, error_r);
	if (maildrop_iter_deinit(&iter, error_r) < 0)
		ret = -1;
	return ret;
}

static int
uidl_list(struct doveadm_mail_cmd_context *ctx ATTR_UNUSED,
	  struct maildrop_cmd *cmd, const char **error_r)
{
	struct journal_map map;
	int ret;

	if (maildrop_cmd_look(cmd, error_r) < 0 ||
	    maildrop_cmd_check_names(cmd, error_r) < 0 ||
	    journal_map_init(&map, cmd, error_r) < 0)
		return -1;
	ret = print_messages(cmd, &map, error_r);
	journal_map_deinit(&map);
	return ret;
}

static int
cmd_uidl_list_run(struct doveadm_mail_cmd_context *ctx, struct mail_user *user)
{
	return maildrop_cmd_run(ctx, user, uidl_list);
}

static void cmd_uidl_list_init(COMPAT_DOVEADM_INIT_PARAMS)
{
	cmd_print_number_header("msgno", "Msgno");
	cmd_print_number_header("uid", "UID");
	doveadm_print_header("uidl", "UIDL", DOVEADM_PRINT_HEADER_FLAG_EXPAND);
	doveadm_print_header("source", "Source", 0);
	doveadm_print_header("recorded", "Recorded", 0);
	doveadm_print_header("downloaded", "Downloaded", 0);
}

static struct doveadm_mail_cmd_context *cmd_uidl_list_alloc(void)
{
	struct doveadm_mail_cmd_context *ctx;

	ctx = doveadm_mail_cmd_alloc(struct doveadm_mail_cmd_context);
	ctx->v.init = cmd_uidl_list_init;
	ctx->v.run = cmd_uidl_list_run;
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	return ctx;
}

struct doveadm_cmd_ver2 doveadm_cmd_pop3_uidl_list = {
	.name = "pop3 uidl list",
	.usage = "",
	.mail_cmd = cmd_uidl_list_alloc,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAMS_END
};
