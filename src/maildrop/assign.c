/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "mail-storage.h"
#include "epoch.h"
#include "journal.h"
#include "maildrop.h"
#include "compact.h"
#include "describe.h"
#include "epoch-check.h"
#include "mend.h"
#include "new-epoch.h"
#include "stored-uidls.h"
#include "uid-set.h"
#include "assign.h"

#include <time.h>

struct assign {
	pool_t pool;
	struct maildrop *drop;
	struct policy_store *store;
	struct stored_uidls *stored;
	/* NULL if there was none */
	const struct policy_epoch *old;
	const ARRAY_TYPE(uidl_assignment) *assignments;

	/* records of the messages that are assigned a UIDL */
	ARRAY_TYPE(pop3_message) news;
	/* of these, the ones whose UIDL is not Dovecot's own */
	ARRAY_TYPE(seq_range) stored_uids;
	struct policy_epoch epoch;
};

static int
assign_message(struct assign *assign, struct mail *mail,
	       const struct uidl_assignment *assignment, const char **error_r)
{
	struct pop3_message message;
	const char *own_uidl;
	int ret;

	if (!maildrop_set_uid(mail, assignment->uid))
		return 0;
	ret = maildrop_describe(assign->drop, assign->stored, mail,
				assign->pool, &message, error_r);
	if (ret <= 0)
		return ret;
	if (maildrop_own_uidl(assign->drop, mail, &own_uidl) < 0) {
		*error_r = maildrop_mail_error(mail);
		return mail->expunged ? 0 : -1;
	}
	message.uidl = p_strdup(assign->pool, assignment->uidl);
	message.downloaded = assignment->downloaded;
	array_push_back(&assign->news, &message);
	if (strcmp(own_uidl, message.uidl) != 0)
		seq_range_array_add(&assign->stored_uids, message.uid);
	return 0;
}

/* Read the messages before the lock is taken. */
static int assign_messages(struct assign *assign, const char **error_r)
{
	const struct uidl_assignment *assignment;
	struct mailbox_transaction_context *trans;
	struct mail *mail;
	int ret = 0;

	trans = mailbox_transaction_begin(assign->drop->box, 0, __func__);
	mail = mail_alloc(trans, 0, NULL);
	array_foreach(assign->assignments, assignment) {
		T_BEGIN {
			ret = assign_message(assign, mail, assignment, error_r);
		} T_END_PASS_STR_IF(ret < 0, error_r);
		if (ret < 0)
			break;
	}
	mail_free(&mail);
	(void)mailbox_transaction_commit(&trans);
	return ret;
}

static void set_sets(struct assign *assign)
{
	const struct policy_epoch *old = assign->old;
	struct policy_epoch *epoch = &assign->epoch;
	const struct pop3_message *message;

	if (old != NULL) {
		array_append_array(&epoch->recorded, &old->recorded);
		array_append_array(&epoch->downloaded, &old->downloaded);
		array_append_array(&epoch->stored, &old->stored);
		policy_epoch_copy_devices(assign->pool, old, epoch);
		epoch->journal_lost = old->journal_lost;
	}
	array_foreach(&assign->news, message) {
		seq_range_array_add(&epoch->recorded, message->uid);
		if (message->downloaded != 0)
			seq_range_array_add(&epoch->downloaded, message->uid);
		(void)seq_range_array_remove(&epoch->stored, message->uid);
	}
	seq_range_array_merge(&epoch->stored, &assign->stored_uids);
	epoch->imported = TRUE;
	epoch_tidy_sets(assign->drop, epoch);
}

/* Put the new records into the old journal. */
static int
write_journal(struct assign *assign, const char **error_r)
{
	struct policy_epoch *epoch = &assign->epoch;
	struct policy_journal *journal = NULL;
	ARRAY_TYPE(pop3_message) known, messages;
	enum policy_store_result result;
	int ret = 0;

	if (epoch->journal_generation != 0) {
		ret = policy_journal_read(assign->store,
					  epoch->journal_generation,
					  &journal, error_r);
	}
	if (ret < 0)
		return -1;
	i_array_init(&known, 1);
	i_array_init(&messages, 128);
	maildrop_journal_compact(assign->drop, assign->pool,
				 journal == NULL ? &known : &journal->messages,
				 &assign->news, time(NULL), epoch, &messages);
	epoch->journal_generation =
		policy_journal_next_generation(epoch->journal_generation);
	result = policy_journal_replace(assign->store, epoch->number,
		epoch->journal_generation, &messages, error_r);
	array_free(&messages);
	array_free(&known);
	policy_journal_free(&journal);
	return result == POLICY_STORE_OK ? 0 : -1;
}

static int
assign_locked(struct assign *assign, struct policy_state *state,
	      const char **error_r)
{
	maildrop_new_epoch(assign->drop, assign->old, 0, assign->pool,
			   &assign->epoch);
	set_sets(assign);
	if (write_journal(assign, error_r) < 0 ||
	    epoch_choose_anchors(assign->drop, assign->stored, assign->pool,
				 &assign->epoch, error_r) < 0) {
		policy_store_rollback(assign->store);
		return -1;
	}
	epoch_set_anchor_uidls(&assign->epoch, &assign->news);
	policy_state_set_epoch(state, &assign->epoch);
	return policy_store_commit(assign->store, state, error_r) ==
		POLICY_STORE_OK ? 0 : -1;
}

static enum recovery_result
assign_write(struct assign *assign, const char **error_r)
{
	struct policy_state *state = NULL;
	enum recovery_result result;

	if (policy_store_begin(assign->store, &state, error_r) !=
	    POLICY_STORE_OK) {
		result = RECOVERY_FAILED;
	} else if (!epoch_is_unchanged(assign->old,
				       policy_state_epoch(state))) {
		policy_store_rollback(assign->store);
		result = RECOVERY_RETRY;
	} else {
		result = assign_locked(assign, state, error_r) < 0 ?
			RECOVERY_FAILED : RECOVERY_DONE;
	}
	policy_state_deinit(&state);
	return result;
}

enum recovery_result
maildrop_assign(struct maildrop *drop, struct policy_store *store,
		const struct policy_epoch *epoch, struct stored_uidls *stored,
		const ARRAY_TYPE(uidl_assignment) *assignments,
		const char **error_r)
{
	struct assign assign = {
		.drop = drop, .store = store, .stored = stored, .old = epoch,
		.assignments = assignments,
	};
	enum recovery_result result = RECOVERY_FAILED;

	assign.pool = pool_alloconly_create("pop3_policy assign", 16 * 1024);
	p_array_init(&assign.news, assign.pool, array_count(assignments) + 1);
	p_array_init(&assign.stored_uids, assign.pool, 8);
	/* the cache, which may be all that has the UIDL of a message whose line
	   is lost, is not believed any more in another epoch */
	if ((epoch == NULL ||
	     maildrop_mend_journal(drop, store, epoch, FALSE, error_r) >= 0) &&
	    assign_messages(&assign, error_r) == 0)
		result = assign_write(&assign, error_r);
	pool_unref(&assign.pool);
	return result;
}
