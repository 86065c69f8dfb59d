/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "mail-storage-private.h"
#include "compat-mail-user.h"
#include "pop3-policy-settings.h"
#include "pop3-policy-store.h"
#include "store.h"
#include "epoch.h"
#include "duplicates.h"
#include "prepare.h"
#include "stored-uidls.h"
#include "maildrop-iter.h"
#include "maildrop-cmd.h"

static int box_error(struct mailbox *box, const char **error_r)
{
	*error_r = t_strdup_printf("INBOX cannot be opened: %s",
		mailbox_get_last_internal_error(box, NULL));
	return -1;
}

static void forget_uidls(struct maildrop_cmd *cmd)
{
	maildrop_uidls_free(&cmd->prepared);
	stored_uidls_deinit(&cmd->looked_up);
	cmd->epoch = NULL;
	cmd->stored = NULL;
}

/* Settings of the pop3 process are as a session has found them. */
static int init_drop(struct maildrop_cmd *cmd, const char **error_r)
{
	const struct policy_epoch *epoch = policy_state_epoch(cmd->state);
	const struct uidl_rules rules = {
		.format = cmd->uidl_format,
		.reuse_xuidl = epoch != NULL && epoch->reuse_xuidl,
	};

	return maildrop_init(&cmd->drop, cmd->box, &rules, cmd->event,
			     error_r);
}

int maildrop_cmd_reread(struct maildrop_cmd *cmd, const char **error_r)
{
	forget_uidls(cmd);
	policy_state_deinit(&cmd->state);
	if (policy_store_read(cmd->store, &cmd->state, error_r) !=
	    POLICY_STORE_OK)
		return -1;
	if (mailbox_sync(cmd->box, 0) < 0)
		return box_error(cmd->box, error_r);
	return init_drop(cmd, error_r);
}

int maildrop_cmd_try_again(struct maildrop_cmd *cmd, unsigned int *tries,
			   const char **error_r)
{
	if (++*tries == MAILDROP_CMD_MAX_TRIES) {
		*error_r = "the state keeps changing, try again later";
		return -1;
	}
	return maildrop_cmd_reread(cmd, error_r);
}

static int
cmd_open(struct maildrop_cmd *cmd, struct mail_user *user, const char **error_r)
{
	struct mail_namespace *ns;

	i_zero(cmd);
	cmd->user = user;
	cmd->event = event_create(user->event);
	event_set_append_log_prefix(cmd->event, "pop3_policy: ");
	cmd->failure = MAIL_ERROR_TEMP;
	if (pop3_policy_settings_get(user, &cmd->set, error_r) < 0 ||
	    pop3_policy_store_open(cmd->set, user,
				   compat_mail_user_wants_fsync(user),
				   cmd->event, &cmd->store, error_r) < 0)
		return -1;
	cmd->uidl_format = i_strdup(compat_mail_user_uidl_format(user));
	ns = mail_namespace_find_inbox(user->namespaces);
	/* as POP3 sees it: messages say Dovecot's own UIDLs, not those that we
	   let doveadm sync see */
	cmd->box = mailbox_alloc(ns->list, "INBOX", MAILBOX_FLAG_POP3_SESSION |
				 MAILBOX_FLAG_IGNORE_ACLS);
	if (mailbox_open(cmd->box) < 0)
		return box_error(cmd->box, error_r);
	return maildrop_cmd_reread(cmd, error_r);
}

static void cmd_close(struct maildrop_cmd *cmd)
{
	forget_uidls(cmd);
	if (cmd->box != NULL)
		mailbox_free(&cmd->box);
	policy_state_deinit(&cmd->state);
	if (cmd->store != NULL)
		policy_store_deinit(&cmd->store);
	i_free(cmd->uidl_format);
	if (cmd->set != NULL)
		pop3_policy_settings_free(&cmd->set);
	event_unref(&cmd->event);
}

int maildrop_cmd_run(struct doveadm_mail_cmd_context *ctx,
		     struct mail_user *user, maildrop_cmd_func_t *func)
{
	struct maildrop_cmd cmd;
	const char *error;
	int ret;

	ret = cmd_open(&cmd, user, &error);
	if (ret == 0)
		ret = func(ctx, &cmd, &error);
	if (ret < 0) {
		e_error(cmd.event, "%s", error);
		doveadm_mail_failed_error(ctx, cmd.failure);
	}
	cmd_close(&cmd);
	return ret;
}

enum epoch_check_result
maildrop_cmd_check(struct maildrop_cmd *cmd, const char **reason_r)
{
	const struct policy_epoch *epoch = policy_state_epoch(cmd->state);
	enum epoch_check_result result;

	forget_uidls(cmd);
	result = epoch_check(&cmd->drop, epoch, cmd->store, reason_r);
	if (result != EPOCH_STEADY)
		return result;
	cmd->looked_up = stored_uidls_init(&cmd->drop, cmd->store, epoch);
	switch (stored_uidls_prepare(cmd->looked_up, reason_r)) {
	case 0:
		return EPOCH_BROKEN;
	case 1:
		cmd->epoch = epoch;
		cmd->stored = cmd->looked_up;
		return EPOCH_STEADY;
	default:
		return EPOCH_FAILED;
	}
}

