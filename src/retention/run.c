/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "file-lock.h"
#include "mail-storage-private.h"
#include "epoch.h"
#include "run-lock.h"
#include "store.h"
#include "maildrop.h"
#include "mend.h"
#include "bounds.h"
#include "judge.h"
#include "remove.h"
#include "run.h"

#include <time.h>

/* of Dovecot's own autoexpunge */
#define AUTOEXPUNGE_LOCK_NAME "dovecot.autoexpunge.lock"

struct retention_run {
	pool_t pool;
	struct maildrop *drop;
	struct policy_store *store;
	const struct retention_policy *policy;
	const struct retention_run_options *options;
	struct retention_counts *counts;
	time_t now;
	/* as it was when the run began */
	struct policy_epoch epoch;
	ARRAY_TYPE(pop3_retention_message) messages;
	/* messages were looked at */
	bool looked;
};

static bool removes(const struct retention_run *run)
{
	return !run->policy->report_only && !run->options->dry_run;
}

static void
find_taken(struct retention_run *run, ARRAY_TYPE(seq_range) *uids,
	   ARRAY_TYPE(seq_range) *undownloaded)
{
	const struct pop3_retention_message *message;

	array_foreach(&run->messages, message) {
		if (message->rule == POP3_RETENTION_NONE)
			continue;
		seq_range_array_add(uids, message->uid);
		if (message->rule == POP3_RETENTION_UNDOWNLOADED)
			seq_range_array_add(undownloaded, message->uid);
		retention_log_message(message, run->drop->event);
	}
}

static void
count_removed(struct retention_run *run, const ARRAY_TYPE(seq_range) *removed)
{
	const struct pop3_retention_message *message;
	struct retention_counts counts;
	unsigned int rule;

	i_zero(&counts);
	array_foreach(&run->messages, message) {
		if (message->rule != POP3_RETENTION_NONE &&
		    (!removes(run) || seq_range_exists(removed, message->uid)))
			retention_count(&counts, message);
	}
	if (!run->options->dry_run)
		retention_log_run(&counts, run->policy, run->drop->event);
	for (rule = 0; rule < POP3_RETENTION_RULE_COUNT; rule++) {
		run->counts->messages[rule] += counts.messages[rule];
		run->counts->bytes[rule] += counts.bytes[rule];
	}
}

/* What a rule takes but was not removed is to be looked at again as messages
   are that are exempt: it has become exempt meanwhile, or cannot be expunged.
   In this last case there may be too many messages until then, so none of them
   is a reason to look earlier. */
static void
keep_others(struct retention_run *run, const ARRAY_TYPE(seq_range) *removed,
	    bool all)
{
	struct pop3_retention_message *message;

	array_foreach_modifiable(&run->messages, message) {
		if (seq_range_exists(removed, message->uid) ||
		    (message->rule == POP3_RETENTION_NONE && !all))
			continue;
		message->rule = POP3_RETENTION_NONE;
		message->exempt = TRUE;
	}
}

/* What was only reported is there as before. Returns whether there is such. */
static bool keep_reported(struct retention_run *run)
{
	struct pop3_retention_message *message;
	bool found = FALSE;

	array_foreach_modifiable(&run->messages, message) {
		if (message->rule != POP3_RETENTION_NONE)
			found = TRUE;
		message->rule = POP3_RETENTION_NONE;
	}
	return found;
}

static int judge(struct retention_run *run, const char **error_r)
{
	return retention_judge(run->drop, run->store, &run->epoch, run->policy,
			       run->now, &run->messages, error_r);
}

/* What the journal has lost counts from now on. Returns as
   retention_judge(). */
static int judge_mended(struct retention_run *run, const char **error_r)
{
	int ret;

	ret = maildrop_mend_journal(run->drop, run->store, &run->epoch, FALSE,
				    error_r);
	if (ret > 0) {
		ret = retention_read_epoch(run->drop, run->store, run->pool,
					   &run->epoch, error_r);
	}
	array_clear(&run->messages);
	return ret <= 0 ? -1 : judge(run, error_r);
}

static int
finish_look(struct retention_run *run, const ARRAY_TYPE(seq_range) *removed,
	    bool stuck, const char **error_r)
{
	struct pop3_retention_bounds bounds;
	bool reported = FALSE;

	if (run->options->dry_run)
		return 0;
	if (run->policy->report_only)
		reported = keep_reported(run);
	else
		keep_others(run, removed, stuck);
	pop3_retention_bounds_update(&bounds, &run->policy->rules,
				     &run->messages, run->now);
	if (reported)
		pop3_retention_bounds_add_report(&bounds, run->now);
	return retention_write_bounds(run->store, &run->epoch, &bounds,
				      error_r);
}

static int remove_taken(struct retention_run *run, const char **error_r)
{
	enum retention_remove_result result = RETENTION_REMOVE_DONE;
	ARRAY_TYPE(seq_range) taken, undownloaded, removed;
	const char *error;
	int ret = -1;

	i_array_init(&taken, 32);
	i_array_init(&undownloaded, 32);
	i_array_init(&removed, 32);
	find_taken(run, &taken, &undownloaded);
	if (removes(run) && array_count(&taken) > 0) {
		result = retention_remove(run->drop, run->policy, &taken,
					  &undownloaded, &removed, error_r);
	}
	count_removed(run, &removed);
	switch (result) {
	case RETENTION_REMOVE_DONE:
		ret = finish_look(run, &removed, FALSE, error_r);
		break;
	case RETENTION_REMOVE_FAILED:
		break;
	case RETENTION_REMOVE_STUCK:
		/* not in each session from now on */
		if (finish_look(run, &removed, TRUE, &error) < 0)
			e_error(run->drop->event, "%s", error);
		break;
	}
	array_free(&removed);
	array_free(&undownloaded);
	array_free(&taken);
	return ret;
}

