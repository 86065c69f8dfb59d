/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "mail-storage-private.h"
#include "journal.h"
#include "policy-event.h"
#include "describe.h"
#include "epoch-check.h"
#include "journal-lost.h"
#include "look-again.h"
#include "maildrop.h"
#include "new-epoch.h"
#include "recovery-private.h"

/* Fewer may have been deleted by their user. */
#define ALARM_MIN_KNOWN 20

static bool has_uid(const struct recovery *recovery, uint32_t uid)
{
	const struct pop3_message *known;

	array_foreach(&recovery->known, known) {
		if (known->uid == uid)
			return TRUE;
	}
	return FALSE;
}

/* The last lines of a journal may be torn, but the newest messages are known by
   the state as well. When they were downloaded is not: they count as downloaded
   now. */
static void add_anchors(struct recovery *recovery)
{
	const struct policy_epoch *old = recovery->old;
	unsigned int i;

	for (i = 0; old != NULL && i < old->anchors_count; i++) {
		const struct policy_anchor *anchor = &old->anchors[i];
		struct pop3_message *message;

		if (*anchor->uidl == '\0' || has_uid(recovery, anchor->uid))
			continue;
		message = array_append_space(&recovery->known);
		message->uid = anchor->uid;
		message->guid = anchor->guid;
		message->hash = anchor->hash;
		message->uidl = anchor->uidl;
		(void)journal_line_add_downloads(recovery->pool, old, message);
	}
}

/* The first line of a journal may be damaged, and all others whole. Where no file
   has the generation that the state names, one that has none is that journal. */
static int
read_lines(struct policy_store *store, uint32_t generation,
	   struct policy_journal **journal_r, const char **error_r)
{
	struct policy_journal *journal;
	int ret;

	ret = policy_journal_read(store, generation, journal_r, error_r);
	if (ret != 0 || generation == 0)
		return ret;
	ret = policy_journal_read(store, 0, &journal, error_r);
	if (ret > 0 && journal->generation != 0) {
		policy_journal_free(&journal);
		ret = 0;
	}
	if (ret > 0)
		*journal_r = journal;
	return ret;
}

static void
take_journal(struct recovery *recovery, const struct policy_journal *journal)
{
	const struct policy_epoch *old = recovery->old;
	const struct pop3_message *message;

	array_foreach(&journal->messages, message) {
		pop3_message_copy(recovery->pool, message,
				  array_append_space(&recovery->known));
	}
	recovery->journal_has_lost = journal->damaged > 0 || (old != NULL &&
		(journal->lines < old->journal_lines || old->journal_lost));
	recovery->journal_epoch = journal->epoch;
	recovery->journal_generation = journal->generation != 0 ||
		old == NULL ? journal->generation : old->journal_generation;
	if (journal->epoch != 0 && old != NULL && journal->epoch != old->number)
		recovery->same_uids = FALSE;
}

static int
message_uid_cmp(const struct pop3_message *m1, const struct pop3_message *m2)
{
	return m1->uid < m2->uid ? -1 : m1->uid > m2->uid ? 1 : 0;
}

/* The journal has them as they were taken in. Copies of one message are matched
   in the order of their UIDs, and those that are gone come last. */
static void sort_known(struct recovery *recovery)
{
	ARRAY_TYPE(pop3_message) sorted;
	const struct pop3_message *known;

	p_array_init(&sorted, recovery->pool,
		     array_count(&recovery->known) + 1);
	array_foreach(&recovery->known, known) {
		if (known->uid != 0)
			array_push_back(&sorted, known);
	}
	array_sort(&sorted, message_uid_cmp);
	array_foreach(&recovery->known, known) {
		if (known->uid == 0)
			array_push_back(&sorted, known);
	}
	recovery->known = sorted;
}

static int
read_journal(struct recovery *recovery, struct policy_store *store,
	     const char **error_r)
{
	const struct policy_epoch *old = recovery->old;
	struct policy_journal *journal = NULL;
	uint32_t generation = old == NULL ? 0 : old->journal_generation;
	int ret = 0;

	p_array_init(&recovery->known, recovery->pool, 128);
	recovery->same_uids = old != NULL &&
		old->uidvalidity == recovery->drop->uidvalidity;
	if (old == NULL || generation != 0)
		ret = read_lines(store, generation, &journal, error_r);
	if (ret < 0)
		return -1;
	recovery->journal_has_lost = generation != 0;
	if (ret > 0) {
		take_journal(recovery, journal);
		policy_journal_free(&journal);
	}
	add_anchors(recovery);
	sort_known(recovery);
	return 0;
}

