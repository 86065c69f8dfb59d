/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "epoch.h"
#include "maildrop.h"
#include "uid-set.h"
#include "compact.h"

/* A small journal is not worth the trouble. */
#define MIN_DEAD_LINES 64

bool maildrop_journal_is_stale(const struct maildrop *drop,
			       const struct policy_epoch *epoch,
			       unsigned int added)
{
	unsigned int live = uid_set_count(drop, &epoch->recorded,
					  epoch->uidnext) +
		epoch->journal_gone;
	unsigned int lines = epoch->journal_lines + added;

	return lines > live && lines - live > live + MIN_DEAD_LINES;
}

/* Whether the message is newer than the maildrop, which somebody else has
   listed since. */
static bool
is_newer(const struct maildrop *drop, const struct policy_epoch *epoch,
	 uint32_t uid)
{
	return uid >= drop->uidnext &&
		uid_is_counted(epoch, &epoch->recorded, uid);
}

static bool
is_dead(const struct maildrop *drop, const struct policy_epoch *epoch,
	const struct pop3_message *message, time_t now)
{
	if (message->uid != 0) {
		return !is_newer(drop, epoch, message->uid) &&
			maildrop_count(drop, message->uid,
				       message->uid + 1) == 0;
	}
	return now - message->gone > JOURNAL_KEEP_GONE_SECS;
}

void maildrop_journal_compact(const struct maildrop *drop, pool_t pool,
			      const ARRAY_TYPE(pop3_message) *messages,
			      const ARRAY_TYPE(pop3_message) *news, time_t now,
			      struct policy_epoch *epoch,
			      ARRAY_TYPE(pop3_message) *dest)
{
	HASH_TABLE(void *, struct pop3_message *) by_uid;
	const struct pop3_message *message;
	struct pop3_message *found;

	i_assert(array_count(dest) == 0);

	epoch->journal_gone = 0;
	array_foreach(messages, message) {
		if (is_dead(drop, epoch, message, now))
			continue;
		if (message->uid == 0)
			epoch->journal_gone++;
		array_push_back(dest, message);
	}
	hash_table_create_direct(&by_uid, default_pool, array_count(dest));
	array_foreach_modifiable(dest, found) {
		if (found->uid != 0)
			hash_table_insert(by_uid, POINTER_CAST(found->uid),
					  found);
	}
	array_foreach(news, message) {
		found = hash_table_lookup(by_uid, POINTER_CAST(message->uid));
		if (found != NULL)
			pop3_message_add_news(pool, found, message);
	}
	/* pointers into dest end here */
	array_foreach(news, message) {
		if (hash_table_lookup(by_uid,
				      POINTER_CAST(message->uid)) == NULL)
			array_push_back(dest, message);
	}
	hash_table_destroy(&by_uid);
	epoch->journal_lines = array_count(dest);
}
