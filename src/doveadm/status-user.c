/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "pop3-policy-settings.h"
#include "retention-due.h"
#include "epoch.h"
#include "journal.h"
#include "judge.h"
#include "run.h"
#include "store.h"
#include "uid-set.h"
#include "maildrop-cmd.h"
#include "state-cmd.h"
#include "status-user.h"

#include <fcntl.h>
#include <sys/stat.h>

static time_t last_written(const struct state_cmd *cmd, const char *name)
{
	struct stat st;

	return cmd->dir == NULL ||
		fstatat(AT_FDCWD, t_strconcat(cmd->dir, "/", name, NULL), &st,
			AT_SYMLINK_NOFOLLOW) < 0 ? 0 : st.st_mtime;
}

static struct status_device *
get_device(struct user_status *status, const char *name)
{
	struct status_device *device;

	array_foreach_modifiable(&status->devices, device) {
		if (null_strcmp(device->name, name) == 0)
			return device;
	}
	device = array_append_space(&status->devices);
	device->name = p_strdup(status->pool, name);
	return device;
}

/* Devices that have downloaded something, and those for which mail waits. */
static void
add_devices(struct user_status *status, const struct policy_epoch *epoch,
	    const char *const *wanted)
{
	const struct policy_device *device;

	if (epoch != NULL) {
		array_foreach(&epoch->devices, device)
			(void)get_device(status, device->name);
	}
	for (; wanted != NULL && *wanted != NULL; wanted++)
		(void)get_device(status, *wanted);
}

static void add_download(struct status_device *device, time_t downloaded)
{
	if (downloaded == 0)
		return;
	device->downloaded++;
	device->last_download = I_MAX(device->last_download, downloaded);
}

static void
add_line(struct user_status *status, const struct pop3_message *line)
{
	struct status_device *device;

	if (line->uid == 0)
		return;
	array_foreach_modifiable(&status->devices, device) {
		add_download(device, device->name == NULL ? line->downloaded :
			     pop3_message_device_downloaded(line,
							    device->name));
	}
}

/* Returns 1 if the journal is whole, 0 if it is not, -1 and an error. */
static int
read_journal(struct user_status *status, struct policy_store *store,
	     const struct policy_epoch *epoch, const char **error_r)
{
	struct policy_journal *journal;
	const struct pop3_message *line;
	int ret;

	if (epoch->journal_generation == 0)
		return 1;
	ret = policy_journal_is_torn(store, epoch->journal_generation, error_r);
	if (ret >= 0) {
		int torn = ret;

		ret = policy_journal_read(store, epoch->journal_generation,
					  &journal, error_r);
		if (ret > 0) {
			array_foreach(&journal->messages, line)
				add_line(status, line);
			if (torn > 0 || journal->damaged > 0)
				ret = 0;
			policy_journal_free(&journal);
		}
	}
	return ret;
}

static int
read_epoch(struct user_status *status, struct state_cmd *cmd,
	   const struct policy_epoch *epoch, const char **error_r)
{
	int ret;

	add_devices(status, epoch, cmd->set->retention.devices);
	if (epoch == NULL) {
		ret = policy_journal_exists(cmd->store, 0, error_r);
		status->uidls = ret > 0 ? "lost" : "first";
		return ret < 0 ? -1 : 0;
	}
	status->messages = epoch->live;
	if (epoch->live > 0 && retention_is_pop3_user(epoch)) {
		status->next =
			pop3_retention_next_due(&cmd->set->retention.rules,
						&epoch->retention);
	}
	ret = read_journal(status, cmd->store, epoch, error_r);
	status->uidls = ret > 0 ? "recorded" : "damaged";
	return ret < 0 ? -1 : 0;
}

int user_status_read(struct user_status *status, struct state_cmd *cmd,
		     const char **error_r)
{
	struct pop3_quota_counters *counters;
	struct policy_state *state;
	int ret;

	p_array_init(&status->devices, status->pool, 4);
	(void)get_device(status, NULL);
	if (state_cmd_look(cmd, &state, error_r) < 0)
		return -1;
	counters = policy_state_quota(state);
	(void)pop3_quota_roll(counters, cmd->now);
	status->has_limit = pop3_quota_tightest(&cmd->set->quota, counters,
						cmd->now, &status->quota);
	status->last_login = last_written(cmd, "login.json");
	status->last_write = last_written(cmd, "state.json");
	ret = read_epoch(status, cmd, policy_state_epoch(state), error_r);
	policy_state_deinit(&state);
	return ret;
}

static int
look_at_retention(struct user_status *status, struct maildrop_cmd *cmd,
		  const char **error_r)
{
	const struct retention_policy *policy = &cmd->set->retention;
	ARRAY_TYPE(pop3_retention_message) messages;
	const struct pop3_retention_message *message;
	time_t due;
	int ret;

	status->next = 0;
	status->due_is_known = TRUE;
	if (pop3_retention_is_forever(&policy->rules) ||
	    !retention_is_pop3_user(cmd->epoch))
		return 0;
	i_array_init(&messages, cmd->drop.messages + 1);
	ret = maildrop_retention_status(&cmd->drop, cmd->store, policy,
					time(NULL), &messages, error_r);
	array_foreach(&messages, message) {
		due = pop3_retention_due(&policy->rules, message);
		if (due != 0 && (status->next == 0 || due < status->next))
			status->next = due;
		if (message->rule != POP3_RETENTION_NONE)
			status->due++;
	}
	array_free(&messages);
	return ret;
}

static void
count_downloaded(struct user_status *status, const struct maildrop_cmd *cmd)
{
	const struct policy_epoch *epoch = cmd->epoch;
	const struct policy_device *device;
	struct status_device *found;

	found = get_device(status, NULL);
	found->downloaded = uid_set_count(&cmd->drop, &epoch->downloaded,
					  cmd->drop.uidnext);
	array_foreach(&epoch->devices, device) {
		found = get_device(status, device->name);
		found->downloaded = uid_set_count(&cmd->drop,
						  &device->downloaded,
						  cmd->drop.uidnext);
	}
}

int user_status_look(struct user_status *status, struct maildrop_cmd *cmd,
		     const char **error_r)
{
	const char *reason;

	status->messages = cmd->drop.messages;
	cmd->drop.only_looks = TRUE;
	switch (maildrop_cmd_check(cmd, &reason)) {
	case EPOCH_STEADY:
		break;
	case EPOCH_FIRST:
		return 0;
	case EPOCH_BROKEN:
		status->uidls = "broken";
		status->next = 0;
		return 0;
	case EPOCH_FAILED:
		*error_r = reason;
		return -1;
	}
	count_downloaded(status, cmd);
	/* retention waits until the journal is mended */
	if (strcmp(status->uidls, "damaged") == 0)
		return 0;
	status->uidls = "steady";
	return look_at_retention(status, cmd, error_r);
}