static bool has_downloads(const struct policy_epoch *epoch)
{
	return array_count(&epoch->downloaded) > 0 ||
		array_count(&epoch->devices) > 0;
}

static bool uids_may_be_others(const struct recovery *recovery)
{
	return recovery->other_mailbox || !recovery->same_uids ||
		maildrop_count(recovery->drop, I_MAX(recovery->proven_below, 1),
			       recovery->old->uidnext) > 0;
}

/* If the journal has lost lines, and UIDs are others now, nobody knows which
   messages were downloaded. None of them may go as one that never was, nor as
   one that was. */
static void note_unsure_downloads(struct recovery *recovery)
{
	const struct policy_epoch *old = recovery->old;
	struct policy_epoch *epoch = &recovery->epoch;

	if (old == NULL || !uids_may_be_others(recovery))
		return;
	if (recovery->journal_has_lost && has_downloads(old)) {
		epoch->unsure_until = journal_lost_download_time(old);
		epoch->unsure_below = epoch->uidnext;
	} else if (old->unsure_below != 0) {
		epoch->unsure_below = epoch->uidnext;
	}
}

static int
compute(struct recovery *recovery, struct policy_store *store,
	const char **error_r)
{
	struct mailbox_transaction_context *trans;
	struct policy_epoch *epoch = &recovery->epoch;
	int ret;

	if (read_journal(recovery, store, error_r) < 0)
		return -1;
	maildrop_new_epoch(recovery->drop, recovery->old,
			   recovery->journal_epoch, recovery->pool, epoch);
	epoch->journal_generation = policy_journal_next_generation(
		I_MAX(epoch->journal_generation, recovery->journal_generation));
	trans = mailbox_transaction_begin(recovery->drop->box, 0, __func__);
	recovery->mail = mail_alloc(trans, 0, NULL);
	ret = recovery_match(recovery, error_r);
	if (ret == 0)
		ret = recovery_assign_uidls(recovery, error_r);
	if (ret == 0)
		note_unsure_downloads(recovery);
	mail_free(&recovery->mail);
	/* what had to be read goes into the cache */
	(void)mailbox_transaction_commit(&trans);
	return ret;
}

/* How many messages were there when somebody last looked. */
static unsigned int count_known(const struct recovery *recovery)
{
	const struct policy_epoch *old = recovery->old;
	const struct pop3_message *known;
	unsigned int count = 0;

	array_foreach(&recovery->known, known) {
		if (known->uid != 0)
			count++;
	}
	if (old == NULL) {
		/* the journal alone does not know which were deleted */
		return I_MIN(count, array_count(&recovery->found));
	}
	if (recovery->journal_generation == 0)
		return old->live;
	/* the state still knows of the lines that are lost */
	if (recovery->journal_has_lost)
		count = I_MAX(count, seq_range_count(&old->recorded));
	return I_MIN(old->live, count);
}

/* UIDLs that are not Dovecot's own are lost with the journal. */
static bool uidls_are_lost(const struct recovery *recovery)
{
	return recovery->journal_generation == 0 && recovery->old != NULL &&
		array_count(&recovery->old->stored) > 0;
}

static bool
is_alarm(const struct recovery *recovery, unsigned int alarm_percent,
	 const char **error_r)
{
	const struct recovery_counts *counts = &recovery->counts;
	unsigned int known = count_known(recovery), lost;

	if ((!recovery->other_mailbox && !uidls_are_lost(recovery)) ||
	    known < ALARM_MIN_KNOWN)
		return FALSE;
	lost = known - I_MIN(known,
			     counts->kept_by_guid + counts->kept_by_hash);
	if ((uint64_t)lost * 100 <= (uint64_t)known * alarm_percent)
		return FALSE;
	*error_r = t_strdup_printf("%u of %u known messages were not found in "
		"the mailbox, more than pop3_policy_uidl_alarm = %u%%: nothing "
		"was changed. Put the mail (or messages.jsonl) back, or let the "
		"mailbox stand as it is by: doveadm pop3 uidl accept -u %s",
		lost, known, alarm_percent,
		recovery->drop->box->storage->user->username);
	return TRUE;
}

static enum policy_store_result
write_recovery(struct recovery *recovery, struct policy_store *store,
	       struct policy_state *state, const char **error_r)
{
	struct policy_epoch *epoch = &recovery->epoch;
	enum policy_store_result result;