const char *maildrop_cmd_recover_first(const struct maildrop_cmd *cmd,
				       const char *reason)
{
	return t_strdup_printf("UIDLs have to be recovered first (%s): "
		"log in by POP3 once, or run: doveadm pop3 uidl accept -u %s",
		reason, cmd->user->username);
}

int maildrop_cmd_look(struct maildrop_cmd *cmd, const char **error_r)
{
	const char *reason;

	switch (maildrop_cmd_check(cmd, &reason)) {
	case EPOCH_STEADY:
		break;
	case EPOCH_FIRST:
		return 0;
	case EPOCH_BROKEN:
		*error_r = maildrop_cmd_recover_first(cmd, reason);
		return -1;
	case EPOCH_FAILED:
		*error_r = reason;
		return -1;
	}
	if (maildrop_duplicates_are_due(&cmd->drop, cmd->epoch)) {
		*error_r = t_strdup_printf("new messages may need UIDLs of "
			"their own: log in by POP3 once, or run: "
			"doveadm pop3 uidl adopt -u %s", cmd->user->username);
		return -1;
	}
	return 0;
}

int maildrop_cmd_prepare(struct maildrop_cmd *cmd, const char **error_r)
{
	enum prepare_result result;
	unsigned int tries = 0;

	for (;;) {
		result = maildrop_prepare(&cmd->drop, cmd->store,
			policy_state_epoch(cmd->state),
			cmd->set->uidl_alarm_percent, &cmd->prepared, error_r);
		if (result == PREPARE_DONE)
			break;
		if (result != PREPARE_RETRY ||
		    maildrop_cmd_try_again(cmd, &tries, error_r) < 0)
			return -1;
	}
	cmd->epoch = cmd->prepared->epoch;
	cmd->stored = cmd->prepared->stored;
	return 0;
}

static int has_xuidl(struct mail *mail, const char **error_r)
{
	const char *value;
	int ret;

	ret = mail_get_first_header(mail, "X-UIDL", &value);
	if (ret < 0) {
		*error_r = maildrop_mail_error(mail);
		return mail->expunged ? 0 : -1;
	}
	return ret;
}

int maildrop_cmd_has_xuidl(struct maildrop_cmd *cmd, const char **error_r)
{
	struct maildrop_iter *iter;
	struct mail *mail;
	int ret = 0;

	iter = maildrop_iter_init(cmd, MAILDROP_ORDER_UID);
	while (ret == 0 && maildrop_iter_next(iter, &mail)) T_BEGIN {
		ret = has_xuidl(mail, error_r);
	} T_END_PASS_STR_IF(ret < 0, error_r);
	if (maildrop_iter_deinit(&iter, error_r) < 0)
		ret = -1;
	return ret;
}

int maildrop_cmd_check_names(struct maildrop_cmd *cmd, const char **error_r)
{
	int ret;

	if (policy_state_epoch(cmd->state) != NULL)
		return 0;
	if (cmd->drop.uidls_may_repeat && cmd->drop.messages > 1) {
		*error_r = "pop3_uidl_duplicates decides what messages are "
			"called that have one UIDL by pop3_uidl_format, and it "
			"is known to POP3 sessions only: log in by POP3 once";
		return -1;
	}
	ret = maildrop_cmd_has_xuidl(cmd, error_r);
	if (ret <= 0)
		return ret;
	*error_r = "pop3_reuse_xuidl decides what messages with an X-UIDL "
		"header are called, and it is known to POP3 sessions only: "
		"log in by POP3 once";
	return -1;
}

int maildrop_cmd_get_told(struct maildrop_cmd *cmd, struct mail *mail,
			  const char **uidl_r, const char **error_r)
{
	int ret;

	if (cmd->stored != NULL) {
		ret = stored_uidls_get_told(cmd->stored, mail, uidl_r, error_r);
	} else {
		ret = maildrop_own_uidl(&cmd->drop, mail, uidl_r);
		if (ret < 0)
			*error_r = maildrop_mail_error(mail);
	}
	if (ret < 0)
		return mail->expunged ? 0 : -1;
	return 1;
}

int maildrop_cmd_get_filename(struct mail *mail, const char **filename_r,
			      const char **error_r)
{
	const char *filename;

	*filename_r = NULL;
	if (strcmp(mail->box->storage->name, "maildir") != 0)
		return 1;
	if (mail_get_special(mail, MAIL_FETCH_STORAGE_ID, &filename) < 0) {
		*error_r = maildrop_mail_error(mail);
		return mail->expunged ? 0 : -1;
	}
	*filename_r = t_strdup(filename);
	return 1;
}
