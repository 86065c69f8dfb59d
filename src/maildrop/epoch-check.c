/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "mail-storage.h"
#include "epoch.h"
#include "journal.h"
#include "maildrop.h"
#include "returned.h"
#include "epoch-check.h"

/* When known messages are missing, so many new ones are looked at before all
   messages are. */
#define MAX_NEW_COMPARED 200

/* UIDs that are told by themselves belong to all UIDVALIDITYs at once. */
static uint32_t told_uidvalidity(const struct maildrop *drop)
{
	return drop->uids_are_uidls ? 0 : drop->uidvalidity;
}

uint32_t epoch_told_below(const struct maildrop *drop,
			  const struct policy_epoch *epoch)
{
	const struct policy_told *told;

	array_foreach(&epoch->told, told) {
		if (told->uidvalidity == told_uidvalidity(drop))
			return told->below;
	}
	return 0;
}

void epoch_set_told(const struct maildrop *drop, struct policy_epoch *epoch)
{
	struct policy_told told = {
		.uidvalidity = told_uidvalidity(drop),
		.below = I_MAX(epoch->uidnext, epoch_told_below(drop, epoch)),
	};
	const struct policy_told *old;
	unsigned int i;

	for (i = 0; i < array_count(&epoch->told); ) {
		old = array_idx(&epoch->told, i);
		if (old->uidvalidity == told.uidvalidity)
			array_delete(&epoch->told, i, 1);
		else
			i++;
	}
	if (i == POLICY_EPOCH_MAX_TOLD)
		array_pop_front(&epoch->told);
	array_push_back(&epoch->told, &told);
}

bool epoch_is_unchanged(const struct policy_epoch *epoch,
			const struct policy_epoch *current)
{
	if (epoch == NULL || current == NULL)
		return epoch == current;
	return current->number == epoch->number &&
		current->uidnext == epoch->uidnext &&
		current->live == epoch->live &&
		current->journal_generation == epoch->journal_generation &&
		current->journal_lines == epoch->journal_lines;
}

/* Without an epoch there may still be a journal, if state.json was lost. */
static enum epoch_check_result
check_first(struct policy_store *store, const char **reason_r)
{
	switch (policy_journal_exists(store, 0, reason_r)) {
	case 0:
		return EPOCH_FIRST;
	case 1:
		*reason_r = "the state was lost, but not the journal";
		return EPOCH_BROKEN;
	default:
		return EPOCH_FAILED;
	}
}

/* What does not fit in the mailbox as a whole, or NULL. */
static const char *
find_difference(const struct maildrop *drop, const struct policy_epoch *epoch)
{
	const char *format = maildrop_format_name(drop);

	if (drop->uidvalidity != epoch->uidvalidity) {
		return t_strdup_printf("UIDVALIDITY changed from %u to %u",
				       epoch->uidvalidity, drop->uidvalidity);
	}
	if (strcmp(format, epoch->uidl_format) != 0) {
		return t_strdup_printf("pop3_uidl_format changed from %s to %s",
				       epoch->uidl_format, format);
	}
	if (drop->rules.reuse_xuidl != epoch->reuse_xuidl)
		return "pop3_reuse_xuidl changed";
	if (drop->uidnext < epoch->uidnext) {
		return t_strdup_printf("next UID went back from %u to %u",
				       epoch->uidnext, drop->uidnext);
	}
	if (drop->uidnext > epoch->uidnext &&
	    epoch->uidnext < epoch_told_below(drop, epoch)) {
		return t_strdup_printf("UIDs from %u on are used a second time",
				       epoch->uidnext);
	}
	return NULL;
}

int epoch_anchor_compare(struct mail *mail, const struct policy_anchor *anchor)
{
	const char *guid, *hash;

	if (*anchor->guid != '\0') {
		if (maildrop_guid(mail, &guid) < 0)
			return -1;
		if (*guid != '\0')
			return strcmp(guid, anchor->guid) == 0 ? 1 : 0;
	}
	if (*anchor->hash == '\0')
		return 0;
	if (maildrop_fingerprint(mail, &hash) < 0)
		return -1;
	return strcmp(hash, anchor->hash) == 0 ? 1 : 0;
}