static int look(struct retention_run *run, const char **error_r)
{
	int ret;

	i_array_init(&run->messages, run->drop->messages + 1);
	ret = judge(run, error_r);
	if (ret == 0 && !run->options->dry_run)
		ret = judge_mended(run, error_r);
	/* still lost */
	ret = ret > 0 ? 0 : -1;
	if (ret == 0)
		ret = remove_taken(run, error_r);
	run->looked = TRUE;
	array_free(&run->messages);
	return ret;
}

static enum retention_result
note_jump(struct retention_run *run, const char **error_r)
{
	struct pop3_retention_bounds bounds = run->epoch.retention;

	if (bounds.clock_jumped == 0 || bounds.clock_jumped > run->now) {
		bounds.clock_jumped = run->now;
		if (retention_write_bounds(run->store, &run->epoch, &bounds,
					   error_r) < 0)
			return RETENTION_FAILED;
	}
	*error_r = t_strdup_printf("the last look at this user's mail was %u "
		"days ago by the clock: if the clock is right, confirm it by "
		"doveadm pop3 retention run --force, or wait a week",
		(unsigned int)((run->now - bounds.checked) / (24 * 3600)));
	return RETENTION_CLOCK_JUMPED;
}

bool retention_is_pop3_user(const struct policy_epoch *epoch)
{
	/* the first look comes at the end of a session */
	return epoch->retention.checked != 0 ||
		array_count(&epoch->downloaded) > 0;
}

static enum retention_result
run_locked(struct retention_run *run, const char **error_r)
{
	int ret;

	/* somebody else may have been here */
	ret = retention_read_epoch(run->drop, run->store, run->pool,
				   &run->epoch, error_r);
	if (ret <= 0)
		return ret < 0 ? RETENTION_FAILED : RETENTION_LATER;
	if (!run->options->after_session &&
	    !retention_is_pop3_user(&run->epoch))
		return RETENTION_DONE;
	if (!run->options->force && !run->options->dry_run) {
		switch (retention_policy_is_due(run->policy,
						&run->epoch.retention,
						run->drop->messages,
						run->options->bytes,
						run->now)) {
		case POP3_RETENTION_NOT_DUE:
			return RETENTION_DONE;
		case POP3_RETENTION_CLOCK_JUMPED:
			return note_jump(run, error_r);
		case POP3_RETENTION_DUE:
			break;
		}
	}
	return look(run, error_r) < 0 ? RETENTION_FAILED : RETENTION_DONE;
}

/* Returns FALSE if autoexpunge is under way. *lock_r is NULL if there can be
   no such lock: autoexpunge does without it then, too. */
static bool
try_lock_autoexpunge(const struct retention_run *run, struct file_lock **lock_r)
{
	const char *error;
	int ret;

	*lock_r = NULL;
	ret = mail_user_lock_file_create(run->drop->box->storage->user,
					 AUTOEXPUNGE_LOCK_NAME, 0, lock_r,
					 &error);
	if (ret < 0) {
		e_debug(run->drop->event, "retention runs without "
			AUTOEXPUNGE_LOCK_NAME": %s", error);
		*lock_r = NULL;
	}
	return ret != 0;
}

static enum retention_result
run_with_locks(struct retention_run *run, const char **error_r)
{
	struct file_lock *autoexpunge_lock;
	struct policy_run_lock *lock;
	enum retention_result result;
	int ret;

	ret = policy_run_try_lock(run->store, &lock, error_r);
	if (ret == 0)
		*error_r = "another run is under way";
	if (ret <= 0)
		return ret < 0 ? RETENTION_FAILED : RETENTION_LATER;
	if (try_lock_autoexpunge(run, &autoexpunge_lock)) {
		result = run_locked(run, error_r);
		file_lock_free(&autoexpunge_lock);
	} else {
		*error_r = "Dovecot's autoexpunge is under way";
		result = RETENTION_LATER;
	}
	policy_run_unlock(&lock);
	return result;
}

/* Whether time takes more already. The lock is free again: who has not got it
   meanwhile has written down before what was downloaded. */
static bool has_more(struct retention_run *run)
{
	const struct policy_epoch *epoch;
	struct policy_state *state;
	const char *error;
	bool more;

	if (!run->looked || !removes(run) || run->options->force ||
	    policy_store_read(run->store, &state, &error) != POLICY_STORE_OK)
		return FALSE;
	epoch = policy_state_epoch(state);
	run->now = time(NULL);
	more = epoch != NULL && epoch->number == run->epoch.number &&
		retention_policy_is_due(run->policy, &epoch->retention,
					UINT64_MAX, UINT64_MAX, run->now) ==
		POP3_RETENTION_DUE;
	policy_state_deinit(&state);
	return more;
}

enum retention_result
maildrop_retention_run(struct maildrop *drop, struct policy_store *store,
		       const struct retention_policy *policy,
		       const struct retention_run_options *options,
		       struct retention_counts *counts, const char **error_r)
{
	struct retention_run run = {
		.drop = drop, .store = store, .policy = policy,
		.options = options, .counts = counts, .now = time(NULL),
	};
	enum retention_result result;

	run.pool = pool_alloconly_create("retention run", 4096);
	/* who only looks leaves nothing behind, and is in nobody's way */
	result = options->dry_run ? run_locked(&run, error_r) :
		run_with_locks(&run, error_r);
	if (result == RETENTION_DONE && has_more(&run))
		result = RETENTION_AGAIN;
	pool_unref(&run.pool);
	return result;
}
