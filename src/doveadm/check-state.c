/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "seq-range-array.h"
#include "epoch.h"
#include "journal.h"
#include "store.h"
#include "state-cmd.h"
#include "check.h"

#include <fcntl.h>
#include <sys/stat.h>

/* Clocks of servers differ by less. */
#define CLOCK_SLACK_SECS 3600

void check_add(struct check *check, enum check_remedy remedy, const char *file,
	       const char *problem, unsigned int count, const char *text)
{
	struct check_finding *finding;

	if (count == 0)
		return;
	finding = array_append_space(&check->findings);
	finding->remedy = remedy;
	finding->file = file;
	finding->problem = problem;
	finding->count = count;
	finding->text = p_strdup(check->pool, text);
}

bool check_has(const struct check *check, enum check_remedy remedy)
{
	const struct check_finding *finding;

	array_foreach(&check->findings, finding) {
		if (finding->remedy == remedy)
			return TRUE;
	}
	return FALSE;
}

bool check_is_future(const struct check *check, time_t t)
{
	return t > check->now + CLOCK_SLACK_SECS;
}

/* Counters of a window that does not follow the one that the clock shows: the
   rules of the quota wait then. */
static void
check_counters(struct check *check, const struct pop3_quota_counters *counters)
{
	unsigned int w, future = 0;

	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		if (counters->window[w].start >
		    pop3_quota_window_end(w, check->now))
			future++;
	}
	check_add(check, CHECK_LEAVE, "state.json", "future-counters", future,
		  "windows of the quota begin in the future: either the clock "
		  "is wrong or it was. If it is right now, run: doveadm pop3 "
		  "quota reset");
}

static unsigned int
count_from(const ARRAY_TYPE(seq_range) *uids, uint32_t uidnext)
{
	const struct seq_range *range;
	unsigned int count = 0;

	array_foreach(uids, range) {
		if (range->seq2 >= uidnext)
			count += range->seq2 - I_MAX(range->seq1, uidnext) + 1;
	}
	return count;
}

/* A message that gets one of these UIDs would pass for one that is known. */
static void check_sets(struct check *check, const struct policy_epoch *epoch)
{
	const struct policy_device *device;
	unsigned int future;

	future = count_from(&epoch->recorded, epoch->uidnext) +
		count_from(&epoch->downloaded, epoch->uidnext) +
		count_from(&epoch->stored, epoch->uidnext);
	array_foreach(&epoch->devices, device)
		future += count_from(&device->downloaded, epoch->uidnext);
	check_add(check, CHECK_TRIM, "state.json", "future-uids", future,
		  "sets have UIDs that were not in use yet when the state was "
		  "written");
}

static void check_epoch(struct check *check, const struct policy_epoch *epoch)
{
	const struct pop3_retention_bounds *bounds = &epoch->retention;

	check_sets(check, epoch);
	check_add(check, CHECK_LEAVE, "state.json", "future-retention",
		  check_is_future(check, bounds->checked) ? 1 : 0,
		  "the last look at the mail for retention was in the future: "
		  "until then nothing is removed");
}

/* Returns 1, 0 if there is nothing to compare with the mailbox: no journal and
   no epoch, or a journal that cannot be read, which is then among the
   findings. */
static int
check_journal(struct check *check, struct state_cmd *cmd,
	      const struct policy_epoch *epoch)
{
	const char *error;
	int ret;

	ret = policy_journal_exists(cmd->store, epoch == NULL ? 0 :
				    epoch->journal_generation, &error);
	if (ret < 0) {
		check_add(check, CHECK_LEAVE, "messages.jsonl", "unreadable",
			  1, error);
		return 0;
	}
	return epoch != NULL || ret > 0 ? 1 : 0;
}

static void
check_leftover(struct check *check, const struct state_cmd *cmd,
	       const char *name)
{
	struct stat st;

	if (cmd->dir == NULL ||
	    fstatat(AT_FDCWD, t_strconcat(cmd->dir, "/", name, NULL), &st,
		    AT_SYMLINK_NOFOLLOW) < 0)
		return;
	check_add(check, CHECK_TIDY, name, "leftover", 1,
		  "somebody writes just now, or was killed when he did: the "
		  "next write puts it right");
}

int check_state(struct check *check, struct state_cmd *cmd,
		const char **error_r ATTR_UNUSED)
{
	const struct policy_epoch *epoch;
	struct policy_state *state;
	const char *error;
	int ret;

	if (policy_store_look(cmd->store, &state, &error) != POLICY_STORE_OK) {
		check_add(check, CHECK_LEAVE, "state.json", "unreadable", 1,
			  error);
		return 0;
	}
	if (state == NULL) {
		check_add(check, CHECK_SET_ASIDE, "state.json", "corrupt", 1,
			  error);
		return 0;
	}
	check_leftover(check, cmd, "state.json.tmp");
	check_leftover(check, cmd, "messages.jsonl.new");
	epoch = policy_state_epoch(state);
	check_counters(check, policy_state_quota(state));
	if (epoch != NULL)
		check_epoch(check, epoch);
	ret = check_journal(check, cmd, epoch);
	policy_state_deinit(&state);
	return ret;
}
