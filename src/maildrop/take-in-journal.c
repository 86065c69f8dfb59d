/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "uidl.h"
#include "journal.h"
#include "compact.h"
#include "journal-lost.h"
#include "recount.h"
#include "take-in-private.h"

#include <time.h>

/* Whether the state does not know yet that the message was downloaded, also by
   the device of the session. */
static bool
is_first_download(const struct session_news *news,
		  const struct policy_epoch *epoch, uint32_t uid)
{
	if (!seq_range_exists(&news->downloaded, uid))
		return FALSE;
	return !seq_range_exists(&epoch->downloaded, uid) ||
		(news->device != NULL &&
		 !policy_epoch_device_has(epoch, news->device, uid));
}

static void
add_download(struct take_in *take_in, struct pop3_message *message)
{
	const struct session_news *news = take_in->news;
	struct policy_epoch *epoch = &take_in->epoch;
	/* by a clock that is behind it would seem old */
	time_t now = I_MAX(news->downloaded_at, epoch->retention.checked);

	/* of earlier lines for the message the first download stands */
	if (message->downloaded == 0)
		message->downloaded = now;
	seq_range_array_add(&epoch->downloaded, message->uid);
	if (news->device != NULL) {
		pop3_message_add_device(take_in->pool, message, news->device,
					now);
		policy_epoch_device_add(take_in->pool, epoch, news->device,
					message->uid);
	}
	pop3_retention_bounds_add_download(&epoch->retention, now);
}

/* What is written of the messages, now that the journal cannot change any
   more. */
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
		if (!known && epoch->journal_lost)
			journal_line_restore(take_in->pool, epoch, message);
		if (first)
			add_download(take_in, message);
		array_push_back(&take_in->lines, message);
		if (!known)
			take_in->added++;
	}
}

static enum policy_store_result
rewrite_journal(struct take_in *take_in, const char **error_r)
{
	struct policy_epoch *epoch = &take_in->epoch;
	const struct pop3_message *line;
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
	if (journal->damaged > 0) {
		journal_recount(take_in->pool, epoch, journal);
		array_foreach(&take_in->lines, line)
			seq_range_array_add(&epoch->recorded, line->uid);
	}
	maildrop_journal_compact(take_in->drop, take_in->pool,
				 &journal->messages, &take_in->lines,
				 time(NULL), epoch, &messages);
	epoch->journal_generation =
		policy_journal_next_generation(epoch->journal_generation);
	result = policy_journal_replace(take_in->store, epoch->number,
		epoch->journal_generation, &messages, error_r);
	array_free(&messages);
	policy_journal_free(&journal);
	return result;
}

enum policy_store_result
take_in_write_journal(struct take_in *take_in, const char **error_r)
{
	struct policy_epoch *epoch = &take_in->epoch;
	unsigned int count;
	int ret;

	ret = journal_recount_if_torn(take_in->store, take_in->pool, epoch,
				      error_r);
	if (ret > 0 && take_in->some_returned &&
	    journal_recount_returned(take_in->store, take_in->pool, epoch,
				     error_r) < 0)
		ret = -1;
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
	epoch->journal_generation =
		policy_journal_next_generation(epoch->journal_generation);
	return policy_journal_replace(take_in->store, epoch->number,
		epoch->journal_generation, &take_in->lines, error_r);
}
