/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "guid.h"
#include "str.h"
#include "mail-storage.h"
#include "uidl.h"
#include "epoch.h"
#include "journal.h"
#include "maildrop.h"
#include "describe.h"
#include "epoch-check.h"
#include "new-epoch.h"
#include "recount.h"
#include "stored-uidls.h"
#include "uid-set.h"
#include "duplicates.h"

/* A UIDL, and how often it was asked for. */
HASH_TABLE_DEFINE_TYPE(uidl_counts, const char *, void *);

struct duplicates {
	pool_t pool;
	struct maildrop *drop;
	/* NULL in the first session */
	const struct policy_epoch *epoch;
	/* of messages that the epoch knows; NULL in the first session */
	struct stored_uidls *stored;
	/* of messages whose UIDLs the journal has told */
	ARRAY_TYPE(seq_range) counted;
	HASH_TABLE_TYPE(uidl_counts) counts;
	/* the ones that get a name of their own */
	ARRAY_TYPE(pop3_message) renamed;
};

bool maildrop_duplicates_are_due(const struct maildrop *drop,
				 const struct policy_epoch *epoch)
{
	if (epoch == NULL) {
		return drop->uidls_may_repeat && drop->messages > 1 &&
			drop->rules.rename_duplicates;
	}
	return (drop->uidls_may_repeat || epoch->imported) &&
		maildrop_count(drop, epoch->uidnext, drop->uidnext) > 0;
}

static void add_uidl(struct duplicates *dups, const char *uidl)
{
	const char *key;

	if (hash_table_lookup(dups->counts, uidl) == NULL) {
		key = p_strdup(dups->pool, uidl);
		hash_table_insert(dups->counts, key, POINTER_CAST(1));
	}
}

/* Whether a line of a new message was appended, and the state not written then:
   its UIDL may never have been told, and nobody knows that it is a stored one.
   The message is settled as any other new one. */
static bool
is_unsettled(const struct duplicates *dups, const struct pop3_message *line)
{
	return !uid_is_counted(dups->epoch, &dups->epoch->recorded,
			       line->uid) &&
		maildrop_count(dups->drop, line->uid, line->uid + 1) > 0;
}

static int
add_journal(struct duplicates *dups, struct policy_store *store,
	    const char **error_r)
{
	struct policy_journal *journal;
	const struct pop3_message *message;
	int ret;

	if (dups->epoch == NULL || dups->epoch->journal_generation == 0)
		return 0;
	ret = policy_journal_read(store, dups->epoch->journal_generation,
				  &journal, error_r);
	if (ret <= 0)
		return ret;
	array_foreach(&journal->messages, message) {
		if (is_unsettled(dups, message))
			continue;
		add_uidl(dups, message->uidl);
		seq_range_array_add(&dups->counted, message->uid);
	}
	policy_journal_free(&journal);
	return 0;
}

/* The number that pop3_uidl_duplicates would append in the first session; later
   one that is free. */
static const char *rename_uidl(struct duplicates *dups, const char *uidl)
{
	const char *key, *renamed;
	void *value;
	unsigned int count;

	if (!hash_table_lookup_full(dups->counts, uidl, &key, &value))
		return uidl;
	count = POINTER_CAST_TO(value, unsigned int);
	do {
		renamed = t_strdup_printf("%s-%u", uidl, ++count);
	} while (dups->epoch != NULL &&
		 hash_table_lookup(dups->counts, renamed) != NULL);
	hash_table_update(dups->counts, key, POINTER_CAST(count));
	return renamed;
}

static const char *unique_uidl(struct duplicates *dups, const char *own_uidl)
{
	const char *uidl = own_uidl, *renamed, *error;
	guid_128_t guid;

	while ((renamed = rename_uidl(dups, uidl)) != uidl)
		uidl = renamed;
	if (dups->epoch != NULL && !pop3_uidl_is_valid(uidl, &error)) {
		guid_128_generate(guid);
		uidl = guid_128_to_string(guid);
	}
	return uidl;
}

/* One that the journal does not know yet, or has lost. */
static int
count_known(struct duplicates *dups, struct mail *mail, const char **error_r)
{
	const char *uidl;

	if (stored_uidls_get_told(dups->stored, mail, &uidl, error_r) < 0)
		return mail->expunged ? 0 : -1;
	add_uidl(dups, uidl);
	return 0;
}

static int
settle_new(struct duplicates *dups, struct mail *mail, const char **error_r)
{
	struct pop3_message message;
	const char *own_uidl, *uidl;
	int ret;

	if (maildrop_own_uidl(dups->drop, mail, &own_uidl) < 0) {
		*error_r = maildrop_mail_error(mail);
		return mail->expunged ? 0 : -1;
	}
	uidl = unique_uidl(dups, own_uidl);
	add_uidl(dups, uidl);
	if (strcmp(uidl, own_uidl) == 0)
		return 0;
	ret = maildrop_describe(dups->drop, NULL, mail, dups->pool, &message,
				error_r);
	if (ret > 0) {
		message.uidl = p_strdup(dups->pool, uidl);
		array_push_back(&dups->renamed, &message);
	}
	return ret < 0 ? -1 : 0;
}

