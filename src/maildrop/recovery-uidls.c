/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "guid.h"
#include "hash.h"
#include "mail-storage.h"
#include "uidl.h"
#include "maildrop.h"
#include "compact.h"
#include "describe.h"
#include "epoch-check.h"
#include "journal-lost.h"
#include "uid-set.h"
#include "recovery-private.h"

#include <time.h>

/* That of a file server and ours may be so far apart, and a message may come in the
   second in which the others are listed. */
#define CLOCKS_DIFFER_SECS 30

/* UIDLs that may not be given to another message. */
HASH_TABLE_DEFINE_TYPE(taken_uidls, const char *, void *);

static const char *
fresh_uidl(struct recovery *recovery, HASH_TABLE_TYPE(taken_uidls) taken)
{
	guid_128_t guid;
	const char *uidl;

	do {
		guid_128_generate(guid);
		uidl = guid_128_to_string(guid);
	} while (hash_table_lookup(taken, uidl) != NULL);
	return p_strdup(recovery->pool, uidl);
}

/* Whether a message whose line was lost, or that never had one, as old messages
   are taken in by and by, is the one that had this UID. A UID is used a second
   time only for what comes after an older mailbox was restored. An mbox, which
   has no GUIDs, does not know when a message was saved. */
static bool was_there(const struct recovery *recovery, uint32_t uid)
{
	const struct policy_epoch *old = recovery->old;
	const char *guid;
	time_t delivered;

	return (recovery->journal_has_lost ||
		!seq_range_exists(&old->recorded, uid)) &&
		uid < old->uidnext &&
		!recovery->other_mailbox && recovery->same_uids &&
		maildrop_guid(recovery->mail, &guid) == 0 && *guid != '\0' &&
		maildrop_delivered(recovery->mail, &delivered) == 0 &&
		delivered + CLOCKS_DIFFER_SECS <= old->listed;
}

/* Whether no client may know this UIDL of Dovecot for another message. */
static bool
own_uidl_is_free(const struct recovery *recovery,
		 HASH_TABLE_TYPE(taken_uidls) taken, uint32_t uid,
		 const char *uidl)
{
	const char *error;

	if (!pop3_uidl_is_valid(uidl, &error) ||
	    hash_table_lookup(taken, uidl) != NULL)
		return FALSE;
	return recovery->old == NULL || uid < recovery->proven_below ||
		uid >= epoch_told_below(recovery->drop, recovery->old) ||
		was_there(recovery, uid);
}

/* The journal may have lost when messages were downloaded. What the state knows
   of that holds where UIDs are sure to be those of the same messages. */
static void keep_downloads(struct recovery *recovery)
{
	const struct policy_epoch *old = recovery->old;
	struct policy_epoch *epoch = &recovery->epoch;
	const struct pop3_found_message *found;
	const struct policy_device *device;

	if (old == NULL || !recovery->journal_has_lost ||
	    recovery->other_mailbox || !recovery->same_uids)
		return;
	array_foreach(&recovery->found, found) {
		if (found->uid >= recovery->proven_below)
			break;
		if (seq_range_exists(&old->downloaded, found->uid)) {
			seq_range_array_add(&epoch->downloaded, found->uid);
		}
		array_foreach(&old->devices, device) {
			if (seq_range_exists(&device->downloaded, found->uid)) {
				policy_epoch_device_add(recovery->pool, epoch,
					device->name, found->uid);
			}
		}
	}
}

static void
add_downloads(struct recovery *recovery, struct pop3_message *message)
{
	struct policy_epoch *epoch = &recovery->epoch;
	const struct pop3_message_device *device;

	journal_line_restore(recovery->pool, epoch, message);
	if (message->downloaded != 0)
		seq_range_array_add(&epoch->downloaded, message->uid);
	for (device = message->devices; device != NULL && device->name != NULL;
	     device++) {
		policy_epoch_device_add(recovery->pool, epoch, device->name,
					message->uid);
	}
}

/* Nobody has looked for when it falls due since it was gone. */
static void
add_returned(struct recovery *recovery, const struct pop3_message *message)
{
	if (message->downloaded != 0) {
		pop3_retention_bounds_add_download(&recovery->epoch.retention,
						   message->downloaded);
	}
}

