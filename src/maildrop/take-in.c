/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "epoch.h"
#include "maildrop.h"
#include "describe.h"
#include "epoch-check.h"
#include "new-epoch.h"
#include "recount.h"
#include "returned.h"
#include "uid-set.h"
#include "take-in-private.h"

/* UIDs of messages of which the state does not know yet that they were
   downloaded, also by the device of the session. */
static void
find_first_downloads(const struct session_news *news,
		     const struct policy_epoch *epoch,
		     ARRAY_TYPE(seq_range) *uids)
{
	ARRAY_TYPE(seq_range) others;
	const struct policy_device *device;

	array_append_array(uids, &news->downloaded);
	seq_range_array_remove_seq_range(uids, &epoch->downloaded);
	if (news->device == NULL)
		return;
	t_array_init(&others, array_count(&news->downloaded) + 1);
	array_append_array(&others, &news->downloaded);
	array_foreach(&epoch->devices, device) {
		if (strcmp(device->name, news->device) == 0) {
			seq_range_array_remove_seq_range(&others,
							 &device->downloaded);
		}
	}
	seq_range_array_merge(uids, &others);
}

static bool
has_first_downloads(const struct maildrop *drop,
		    const struct policy_epoch *epoch,
		    const struct session_news *news)
{
	ARRAY_TYPE(seq_range) uids;

	t_array_init(&uids, array_count(&news->downloaded) + 1);
	find_first_downloads(news, epoch, &uids);
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
	    maildrop_has_grown_below(drop, epoch) ||
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
	find_first_downloads(news, epoch, &first);
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

/* The newest first: by these the mailbox is known again when newer ones are
   gone. */
static int
describe_messages(struct take_in *take_in, const struct policy_epoch *epoch,
		  unsigned int max_others, const char **error_r)
{
	struct mailbox_transaction_context *trans;
	ARRAY_TYPE(seq_range) wanted;
	const struct seq_range *ranges;
	struct mail *mail;
	unsigned int i;
	uint32_t seq, first;
	int ret = 0;

	t_array_init(&wanted, 8);
	find_wanted(take_in->news, epoch, &wanted);
	trans = mailbox_transaction_begin(take_in->drop->box, 0, __func__);
	mail = mail_alloc(trans, 0, NULL);
	ranges = array_get(&wanted, &i);
	while (i-- > 0) {
		mailbox_get_seq_range(take_in->drop->box, ranges[i].seq1,
				      ranges[i].seq2, &first, &seq);
		for (; seq != 0 && seq >= first && ret == 0; seq--) {
			mail_set_seq(mail, seq);
			ret = describe_message(take_in, mail, &max_others,
					       error_r);
		}
	}
	mail_free(&mail);
	/* what had to be read goes into the cache */
	(void)mailbox_transaction_commit(&trans);
	array_reverse(&take_in->described);
	return ret;
}

/* Read what is to be written before the lock is taken. */
static int
describe_news(struct take_in *take_in, const struct policy_epoch *epoch,
	      unsigned int max_others, const char **error_r)
{
	struct policy_epoch counted;

	if (epoch != NULL && maildrop_has_grown_below(take_in->drop, epoch)) {
		policy_epoch_copy(take_in->pool, epoch, &counted);
		epoch = &counted;
		if (journal_recount_returned(take_in->store, take_in->pool,
					     &counted, error_r) < 0)
			return -1;
	}
	return describe_messages(take_in, epoch, max_others, error_r);
}

/* Whether the state is still about the mailbox and the UIDLs that the client
   was told. */
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

static void note_listing(struct take_in *take_in)
{
	const struct maildrop *drop = take_in->drop;
	struct policy_epoch *epoch = &take_in->epoch;
	uint32_t uidnext = take_in->news->uidnext;

	/* of a maildrop that has newer messages the time is not known */
	if (uidnext == drop->uidnext && uidnext >= epoch->uidnext) {
		epoch->listed = uidnext > epoch->uidnext ? drop->listed :
			I_MAX(drop->listed, epoch->listed);
	}
	epoch->uidnext = I_MAX(epoch->uidnext, uidnext);
	epoch_set_told(drop, epoch);
}

/* What the maildrop is known by. Somebody who has listed newer messages knows
   that better than this session, which may have lasted for hours: for it there
   is nothing where those are. */
static int choose_anchors(struct take_in *take_in, const char **error_r)
{
	struct policy_epoch *epoch = &take_in->epoch;

	if (epoch->uidnext > take_in->drop->uidnext)
		return 0;
	return epoch_choose_anchors(take_in->drop, take_in->stored,
				    take_in->pool, epoch, error_r);
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
	take_in->some_returned = current != NULL &&
		maildrop_has_grown_below(take_in->drop, current);
	note_listing(take_in);
	result = take_in_write_journal(take_in, error_r);
	if (result != POLICY_STORE_OK)
		return result;
	epoch_tidy_sets(take_in->drop, epoch);
	if (choose_anchors(take_in, error_r) < 0)
		return POLICY_STORE_UNUSABLE;
	policy_state_set_epoch(state, epoch);
	return POLICY_STORE_OK;
}

/* A session that was overtaken by another one has nothing to say but what it
   has added. */
static bool has_news(const struct take_in *take_in)
{
	return take_in->epoch.uidnext <= take_in->drop->uidnext ||
		array_count(&take_in->lines) > 0;
}

static enum policy_store_result
take_in_locked(struct take_in *take_in, const struct policy_epoch *epoch,
	       struct policy_state *state, const char **error_r)
{
	enum policy_store_result result = POLICY_STORE_OK;

	if (is_same_epoch(take_in, epoch, policy_state_epoch(state))) {
		result = update_state(take_in, state, error_r);
		if (result == POLICY_STORE_OK && has_news(take_in)) {
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
		 struct taken_in *taken_r, const char **error_r)
{
	struct take_in take_in = {
		.drop = drop, .store = store, .stored = stored, .news = news,
	};
	enum policy_store_result result = POLICY_STORE_UNUSABLE;

	take_in.pool = pool_alloconly_create("pop3_policy take in", 16 * 1024);
	p_array_init(&take_in.described, take_in.pool, 32);
	if (describe_news(&take_in, epoch, max_others, error_r) == 0)
		result = take_in_write(&take_in, epoch, error_r);
	taken_r->added = take_in.added;
	taken_r->lacks_lost = take_in.epoch.journal_lost;
	pool_unref(&take_in.pool);
	return result;
}
