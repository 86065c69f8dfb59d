/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "mail-storage.h"
#include "uidl.h"
#include "epoch.h"
#include "journal.h"
#include "maildrop.h"
#include "compact.h"
#include "describe.h"
#include "journal-lost.h"
#include "recount.h"
#include "stored-uidls.h"
#include "uid-set.h"
#include "mend.h"

#include <time.h>

HASH_TABLE_DEFINE_TYPE(journal_lines, void *, const struct pop3_message *);

struct mend {
	pool_t pool;
	struct maildrop *drop;
	struct policy_store *store;
	struct stored_uidls *stored;
	bool always;

	/* of messages whose lines were lost when they were looked at */
	ARRAY_TYPE(pop3_message) described;
	/* what is written */
	struct policy_epoch epoch;
	ARRAY_TYPE(pop3_message) lines;
};

/* Without a journal it is as if all lines were lost; *journal_r is NULL
   then. */
static int
read_journal(struct mend *mend, const struct policy_epoch *epoch,
	     struct policy_journal **journal_r, const char **error_r)
{
	*journal_r = NULL;
	if (epoch->journal_generation == 0)
		return 0;
	return policy_journal_read(mend->store, epoch->journal_generation,
				   journal_r, error_r) < 0 ? -1 : 0;
}

static void
index_lines(const struct policy_journal *journal,
	    HASH_TABLE_TYPE(journal_lines) *lines_r)
{
	const struct pop3_message *line;

	hash_table_create_direct(lines_r, default_pool, 0);
	if (journal == NULL)
		return;
	array_foreach(&journal->messages, line) {
		if (line->uid != 0) {
			hash_table_update(*lines_r, POINTER_CAST(line->uid),
					  line);
		}
	}
}

static int
describe_message(struct mend *mend, struct mail *mail,
		 const struct policy_epoch *epoch,
		 const struct policy_journal *journal,
		 HASH_TABLE_TYPE(journal_lines) lines, const char **error_r)
{
	const struct pop3_message *line;
	struct pop3_message message;
	int ret;

	line = hash_table_lookup(lines, POINTER_CAST(mail->uid));
	ret = journal_line_is_lost(mend->drop, mail, epoch, journal, line,
				   error_r);
	if (ret > 0) {
		ret = maildrop_describe(mend->drop, mend->stored, mail,
					mend->pool, &message, error_r);
	}
	if (ret > 0)
		array_push_back(&mend->described, &message);
	return ret < 0 && !mail->expunged ? -1 : 0;
}

static int
describe_messages(struct mend *mend, const struct policy_epoch *epoch,
		  const struct policy_journal *journal, const char **error_r)
{
	HASH_TABLE_TYPE(journal_lines) lines;
	struct mailbox_transaction_context *trans;
	struct mail *mail;
	uint32_t seq;
	int ret = 0;

	index_lines(journal, &lines);
	trans = mailbox_transaction_begin(mend->drop->box, 0, __func__);
	mail = mail_alloc(trans, 0, NULL);
	for (seq = 1; seq <= mend->drop->messages && ret == 0; seq++) T_BEGIN {
		mail_set_seq(mail, seq);
		ret = describe_message(mend, mail, epoch, journal, lines,
				       error_r);
	} T_END_PASS_STR_IF(ret < 0, error_r);
	mail_free(&mail);
	/* what had to be read goes into the cache */
	(void)mailbox_transaction_commit(&trans);
	hash_table_destroy(&lines);
	return ret;
}

/* Read the messages before the lock is taken. */
static int
look(struct mend *mend, const struct policy_epoch *epoch, const char **error_r)
{
	struct policy_journal *journal;
	int ret;

	if (read_journal(mend, epoch, &journal, error_r) < 0)
		return -1;
	mend->stored = stored_uidls_init(mend->drop, mend->store, epoch);
	ret = describe_messages(mend, epoch, journal, error_r);
	stored_uidls_deinit(&mend->stored);
	policy_journal_free(&journal);
	return ret;
}

