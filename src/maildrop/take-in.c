/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "uidl.h"
#include "epoch.h"
#include "journal.h"
#include "maildrop.h"
#include "compact.h"
#include "describe.h"
#include "epoch-check.h"
#include "new-epoch.h"
#include "uid-set.h"
#include "take-in.h"

#include <time.h>

struct take_in {
	pool_t pool;
	struct maildrop *drop;
	struct policy_store *store;
	struct stored_uidls *stored;
	const struct session_news *news;

	/* of messages that may have to be written, in the order of UIDs */
	ARRAY_TYPE(pop3_message) described;
	/* what is written */
	struct policy_epoch epoch;
	ARRAY_TYPE(pop3_message) lines;
	unsigned int added;
};

/* UIDs of downloaded messages that the journal does not know as such. */
static bool
is_first_download(const struct session_news *news,
		  const struct policy_epoch *epoch, uint32_t uid)
{
	return seq_range_exists(&news->downloaded, uid) &&
		(epoch == NULL || !seq_range_exists(&epoch->downloaded, uid));
}

static bool
has_first_downloads(const struct maildrop *drop,
		    const struct policy_epoch *epoch,
		    const struct session_news *news)
{
	ARRAY_TYPE(seq_range) uids;

	t_array_init(&uids, array_count(&news->downloaded) + 1);
	array_append_array(&uids, &news->downloaded);
	seq_range_array_remove_seq_range(&uids, &epoch->downloaded);
	return uid_set_count(drop, &uids, news->uidnext) > 0;
}

/* The next session should not have to look further. */
static bool
newest_anchor_is_gone(const struct maildrop *drop,
		      const struct policy_epoch *epoch)
{
	uint32_t uid;

	if (epoch->anchors_count == 0)
		return FALSE;
	uid = epoch->anchors[0].uid;
	return maildrop_count(drop, uid, uid + 1) == 0;
}

bool maildrop_take_in_is_due(const struct maildrop *drop,
			     const struct policy_epoch *epoch,
			     const struct session_news *news)
{
	if (epoch == NULL) {
		return news->shown ||
			maildrop_count(drop, 1, news->uidnext) > 0;
	}
	if ((news->uidnext > epoch->uidnext && news->shown) ||
	    newest_anchor_is_gone(drop, epoch))
		return TRUE;
	return maildrop_count(drop, 1, news->uidnext) >
		uid_set_count(drop, &epoch->recorded, news->uidnext) ||
		has_first_downloads(drop, epoch, news);
}

/* UIDs of messages that have no line, or no first download in it. */
static void
find_wanted(const struct session_news *news, const struct policy_epoch *epoch,
	    ARRAY_TYPE(seq_range) *wanted)
{
	ARRAY_TYPE(seq_range) first;

	if (news->uidnext > 1)
		seq_range_array_add_range(wanted, 1, news->uidnext - 1);
	if (epoch == NULL)
		return;
	seq_range_array_remove_seq_range(wanted, &epoch->recorded);
	t_array_init(&first, array_count(&news->downloaded) + 1);
	array_append_array(&first, &news->downloaded);
	seq_range_array_remove_seq_range(&first, &epoch->downloaded);
	seq_range_array_merge(wanted, &first);
}

static int
describe_message(struct take_in *take_in, struct mail *mail,
		 unsigned int *max_others, const char **error_r)
{
	struct pop3_message message;
	int ret;

	if (!seq_range_exists(&take_in->news->seen, mail->uid)) {
		if (*max_others == 0)
			return 0;
		--*max_others;
	}
	ret = maildrop_describe(take_in->drop, take_in->stored, mail,
				take_in->pool, &message, error_r);
	if (ret > 0)
		array_push_back(&take_in->described, &message);
	return ret < 0 ? -1 : 0;
}

