/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "seq-range-array.h"
#include "epoch.h"
#include "journal.h"
#include "mend.h"
#include "store.h"
#include "maildrop-cmd.h"
#include "check.h"

static void trim_sets(struct policy_epoch *epoch)
{
	ARRAY_TYPE(seq_range) future;
	struct policy_device *device;

	t_array_init(&future, 1);
	seq_range_array_add_range(&future, epoch->uidnext, (uint32_t)-1);
	seq_range_array_remove_seq_range(&epoch->recorded, &future);
	seq_range_array_remove_seq_range(&epoch->downloaded, &future);
	seq_range_array_remove_seq_range(&epoch->stored, &future);
	array_foreach_modifiable(&epoch->devices, device) {
		seq_range_array_remove_seq_range(&device->downloaded,
						 &future);
	}
}

/* To append nothing puts a journal in its place that was committed. Returns 0,
   or -1 and an error. */
static int install_journal(struct policy_store *store,
			   const struct policy_epoch *epoch,
			   const char **error_r)
{
	ARRAY_TYPE(pop3_message) none;
	int ret;

	ret = policy_journal_exists(store, epoch->journal_generation, error_r);
	if (ret <= 0 || epoch->journal_generation == 0)
		return ret < 0 ? -1 : 0;
	t_array_init(&none, 1);
	return policy_journal_append(store, epoch->journal_generation, &none,
				     error_r) == POLICY_STORE_OK ? 0 : -1;
}

static int trim_locked(struct maildrop_cmd *cmd, struct policy_state *state,
		       const char **error_r)
{
	struct policy_epoch epoch;
	pool_t pool;
	int ret;

	if (policy_state_epoch(state) == NULL)
		return 0;
	pool = pool_alloconly_create("pop3_policy trim", 2048);
	policy_epoch_copy(pool, policy_state_epoch(state), &epoch);
	trim_sets(&epoch);
	policy_state_set_epoch(state, &epoch);
	ret = install_journal(cmd->store, &epoch, error_r);
	pool_unref(&pool);
	return ret;
}

/* Write the state again, with what it says by now. */
static int trim(struct maildrop_cmd *cmd, const char **error_r)
{
	struct policy_state *state = NULL;
	enum policy_store_result result;

	result = policy_store_begin(cmd->store, &state, error_r);
	if (result == POLICY_STORE_OK) {
		if (trim_locked(cmd, state, error_r) < 0) {
			policy_store_rollback(cmd->store);
			result = POLICY_STORE_UNUSABLE;
		} else {
			result = policy_store_commit(cmd->store, state,
						     error_r);
		}
	}
	policy_state_deinit(&state);
	return result == POLICY_STORE_OK ? 0 : -1;
}

static int recover(struct maildrop_cmd *cmd, const char **error_r)
{
	/* settings of the pop3 process may decide what messages are called */
	if (maildrop_cmd_check_names(cmd, error_r) < 0)
		return -1;
	return maildrop_cmd_prepare(cmd, error_r);
}

static int keep_journal(struct maildrop_cmd *cmd, const char **error_r)
{
	struct policy_state *state = NULL;
	const char *name;
	int ret = -1;

	if (policy_store_begin(cmd->store, &state, error_r) ==
	    POLICY_STORE_OK) {
		ret = policy_journal_keep_copy(cmd->store, &name, error_r);
		policy_store_rollback(cmd->store);
	}
	policy_state_deinit(&state);
	if (ret > 0)
		e_info(cmd->event, "kept a copy of messages.jsonl: %s", name);
	return ret < 0 ? -1 : 0;
}

static int rewrite_journal(struct maildrop_cmd *cmd, const char **error_r)
{
	const char *reason;

	if (maildrop_cmd_check(cmd, &reason) != EPOCH_STEADY) {
		*error_r = "the state has changed, try again";
		return -1;
	}
	if (keep_journal(cmd, error_r) < 0)
		return -1;
	if (maildrop_mend_journal(&cmd->drop, cmd->store, cmd->epoch, TRUE,
				  error_r) < 0)
		return -1;
	return 0;
}

int check_repair(const struct check *check, struct maildrop_cmd *cmd,
		 const char **error_r)
{
	/* that was done when the state was read */
	if (check_has(check, CHECK_SET_ASIDE))
		return 0;
	if (check_has(check, CHECK_TRIM))
		return trim(cmd, error_r);
	if (check_has(check, CHECK_RECOVER))
		return recover(cmd, error_r);
	if (check_has(check, CHECK_REWRITE))
		return rewrite_journal(cmd, error_r);
	return trim(cmd, error_r);
}