/* Of the messages that were described, those whose lines are still lost. */
static void
choose_lines(struct mend *mend, const struct policy_journal *journal)
{
	HASH_TABLE_TYPE(journal_lines) lines;
	const struct pop3_message *known;
	struct pop3_message *message;
	const char *error;

	index_lines(journal, &lines);
	array_foreach_modifiable(&mend->described, message) {
		known = hash_table_lookup(lines, POINTER_CAST(message->uid));
		if (!pop3_uidl_is_valid(message->uidl, &error) ||
		    (known != NULL &&
		     !journal_line_lacks_downloads(&mend->epoch, message->uid,
						   known)))
			continue;
		journal_line_restore(mend->pool, &mend->epoch, message);
		seq_range_array_add(&mend->epoch.recorded, message->uid);
		array_push_back(&mend->lines, message);
	}
	hash_table_destroy(&lines);
}

static enum policy_store_result
write_journal(struct mend *mend, const struct policy_journal *journal,
	      const char **error_r)
{
	struct policy_epoch *epoch = &mend->epoch;
	ARRAY_TYPE(pop3_message) none, messages;
	enum policy_store_result result;

	i_array_init(&none, 1);
	i_array_init(&messages, 128);
	maildrop_journal_compact(mend->drop, mend->pool,
				 journal == NULL ? &none : &journal->messages,
				 &mend->lines, time(NULL), epoch, &messages);
	epoch->journal_generation =
		policy_journal_next_generation(epoch->journal_generation);
	result = policy_journal_replace(mend->store, epoch->number,
		epoch->journal_generation, &messages, error_r);
	array_free(&messages);
	array_free(&none);
	return result;
}

static int
write_state(struct mend *mend, const struct policy_journal *journal,
	    struct policy_state *state, const char **error_r)
{
	unsigned int unreadable = journal == NULL ? 0 : journal->damaged;

	if (write_journal(mend, journal, error_r) != POLICY_STORE_OK) {
		policy_store_rollback(mend->store);
		return -1;
	}
	epoch_tidy_sets(mend->drop, &mend->epoch);
	policy_state_set_epoch(state, &mend->epoch);
	if (policy_store_commit(mend->store, state, error_r) != POLICY_STORE_OK)
		return -1;
	e_warning(mend->drop->event, "messages.jsonl had lost the lines of %u "
		  "messages (%u lines could not be read), and was written "
		  "anew: these messages, if they were downloaded, count as "
		  "downloaded now", array_count(&mend->lines), unreadable);
	return 1;
}

static int
mend_locked(struct mend *mend, struct policy_state *state, const char **error_r)
{
	struct policy_journal *journal;
	int ret;

	policy_epoch_copy(mend->pool, policy_state_epoch(state), &mend->epoch);
	if (read_journal(mend, &mend->epoch, &journal, error_r) < 0) {
		policy_store_rollback(mend->store);
		return -1;
	}
	if (!journal_has_lost_lines(&mend->epoch, journal))
		journal_recount_whole(&mend->epoch, journal);
	choose_lines(mend, journal);
	if (!mend->always && array_count(&mend->lines) == 0 &&
	    (journal == NULL ? mend->epoch.journal_generation == 0 :
	     journal->damaged == 0)) {
		/* somebody else was faster */
		policy_store_rollback(mend->store);
		ret = 1;
	} else {
		ret = write_state(mend, journal, state, error_r);
	}
	policy_journal_free(&journal);
	return ret;
}

static int
mend_write(struct mend *mend, uint32_t epoch_number, const char **error_r)
{
	const struct policy_epoch *current;
	struct policy_state *state = NULL;
	int ret = -1;

	if (policy_store_begin(mend->store, &state, error_r) ==
	    POLICY_STORE_OK) {
		current = policy_state_epoch(state);
		if (current != NULL && current->number == epoch_number) {
			ret = mend_locked(mend, state, error_r);
		} else {
			policy_store_rollback(mend->store);
			ret = 0;
		}
	}
	policy_state_deinit(&state);
	return ret;
}

int maildrop_mend_journal(struct maildrop *drop, struct policy_store *store,
			  const struct policy_epoch *epoch, bool always,
			  const char **error_r)
{
	struct mend mend = {
		.drop = drop, .store = store, .always = always
	};
	int ret = -1;

	mend.pool = pool_alloconly_create("pop3_policy mend", 16 * 1024);
	p_array_init(&mend.described, mend.pool, 32);
	p_array_init(&mend.lines, mend.pool, 32);
	if (look(&mend, epoch, error_r) == 0)
		ret = mend_write(&mend, epoch->number, error_r);
	pool_unref(&mend.pool);
	return ret;
}