	result = policy_journal_replace(store, epoch->number,
		epoch->journal_generation, &recovery->messages, error_r);
	if (result != POLICY_STORE_OK)
		return result;
	if (epoch_choose_anchors(recovery->drop, NULL, recovery->pool, epoch,
				 error_r) < 0)
		return POLICY_STORE_UNUSABLE;
	epoch_set_anchor_uidls(epoch, &recovery->messages);
	policy_state_set_epoch(state, epoch);
	return POLICY_STORE_OK;
}

static void warn_of_unsure_downloads(const struct recovery *recovery)
{
	const struct policy_epoch *epoch = &recovery->epoch;

	if (epoch->unsure_until == 0 || epoch->unsure_below == 0 ||
	    epoch->unsure_until == recovery->old->unsure_until)
		return;
	e_warning(recovery->drop->event, "messages.jsonl had lost lines: it is "
		  "not known which messages below UID %u were downloaded. "
		  "Retention lets them stay as long as it would if they were "
		  "downloaded now, and as it would if they never were",
		  epoch->unsure_below);
}

static void log_recovery(const struct recovery *recovery, const char *reason)
{
	const struct recovery_counts *counts = &recovery->counts;
	struct event_passthrough *e =
		policy_event(recovery->drop->event,
			     POLICY_EVENT_UIDL_RECOVERED)->
		add_int("kept", counts->kept_by_guid + counts->kept_by_hash)->
		add_int("new", counts->added)->
		add_int("ambiguous", counts->ambiguous)->
		add_int("gone", counts->gone);

	e_info(e->event(), "UIDLs recovered (%s): %u kept by GUID, "
	       "%u kept by fingerprint, %u new, %u ambiguous, %u gone", reason,
	       counts->kept_by_guid, counts->kept_by_hash, counts->added,
	       counts->ambiguous, counts->gone);
}

static enum recovery_result
recover_locked(struct recovery *recovery, struct policy_store *store,
	       struct policy_state *state, const char *reason,
	       unsigned int alarm_percent, const char **error_r)
{
	enum policy_store_result result;

	if (compute(recovery, store, error_r) < 0) {
		policy_store_rollback(store);
		return recovery->is_out_of_sync ? RECOVERY_RETRY :
			RECOVERY_FAILED;
	}
	if (is_alarm(recovery, alarm_percent, error_r)) {
		policy_store_rollback(store);
		return RECOVERY_ALARM;
	}
	result = write_recovery(recovery, store, state, error_r);
	if (result != POLICY_STORE_OK)
		policy_store_rollback(store);
	else
		result = policy_store_commit(store, state, error_r);
	if (result != POLICY_STORE_OK)
		return RECOVERY_FAILED;
	log_recovery(recovery, reason);
	warn_of_unsure_downloads(recovery);
	return RECOVERY_DONE;
}

enum recovery_result
maildrop_recover(struct maildrop *drop, struct policy_store *store,
		 const struct policy_epoch *epoch, const char *reason,
		 unsigned int alarm_percent, struct policy_state **state_r,
		 const char **error_r)
{
	struct recovery recovery = { .drop = drop, .old = epoch };
	struct policy_state *state = NULL;
	enum recovery_result result;
	int ret;

	ret = maildrop_look_again(drop, error_r);
	if (ret != 0)
		return ret < 0 ? RECOVERY_FAILED : RECOVERY_RETRY;
	if (policy_store_begin(store, &state, error_r) != POLICY_STORE_OK) {
		policy_state_deinit(&state);
		return RECOVERY_FAILED;
	}
	if (!epoch_is_unchanged(epoch, policy_state_epoch(state))) {
		policy_store_rollback(store);
		policy_state_deinit(&state);
		return RECOVERY_RETRY;
	}
	recovery.pool = pool_alloconly_create("pop3_policy recovery",
					      64 * 1024);
	result = recover_locked(&recovery, store, state, reason, alarm_percent,
				error_r);
	pool_unref(&recovery.pool);
	if (result == RECOVERY_DONE)
		*state_r = state;
	else
		policy_state_deinit(&state);
	return result;
}

int maildrop_recovery_preview(struct maildrop *drop, struct policy_store *store,
			      const struct policy_epoch *epoch, pool_t pool,
			      struct policy_epoch *epoch_r,
			      ARRAY_TYPE(pop3_message) *messages_r,
			      struct recovery_counts *counts_r,
			      const char **error_r)
{
	struct recovery recovery = {
		.pool = pool, .drop = drop, .old = epoch
	};

	if (compute(&recovery, store, error_r) < 0)
		return -1;
	*epoch_r = recovery.epoch;
	*messages_r = recovery.messages;
	*counts_r = recovery.counts;
	return 0;
}