/* Whether the message has the UIDL that it is known by. */
static int
compare_uidl(struct maildrop *drop, struct mail *mail,
	     const struct policy_epoch *epoch,
	     const struct policy_anchor *anchor)
{
	const char *uidl;

	if (*anchor->uidl == '\0' ||
	    seq_range_exists(&epoch->stored, anchor->uid))
		return 1;
	if (maildrop_own_uidl(drop, mail, &uidl) < 0)
		return -1;
	return strcmp(uidl, anchor->uidl) == 0 ? 1 : 0;
}

enum anchor_result {
	ANCHOR_HOLDS,
	ANCHOR_MISSING,
	ANCHOR_DIFFERS,
	ANCHOR_FAILED
};

static enum anchor_result
check_anchor(struct maildrop *drop, struct mail *mail,
	     const struct policy_epoch *epoch,
	     const struct policy_anchor *anchor, const char **reason_r)
{
	int ret;

	if (!maildrop_set_uid(mail, anchor->uid))
		return ANCHOR_MISSING;
	ret = epoch_anchor_compare(mail, anchor);
	if (ret > 0)
		ret = compare_uidl(drop, mail, epoch, anchor);
	if (ret > 0)
		return ANCHOR_HOLDS;
	if (ret < 0) {
		*reason_r = maildrop_mail_error(mail);
		return mail->expunged ? ANCHOR_MISSING : ANCHOR_FAILED;
	}
	*reason_r = t_strdup_printf("UID %u is another message or has another "
				    "UIDL", anchor->uid);
	return ANCHOR_DIFFERS;
}

/* Find the newest anchor that is there; others before it are missing. */
static enum anchor_result
find_anchor(struct maildrop *drop, struct mail *mail,
	    const struct policy_epoch *epoch, unsigned int *missing_r,
	    const char **reason_r)
{
	enum anchor_result result;

	for (*missing_r = 0; *missing_r < epoch->anchors_count; ++*missing_r) {
		result = check_anchor(drop, mail, epoch,
				      &epoch->anchors[*missing_r], reason_r);
		if (result != ANCHOR_MISSING)
			return result;
	}
	return ANCHOR_MISSING;
}

/* Is one of the missing messages back under a new UID? Returns 1, 0, or -1. */
static int
find_missing(struct maildrop *drop, struct mail *mail,
	     const struct policy_epoch *epoch, unsigned int missing)
{
	uint32_t seq1, seq2;
	unsigned int i;
	int ret = 0;

	if (drop->uidnext == epoch->uidnext || missing == 0)
		return 0;
	mailbox_get_seq_range(drop->box, epoch->uidnext, drop->uidnext - 1,
			      &seq1, &seq2);
	if (seq1 == 0)
		return 0;
	if (seq2 - seq1 >= MAX_NEW_COMPARED)
		return 1;
	for (; seq1 <= seq2 && ret == 0; seq1++) T_BEGIN {
		mail_set_seq(mail, seq1);
		for (i = 0; i < missing && ret == 0; i++) {
			ret = epoch_anchor_compare(mail, &epoch->anchors[i]);
			if (ret < 0 && mail->expunged) {
				ret = 0;
				break;
			}
		}
	} T_END;
	return ret;
}

static const struct pop3_message *
find_line(const struct policy_journal *journal, uint32_t uid)
{
	const struct pop3_message *message;

	array_foreach(&journal->messages, message) {
		if (message->uid == uid)
			return message;
	}
	return NULL;
}

/* All anchors that were newer than this message are gone. If the journal knows
   it, those before it are what they were as well: UIDs are only used a second time
   behind all that an older mailbox had. */