/* Read what is to be written before the lock is taken. */
static int
describe_messages(struct take_in *take_in, const struct policy_epoch *epoch,
		  unsigned int max_others, const char **error_r)
{
	struct mailbox_transaction_context *trans;
	ARRAY_TYPE(seq_range) wanted;
	const struct seq_range *range;
	struct mail *mail;
	uint32_t seq1, seq2;
	int ret = 0;

	t_array_init(&wanted, 8);
	find_wanted(take_in->news, epoch, &wanted);
	trans = mailbox_transaction_begin(take_in->drop->box, 0, __func__);
	mail = mail_alloc(trans, 0, NULL);
	array_foreach(&wanted, range) {
		mailbox_get_seq_range(take_in->drop->box, range->seq1,
				      range->seq2, &seq1, &seq2);
		for (; seq1 != 0 && seq1 <= seq2 && ret == 0; seq1++) {
			mail_set_seq(mail, seq1);
			ret = describe_message(take_in, mail, &max_others,
					       error_r);
		}
	}
	mail_free(&mail);
	/* what had to be read goes into the cache */
	(void)mailbox_transaction_commit(&trans);
	return ret;
}

/* What is written of the messages, now that the journal cannot change any more. */
static void choose_lines(struct take_in *take_in)
{
	const struct session_news *news = take_in->news;
	struct policy_epoch *epoch = &take_in->epoch;
	struct pop3_message *message;
	const char *error;

	p_array_init(&take_in->lines, take_in->pool,
		     array_count(&take_in->described) + 1);
	array_foreach_modifiable(&take_in->described, message) {
		bool known = seq_range_exists(&epoch->recorded, message->uid);
		bool first = is_first_download(news, epoch, message->uid);

		if (known && !first)
			continue;
		seq_range_array_add(&epoch->recorded, message->uid);
		/* an X-UIDL header may have anything in it; but it is a part of
		   the message, and not lost before that */
		if (!pop3_uidl_is_valid(message->uidl, &error))
			continue;
		if (first) {
			message->downloaded = news->downloaded_at;
			seq_range_array_add(&epoch->downloaded, message->uid);
		}
		array_push_back(&take_in->lines, message);
		if (!known)
			take_in->added++;
	}
}

static enum policy_store_result
rewrite_journal(struct take_in *take_in, const char **error_r)
{
	struct policy_epoch *epoch = &take_in->epoch;
	struct policy_journal *journal;
	ARRAY_TYPE(pop3_message) messages;
	enum policy_store_result result;
	int ret;

	ret = policy_journal_read(take_in->store, epoch->journal_generation,
				  &journal, error_r);
	if (ret == 0)
		*error_r = "messages.jsonl vanished";
	if (ret <= 0)
		return POLICY_STORE_UNUSABLE;
	i_array_init(&messages, array_count(&journal->messages) + 1);
	maildrop_journal_compact(take_in->drop, &journal->messages,
				 &take_in->lines, time(NULL), epoch, &messages);
	epoch->journal_generation++;
	result = policy_journal_replace(take_in->store, epoch->number,
		epoch->journal_generation, &messages, error_r);
	array_free(&messages);
	policy_journal_free(&journal);
	return result;
}

/* A line is lost: see which messages still have one. The others get theirs anew,
   some now and some later. */
static int recount_journal(struct take_in *take_in, const char **error_r)
{
	struct policy_epoch *epoch = &take_in->epoch;
	struct policy_journal *journal;
	const struct pop3_message *message;
	int ret;

	ret = policy_journal_read(take_in->store, epoch->journal_generation,
				  &journal, error_r);
	if (ret <= 0)
		return ret;
	array_foreach(&journal->messages, message) {
		if (message->uid == 0)
			continue;
		seq_range_array_add(&epoch->recorded, message->uid);
		if (message->downloaded != 0) {
			seq_range_array_add(&epoch->downloaded,
					    message->uid);
		}
	}
	epoch->journal_lines = journal->lines;
	policy_journal_free(&journal);
	return 1;
}

/* Whether lines can be appended to the journal. If it was taken away or torn, the
   epoch knows less afterwards. Returns 1, 0, or -1 and an error. */
static int check_journal(struct take_in *take_in, const char **error_r)
{
	struct policy_epoch *epoch = &take_in->epoch;
	int exists = 0, torn = 0;

	if (epoch->journal_generation != 0) {
		exists = policy_journal_exists(take_in->store,
			epoch->journal_generation, error_r);
		torn = policy_journal_is_torn(take_in->store,
			epoch->journal_generation, error_r);
	}
	if (exists < 0 || torn < 0)
		return -1;
	if (exists > 0 && torn == 0)
		return 1;
	array_clear(&epoch->recorded);
	array_clear(&epoch->downloaded);
	epoch->journal_lines = 0;
	if (exists > 0)
		return recount_journal(take_in, error_r);
	epoch->journal_gone = 0;
	return 0;
}

