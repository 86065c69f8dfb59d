/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "seq-range-array.h"
#include "mail-storage.h"
#include "doveadm-print.h"
#include "uidl.h"
#include "epoch.h"
#include "journal.h"
#include "recovery.h"
#include "uid-set.h"
#include "journal-map.h"
#include "maildrop-cmd.h"
#include "maildrop-iter.h"
#include "doveadm-pop3-policy-plugin.h"

struct verify {
	unsigned int known;
	unsigned int stored;
	unsigned int downloaded;
	unsigned int journal_lines;
	unsigned int damaged;
	/* messages about which the journal does not say what clients are told
	   */
	unsigned int differences;
	const char *result;
	/* "" if all is well */
	const char *reason;
	/* what a recovery would come to */
	struct recovery_counts counts;
};

static int
compare_message(struct maildrop_cmd *cmd, const struct journal_map *map,
		struct mail *mail, struct verify *verify, const char **error_r)
{
	const struct pop3_message *known = journal_map_find(map, mail->uid);
	const char *uidl, *error;
	int ret;

	if (known == NULL &&
	    !seq_range_exists(&cmd->epoch->recorded, mail->uid))
		return 0;
	ret = maildrop_cmd_get_told(cmd, mail, &uidl, error_r);
	if (ret <= 0)
		return ret;
	if (known != NULL) {
		if (strcmp(known->uidl, uidl) != 0)
			verify->differences++;
	} else if (pop3_uidl_is_valid(uidl, &error)) {
		/* others, from an X-UIDL header, have no line */
		verify->differences++;
	}
	return 0;
}

static int
compare_messages(struct maildrop_cmd *cmd, const struct journal_map *map,
		 struct verify *verify, const char **error_r)
{
	struct maildrop_iter *iter;
	struct mail *mail;
	int ret = 0;

	iter = maildrop_iter_init(cmd, MAILDROP_ORDER_UID);
	while (ret == 0 && maildrop_iter_next(iter, &mail)) T_BEGIN {
		ret = compare_message(cmd, map, mail, verify, error_r);
	} T_END_PASS_STR_IF(ret < 0, error_r);
	if (maildrop_iter_deinit(&iter, error_r) < 0)
		ret = -1;
	return ret;
}

static int
verify_steady(struct maildrop_cmd *cmd, struct verify *verify,
	      const char **error_r)
{
	const struct maildrop *drop = &cmd->drop;
	struct journal_map map;
	int ret;

	verify->known = uid_set_count(drop, &cmd->epoch->recorded,
				      drop->uidnext);
	verify->stored = uid_set_count(drop, &cmd->epoch->stored,
				       drop->uidnext);
	verify->downloaded = uid_set_count(drop, &cmd->epoch->downloaded,
					   drop->uidnext);
	ret = journal_map_init(&map, cmd, error_r);
	if (ret < 0)
		return -1;
	if (ret == 0) {
		verify->reason = "messages.jsonl is missing, or another one";
	} else if (map.journal != NULL) {
		verify->journal_lines = map.journal->lines;
		verify->damaged = map.journal->damaged;
	}
	ret = compare_messages(cmd, &map, verify, error_r);
	journal_map_deinit(&map);
	if (*verify->reason == '\0' && verify->damaged > 0)
		verify->reason = "messages.jsonl has damaged lines";
	else if (*verify->reason == '\0' && verify->differences > 0)
		verify->reason = "messages.jsonl does not say what is told";
	verify->result = *verify->reason == '\0' ? "steady" : "damaged";
	return ret;
}

static int
verify_broken(struct maildrop_cmd *cmd, struct verify *verify,
	      const char *reason, const char **error_r)
{
	ARRAY_TYPE(pop3_message) messages;
	struct policy_epoch epoch;
	pool_t pool;
	int ret;

	verify->result = "broken";
	verify->reason = reason;
	pool = pool_alloconly_create("pop3_policy verify", 64 * 1024);
	ret = maildrop_recovery_preview(&cmd->drop, cmd->store,
					policy_state_epoch(cmd->state), pool,
					&epoch, &messages, &verify->counts,
					error_r);
	pool_unref(&pool);
	return ret;
}

static void
print_verify(const struct maildrop_cmd *cmd, const struct verify *verify)
{
	const struct recovery_counts *counts = &verify->counts;

	doveadm_print_num(cmd->drop.messages);
	doveadm_print_num(verify->known);
	doveadm_print_num(verify->stored);
	doveadm_print_num(verify->downloaded);
	doveadm_print_num(verify->journal_lines);
	doveadm_print_num(verify->damaged);
	doveadm_print_num(verify->differences);
	doveadm_print(verify->result);
	doveadm_print_num(counts->kept_by_guid + counts->kept_by_hash);
	doveadm_print_num(counts->added);
	doveadm_print_num(counts->gone);
	doveadm_print(*verify->reason == '\0' ? "-" : verify->reason);
}

static int
uidl_verify(struct doveadm_mail_cmd_context *ctx ATTR_UNUSED,
	    struct maildrop_cmd *cmd, const char **error_r)
{
	struct verify verify = { .result = "first", .reason = "" };
	const char *reason;
	int ret = 0;

	switch (maildrop_cmd_check(cmd, &reason)) {
	case EPOCH_STEADY:
		ret = verify_steady(cmd, &verify, error_r);
		break;
	case EPOCH_FIRST:
		break;
	case EPOCH_BROKEN:
		ret = verify_broken(cmd, &verify, reason, error_r);
		break;
	case EPOCH_FAILED:
		*error_r = reason;
		return -1;
	}
	if (ret < 0)
		return -1;
	print_verify(cmd, &verify);
	if (*verify.reason == '\0')
		return 0;
	cmd->failure = MAIL_ERROR_INVALIDDATA;
	*error_r = t_strdup_printf("UIDLs are %s: %s", verify.result,
				   verify.reason);
	return -1;
}

static int
cmd_uidl_verify_run(struct doveadm_mail_cmd_context *ctx,
		    struct mail_user *user)
{
	return maildrop_cmd_run(ctx, user, uidl_verify);
}

static void cmd_uidl_verify_init(COMPAT_DOVEADM_INIT_PARAMS)
{
	static const char *const numbers[][2] = {
		{ "messages", "Messages" },
		{ "known", "Known" },
		{ "stored", "Stored" },
		{ "downloaded", "Downloaded" },
		{ "journal_lines", "Lines" },
		{ "damaged", "Damaged" },
		{ "differences", "Differences" },
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(numbers); i++) {
		doveadm_print_header(numbers[i][0], numbers[i][1],
				     DOVEADM_PRINT_HEADER_FLAG_RIGHT_JUSTIFY);
	}
	doveadm_print_header("result", "Result", 0);
	doveadm_pop3_uidl_print_recovery_headers();
	doveadm_print_header("reason", "Reason", 0);
}

static struct doveadm_mail_cmd_context *cmd_uidl_verify_alloc(void)
{
	struct doveadm_mail_cmd_context *ctx;

	ctx = doveadm_mail_cmd_alloc(struct doveadm_mail_cmd_context);
	ctx->v.init = cmd_uidl_verify_init;
	ctx->v.run = cmd_uidl_verify_run;
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	return ctx;
}

struct doveadm_cmd_ver2 doveadm_cmd_pop3_uidl_verify = {
	.name = "pop3 uidl verify",
	.usage = "",
	.mail_cmd = cmd_uidl_verify_alloc,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAMS_END
};