static void
keep_message(struct recovery *recovery, const struct pop3_found_message *found,
	     const char *own_uidl)
{
	struct policy_epoch *epoch = &recovery->epoch;
	struct pop3_message *message = array_append_space(&recovery->messages);

	*message = *found->known;
	message->uid = found->uid;
	message->gone = 0;
	/* what the storage knows of it now */
	if (*found->guid != '\0')
		message->guid = found->guid;
	if (*found->hash != '\0')
		message->hash = found->hash;
	seq_range_array_add(&epoch->recorded, found->uid);
	add_downloads(recovery, message);
	if (found->known->uid != found->uid)
		add_returned(recovery, message);
	if (strcmp(own_uidl, message->uidl) != 0)
		seq_range_array_add(&epoch->stored, found->uid);
}

/* A message that is not known needs a line only if its UIDL is not Dovecot's
   own. */
static int
add_message(struct recovery *recovery, HASH_TABLE_TYPE(taken_uidls) taken,
	    const char *own_uidl, const char **error_r)
{
	struct pop3_message message;
	int ret;

	if (own_uidl_is_free(recovery, taken, recovery->mail->uid, own_uidl)) {
		own_uidl = p_strdup(recovery->pool, own_uidl);
		hash_table_insert(taken, own_uidl, POINTER_CAST(1));
		return 0;
	}
	ret = maildrop_describe(recovery->drop, NULL, recovery->mail,
				recovery->pool, &message, error_r);
	if (ret < 0)
		return -1;
	if (ret == 0)
		return recovery_mail_failed(recovery, error_r);
	message.uidl = fresh_uidl(recovery, taken);
	hash_table_insert(taken, message.uidl, POINTER_CAST(1));
	add_downloads(recovery, &message);
	array_push_back(&recovery->messages, &message);
	seq_range_array_add(&recovery->epoch.recorded, message.uid);
	seq_range_array_add(&recovery->epoch.stored, message.uid);
	return 0;
}

static int
assign_uidl(struct recovery *recovery, HASH_TABLE_TYPE(taken_uidls) taken,
	    const struct pop3_found_message *found, const char **error_r)
{
	struct mail *mail = recovery->mail;
	const char *own_uidl;

	if (!maildrop_set_uid(mail, found->uid))
		return 0;
	if (maildrop_own_uidl(recovery->drop, mail, &own_uidl) < 0)
		return recovery_mail_failed(recovery, error_r);
	if (found->known == NULL)
		return add_message(recovery, taken, own_uidl, error_r);
	keep_message(recovery, found, own_uidl);
	return 0;
}

/* What becomes of a known message that is not there: a user who has deleted it
   does not want it back. */
static void
lose_message(struct recovery *recovery, const struct pop3_message *known,
	     time_t now)
{
	struct pop3_message *message;

	if (known->gone == 0)
		recovery->counts.gone++;
	if (known->gone == 0 ?
	    !recovery->other_mailbox && !recovery->some_returned :
	    now - known->gone > JOURNAL_KEEP_GONE_SECS)
		return;
	message = array_append_space(&recovery->messages);
	*message = *known;
	message->uid = 0;
	if (message->gone == 0)
		message->gone = now;
	recovery->epoch.journal_gone++;
}

static void lose_unmatched(struct recovery *recovery)
{
	const struct pop3_message *known;
	const struct pop3_found_message *found;
	unsigned int i, count;
	time_t now = time(NULL);
	bool *matched;

	known = array_get(&recovery->known, &count);
	matched = p_new(recovery->pool, bool, count + 1);
	array_foreach(&recovery->found, found) {
		if (found->known != NULL)
			matched[found->known - known] = TRUE;
	}
	for (i = 0; i < count; i++) {
		if (!matched[i])
			lose_message(recovery, &known[i], now);
	}
}

int recovery_assign_uidls(struct recovery *recovery, const char **error_r)
{
	HASH_TABLE_TYPE(taken_uidls) taken;
	const struct pop3_message *known;
	const struct pop3_found_message *found;
	int ret = 0;

	p_array_init(&recovery->messages, recovery->pool,
		     array_count(&recovery->known) + 1);
	hash_table_create(&taken, default_pool,
			  array_count(&recovery->known), str_hash, strcmp);
	array_foreach(&recovery->known, known)
		hash_table_update(taken, known->uidl, POINTER_CAST(1));
	keep_downloads(recovery);
	array_foreach(&recovery->found, found) {
		T_BEGIN {
			ret = assign_uidl(recovery, taken, found, error_r);
		} T_END_PASS_STR_IF(ret < 0, error_r);
		if (ret < 0)
			break;
	}
	hash_table_destroy(&taken);
	if (ret == 0) {
		lose_unmatched(recovery);
		epoch_tidy_sets(recovery->drop, &recovery->epoch);
		recovery->epoch.journal_lines = array_count(&recovery->messages);
	}
	return ret;
}