static enum policy_store_result
write_journal(struct take_in *take_in, const char **error_r)
{
	struct policy_epoch *epoch = &take_in->epoch;
	unsigned int count;
	int ret;

	ret = check_journal(take_in, error_r);
	if (ret < 0)
		return POLICY_STORE_UNUSABLE;
	choose_lines(take_in);
	count = array_count(&take_in->lines);
	if (count == 0)
		return POLICY_STORE_OK;
	if (ret > 0 && maildrop_journal_is_stale(take_in->drop, epoch, count))
		return rewrite_journal(take_in, error_r);
	epoch->journal_lines += count;
	if (ret > 0) {
		return policy_journal_append(take_in->store,
			epoch->journal_generation, &take_in->lines, error_r);
	}
	return policy_journal_replace(take_in->store, epoch->number,
		++epoch->journal_generation, &take_in->lines, error_r);
}

/* Whether the state is still about the mailbox and the UIDLs that the client was
   told. */
static bool
is_same_epoch(const struct take_in *take_in, const struct policy_epoch *epoch,
	      const struct policy_epoch *current)
{
	if (current == NULL)
		return epoch == NULL;
	if (epoch != NULL)
		return current->number == epoch->number;
	/* another first session was faster */
	return current->uidvalidity == take_in->drop->uidvalidity &&
		strcmp(current->uidl_format,
		       maildrop_format_name(take_in->drop)) == 0;
}

static enum policy_store_result
update_state(struct take_in *take_in, struct policy_state *state,
	     const char **error_r)
{
	struct policy_epoch *epoch = &take_in->epoch;
	const struct policy_epoch *current = policy_state_epoch(state);
	enum policy_store_result result;

	if (current != NULL)
		policy_epoch_copy(take_in->pool, current, epoch);
	else
		maildrop_new_epoch(take_in->drop, NULL, 0, take_in->pool, epoch);
	epoch->uidnext = I_MAX(epoch->uidnext, take_in->news->uidnext);
	epoch_set_told(take_in->drop, epoch);
	result = write_journal(take_in, error_r);
	if (result != POLICY_STORE_OK)
		return result;
	epoch_tidy_sets(take_in->drop, epoch);
	if (epoch_choose_anchors(take_in->drop, take_in->stored, take_in->pool,
				 epoch, error_r) < 0)
		return POLICY_STORE_UNUSABLE;
	policy_state_set_epoch(state, epoch);
	return POLICY_STORE_OK;
}

static enum policy_store_result
take_in_locked(struct take_in *take_in, const struct policy_epoch *epoch,
	       struct policy_state *state, const char **error_r)
{
	enum policy_store_result result = POLICY_STORE_OK;

	if (is_same_epoch(take_in, epoch, policy_state_epoch(state))) {
		result = update_state(take_in, state, error_r);
		if (result == POLICY_STORE_OK) {
			return policy_store_commit(take_in->store, state,
						   error_r);
		}
	}
	policy_store_rollback(take_in->store);
	return result;
}

static enum policy_store_result
take_in_write(struct take_in *take_in, const struct policy_epoch *epoch,
	      const char **error_r)
{
	struct policy_state *state = NULL;
	enum policy_store_result result;

	result = policy_store_begin(take_in->store, &state, error_r);
	if (result == POLICY_STORE_OK)
		result = take_in_locked(take_in, epoch, state, error_r);
	policy_state_deinit(&state);
	return result;
}

enum policy_store_result
maildrop_take_in(struct maildrop *drop, struct policy_store *store,
		 const struct policy_epoch *epoch, struct stored_uidls *stored,
		 const struct session_news *news, unsigned int max_others,
		 unsigned int *added_r, const char **error_r)
{
	struct take_in take_in = {
		.drop = drop, .store = store, .stored = stored, .news = news,
	};
	enum policy_store_result result = POLICY_STORE_UNUSABLE;

	take_in.pool = pool_alloconly_create("pop3_policy take in", 16 * 1024);
	p_array_init(&take_in.described, take_in.pool, 32);
	if (describe_messages(&take_in, epoch, max_others, error_r) == 0)
		result = take_in_write(&take_in, epoch, error_r);
	if (result == POLICY_STORE_OK)
		*added_r = take_in.added;
	pool_unref(&take_in.pool);
	return result;
}