static enum anchor_result
check_newest(struct maildrop *drop, struct mail *mail,
	     const struct policy_epoch *epoch, struct policy_store *store,
	     const char **reason_r)
{
	struct policy_journal *journal;
	const struct pop3_message *line;
	enum anchor_result result = ANCHOR_DIFFERS;
	const char *error;
	int ret = 0;

	mail_set_seq(mail, maildrop_count(drop, 1, epoch->uidnext));
	*reason_r = "the newest known messages are gone, and others are there";
	if (epoch->journal_generation != 0) {
		ret = policy_journal_read(store, epoch->journal_generation,
					  &journal, &error);
	}
	if (ret < 0) {
		*reason_r = error;
		return ANCHOR_FAILED;
	}
	if (ret == 0)
		return ANCHOR_DIFFERS;
	line = find_line(journal, mail->uid);
	if (line != NULL) {
		const struct policy_anchor anchor = {
			.uid = line->uid, .guid = line->guid,
			.hash = line->hash, .uidl = line->uidl,
		};

		result = check_anchor(drop, mail, epoch, &anchor, reason_r);
	}
	policy_journal_free(&journal);
	return result;
}

/* Whether what is below the next UID of the epoch is what was there. */
static enum anchor_result
check_known(struct maildrop *drop, struct mail *mail,
	    const struct policy_epoch *epoch, struct policy_store *store,
	    unsigned int *missing_r, const char **reason_r)
{
	enum anchor_result result;
	uint32_t last_uid = 0;

	result = find_anchor(drop, mail, epoch, missing_r, reason_r);
	if (result == ANCHOR_HOLDS)
		last_uid = epoch->anchors[*missing_r].uid;
	else if (result != ANCHOR_MISSING)
		return result;
	if (maildrop_count(drop, last_uid + 1, epoch->uidnext) == 0)
		return ANCHOR_HOLDS;
	if (*missing_r == 0) {
		*reason_r = t_strdup_printf("there are other messages than "
			"before between UIDs %u and %u", last_uid,
			epoch->uidnext);
		return ANCHOR_DIFFERS;
	}
	return check_newest(drop, mail, epoch, store, reason_r);
}

static enum epoch_check_result
check_anchors(struct maildrop *drop, struct mail *mail,
	      const struct policy_epoch *epoch, struct policy_store *store,
	      const char **reason_r)
{
	unsigned int missing;
	int ret;

	switch (check_known(drop, mail, epoch, store, &missing, reason_r)) {
	case ANCHOR_HOLDS:
		break;
	case ANCHOR_MISSING:
	case ANCHOR_DIFFERS:
		return EPOCH_BROKEN;
	case ANCHOR_FAILED:
		return EPOCH_FAILED;
	}
	ret = find_missing(drop, mail, epoch, missing);
	if (ret < 0)
		*reason_r = maildrop_mail_error(mail);
	else if (ret == 0)
		ret = maildrop_find_returned(drop, mail, epoch, store, reason_r);
	if (ret > 0) {
		*reason_r = "known messages are gone, and may be back under "
			"new UIDs";
	}
	return ret == 0 ? EPOCH_STEADY : ret > 0 ? EPOCH_BROKEN : EPOCH_FAILED;
}

enum epoch_check_result
epoch_check(struct maildrop *drop, const struct policy_epoch *epoch,
	    struct policy_store *store, const char **reason_r)
{
	struct mailbox_transaction_context *trans;
	enum epoch_check_result result;
	struct mail *mail;

	if (epoch == NULL)
		return check_first(store, reason_r);
	*reason_r = find_difference(drop, epoch);
	if (*reason_r != NULL)
		return EPOCH_BROKEN;
	if (drop->checked_epoch == epoch->number &&
	    drop->uidnext == epoch->uidnext)
		return EPOCH_STEADY;

	trans = mailbox_transaction_begin(drop->box, 0, __func__);
	mail = mail_alloc(trans, 0, NULL);
	result = check_anchors(drop, mail, epoch, store, reason_r);
	mail_free(&mail);
	/* a poll writes nothing, also not into the cache */
	mailbox_transaction_rollback(&trans);
	return result;
}
