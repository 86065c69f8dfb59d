/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "pop3-policy-settings.h"
#include "retention-due.h"
#include "epoch.h"
#include "store.h"
#include "judge.h"
#include "cmd-print.h"
#include "maildrop-cmd.h"
#include "retention-cmd.h"
#include "doveadm-pop3-policy-plugin.h"

#include <time.h>

/* What one rule has to do with. */
struct rule_status {
	/* when the next one is due by time; 0 if none is */
	time_t next;
	/* of messages that it may take some time */
	uint64_t bytes;
	/* what a run would take now */
	uint64_t taken_bytes;
	unsigned int messages;
	unsigned int taken;
};

struct status {
	struct rule_status rules[POP3_RETENTION_RULE_COUNT];
	/* what the rules would be about if clients were shown it */
	struct rule_status hidden;
};

static enum pop3_retention_rule
rule_of_time(const struct pop3_retention_message *message)
{
	return message->downloaded != 0 ? POP3_RETENTION_DOWNLOADED :
		POP3_RETENTION_UNDOWNLOADED;
}

static void
add_held(struct rule_status *status,
	 const struct pop3_retention_message *message, time_t due)
{
	status->messages++;
	status->bytes += message->size;
	if (due != 0 && (status->next == 0 || due < status->next))
		status->next = due;
}

static void
add_message(struct status *status, const struct pop3_retention_rules *rules,
	    const struct pop3_retention_message *message)
{
	struct rule_status *held = status->rules;

	if (message->hidden)
		add_held(&status->hidden, message, 0);
	if (message->exempt)
		return;
	add_held(&held[rule_of_time(message)], message,
		 pop3_retention_due(rules, message));
	/* these take what was downloaded */
	if (message->downloaded != 0) {
		add_held(&held[POP3_RETENTION_MAX_MESSAGES], message, 0);
		add_held(&held[POP3_RETENTION_MAX_BYTES], message, 0);
	}
	held[message->rule].taken++;
	held[message->rule].taken_bytes += message->size;
}

static bool
is_set(const struct pop3_retention_rules *rules, enum pop3_retention_rule rule)
{
	switch (rule) {
	case POP3_RETENTION_DOWNLOADED:
		return rules->keep_downloaded != POP3_KEEP_FOREVER;
	case POP3_RETENTION_UNDOWNLOADED:
		return rules->keep_undownloaded != POP3_KEEP_FOREVER;
	case POP3_RETENTION_MAX_MESSAGES:
		return rules->max_messages != POP3_KEEP_UNLIMITED;
	case POP3_RETENTION_MAX_BYTES:
		return rules->max_bytes != POP3_KEEP_UNLIMITED;
	case POP3_RETENTION_NONE:
	case POP3_RETENTION_RULE_COUNT:
		break;
	}
	i_unreached();
}

static void print_status(const char *name, const struct rule_status *status)
{
	doveadm_print(name);
	doveadm_print_num(status->messages);
	doveadm_print_num(status->bytes);
	cmd_print_time(status->next, "-");
	doveadm_print_num(status->taken);
	doveadm_print_num(status->taken_bytes);
}

static void
print_all(const struct retention_policy *policy, const struct status *status)
{
	unsigned int rule;

	for (rule = POP3_RETENTION_NONE + 1; rule < POP3_RETENTION_RULE_COUNT;
	     rule++) {
		if (is_set(&policy->rules, rule)) {
			print_status(pop3_retention_rule_name(rule),
				     &status->rules[rule]);
		}
	}
	if (policy->view != NULL && !pop3_retention_is_forever(&policy->rules))
		print_status("hidden", &status->hidden);
}

/* What is due would not go now. */
static void warn_of_jump(struct maildrop_cmd *cmd, time_t now)
{
	const struct pop3_retention_bounds *bounds =
		&policy_state_epoch(cmd->state)->retention;

	if (pop3_retention_is_due(&cmd->set->retention.rules, bounds,
				  cmd->drop.messages, UINT64_MAX, now) !=
	    POP3_RETENTION_CLOCK_JUMPED)
		return;
	e_warning(cmd->event, "a run would wait for a confirmation, as the "
		  "last look at this user's mail was %u days ago by the "
		  "clock: if the clock is right, run: "
		  "doveadm pop3 retention run --force -u %s",
		  (unsigned int)((now - bounds->checked) / (24 * 3600)),
		  cmd->user->username);
}

static int
retention_status(struct doveadm_mail_cmd_context *ctx ATTR_UNUSED,
		 struct maildrop_cmd *cmd, const char **error_r)
{
	const struct retention_policy *policy = &cmd->set->retention;
	struct status status;
	ARRAY_TYPE(pop3_retention_message) messages;
	const struct pop3_retention_message *message;
	time_t now = time(NULL);
	int ret;

	if (retention_cmd_check(cmd, error_r) <= 0)
		return -1;
	i_zero(&status);
	i_array_init(&messages, cmd->drop.messages + 1);
	ret = maildrop_retention_status(&cmd->drop, cmd->store, policy, now,
					&messages, error_r);
	array_foreach(&messages, message)
		add_message(&status, &policy->rules, message);
	array_free(&messages);
	if (ret < 0)
		return -1;
	print_all(policy, &status);
	warn_of_jump(cmd, now);
	return 0;
}

/* Whether there is anything to look at in the mailbox; if not it is not opened,
   and what is to be said is said. Returns 1, 0, or -1 and an error. */
static int has_mail(struct mail_user *user, const char **error_r)
{
	const struct pop3_policy_settings *set;
	struct status nothing;
	struct pop3_retention_bounds bounds;
	int ret;

	if (pop3_policy_settings_get(user, &set, error_r) < 0)
		return -1;
	i_zero(&nothing);
	ret = pop3_retention_is_forever(&set->retention.rules) ? 0 :
		retention_cmd_read_bounds(user, set, &bounds, error_r);
	if (ret == 0)
		print_all(&set->retention, &nothing);
	pop3_policy_settings_free(&set);
	return ret;
}

static int
cmd_retention_status_run(struct doveadm_mail_cmd_context *ctx,
			 struct mail_user *user)
{
	const char *error;
	int ret;

	ret = has_mail(user, &error);
	if (ret < 0) {
		e_error(user->event, "pop3_policy: %s", error);
		doveadm_mail_failed_error(ctx, MAIL_ERROR_TEMP);
	}
	return ret <= 0 ? ret : maildrop_cmd_run(ctx, user, retention_status);
}

static void cmd_retention_status_init(COMPAT_DOVEADM_INIT_PARAMS)
{
	doveadm_print_header("rule", "Rule", 0);
	cmd_print_number_header("messages", "Messages");
	cmd_print_number_header("bytes", "Bytes");
	doveadm_print_header("next", "Next due", 0);
	cmd_print_number_header("due", "Due");
	cmd_print_number_header("due_bytes", "Due bytes");
}

static struct doveadm_mail_cmd_context *cmd_retention_status_alloc(void)
{
	struct doveadm_mail_cmd_context *ctx;

	ctx = doveadm_mail_cmd_alloc(struct doveadm_mail_cmd_context);
	ctx->v.init = cmd_retention_status_init;
	ctx->v.run = cmd_retention_status_run;
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	return ctx;
}

struct doveadm_cmd_ver2 doveadm_cmd_pop3_retention_status = {
	.name = "pop3 retention status",
	.usage = "",
	.mail_cmd = cmd_retention_status_alloc,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAMS_END
};