static int
settle_message(struct duplicates *dups, struct mail *mail, const char **error_r)
{
	if (dups->epoch != NULL && mail->uid < dups->epoch->uidnext)
		return count_known(dups, mail, error_r);
	return settle_new(dups, mail, error_r);
}

static int find_duplicates(struct duplicates *dups, const char **error_r)
{
	struct mailbox_transaction_context *trans;
	struct mail *mail;
	uint32_t seq;
	int ret = 0;

	trans = mailbox_transaction_begin(dups->drop->box, 0, __func__);
	mail = mail_alloc(trans, 0, NULL);
	for (seq = 1; seq <= dups->drop->messages && ret == 0; seq++) {
		mail_set_seq(mail, seq);
		if (seq_range_exists(&dups->counted, mail->uid))
			continue;
		T_BEGIN {
			ret = settle_message(dups, mail, error_r);
		} T_END_PASS_STR_IF(ret < 0, error_r);
	}
	mail_free(&mail);
	(void)mailbox_transaction_commit(&trans);
	return ret;
}

static void
add_renamed(struct duplicates *dups, struct policy_epoch *epoch)
{
	const struct pop3_message *message;

	array_foreach(&dups->renamed, message) {
		seq_range_array_add(&epoch->recorded, message->uid);
		seq_range_array_add(&epoch->stored, message->uid);
	}
	epoch_tidy_sets(dups->drop, epoch);
	epoch->journal_lines += array_count(&dups->renamed);
}

static enum policy_store_result
write_renamed(struct duplicates *dups, struct policy_store *store,
	      struct policy_state *state, const char **error_r)
{
	enum policy_store_result result;
	struct policy_epoch epoch;
	int ret;

	if (dups->epoch != NULL) {
		policy_epoch_copy(dups->pool, dups->epoch, &epoch);
	} else {
		maildrop_new_epoch(dups->drop, NULL, 0, dups->pool, &epoch);
		if (epoch_choose_anchors(dups->drop, NULL, dups->pool, &epoch,
					 error_r) < 0)
			return POLICY_STORE_UNUSABLE;
		epoch_set_anchor_uidls(&epoch, &dups->renamed);
	}
	ret = journal_recount_if_torn(store, dups->pool, &epoch, error_r);
	if (ret < 0)
		return POLICY_STORE_UNUSABLE;
	add_renamed(dups, &epoch);
	if (ret > 0) {
		result = policy_journal_append(store, epoch.journal_generation,
					       &dups->renamed, error_r);
	} else {
		epoch.journal_generation = policy_journal_next_generation(
			epoch.journal_generation);
		result = policy_journal_replace(store, epoch.number,
			epoch.journal_generation, &dups->renamed, error_r);
	}
	if (result == POLICY_STORE_OK)
		policy_state_set_epoch(state, &epoch);
	return result;
}

static enum recovery_result
save_renamed(struct duplicates *dups, struct policy_store *store,
	     struct policy_state **state_r, const char **error_r)
{
	struct policy_state *state = NULL;
	enum policy_store_result store_result;
	enum recovery_result result = RECOVERY_FAILED;

	store_result = policy_store_begin(store, &state, error_r);
	if (store_result == POLICY_STORE_OK &&
	    !epoch_is_unchanged(dups->epoch, policy_state_epoch(state))) {
		policy_store_rollback(store);
		result = RECOVERY_RETRY;
	} else if (store_result == POLICY_STORE_OK) {
		store_result = write_renamed(dups, store, state, error_r);
		if (store_result != POLICY_STORE_OK)
			policy_store_rollback(store);
		else
			store_result = policy_store_commit(store, state,
							   error_r);
		if (store_result == POLICY_STORE_OK)
			result = RECOVERY_DONE;
	}
	if (result == RECOVERY_DONE)
		*state_r = state;
	else
		policy_state_deinit(&state);
	return result;
}

enum recovery_result
maildrop_settle_duplicates(struct maildrop *drop, struct policy_store *store,
			   const struct policy_epoch *epoch,
			   struct stored_uidls *stored,
			   struct policy_state **state_r, const char **error_r)
{
	struct duplicates dups = {
		.drop = drop, .epoch = epoch, .stored = stored
	};
	enum recovery_result result = RECOVERY_FAILED;

	dups.pool = pool_alloconly_create("pop3_policy duplicates", 4096);
	p_array_init(&dups.renamed, dups.pool, 8);
	p_array_init(&dups.counted, dups.pool, 8);
	hash_table_create(&dups.counts, default_pool, 0, str_hash, strcmp);
	if (add_journal(&dups, store, error_r) == 0 &&
	    find_duplicates(&dups, error_r) == 0) {
		if (array_count(&dups.renamed) > 0) {
			result = save_renamed(&dups, store, state_r, error_r);
		} else {
			*state_r = NULL;
			result = RECOVERY_DONE;
		}
	}
	hash_table_destroy(&dups.counts);
	pool_unref(&dups.pool);
	return result;
}
