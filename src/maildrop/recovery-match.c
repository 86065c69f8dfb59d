/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "mail-storage.h"
#include "epoch.h"
#include "maildrop.h"
#include "recovery-private.h"

int recovery_mail_failed(struct recovery *recovery, const char **error_r)
{
	*error_r = maildrop_mail_error(recovery->mail);
	recovery->is_out_of_sync = recovery->mail->expunged;
	return -1;
}

static int
find_message(struct recovery *recovery, const char **error_r)
{
	struct pop3_found_message *found;
	const char *guid;
	int ret;

	T_BEGIN {
		ret = maildrop_guid(recovery->mail, &guid);
		if (ret == 0) {
			found = array_append_space(&recovery->found);
			found->uid = recovery->mail->uid;
			found->guid = p_strdup(recovery->pool, guid);
			found->hash = "";
		}
	} T_END;
	return ret == 0 ? 0 : recovery_mail_failed(recovery, error_r);
}

/* The messages that are there, with their GUIDs. */
static int find_messages(struct recovery *recovery, const char **error_r)
{
	uint32_t seq;

	p_array_init(&recovery->found, recovery->pool,
		     recovery->drop->messages + 1);
	for (seq = 1; seq <= recovery->drop->messages; seq++) {
		mail_set_seq(recovery->mail, seq);
		if (find_message(recovery, error_r) < 0)
			return -1;
	}
	return 0;
}

static unsigned int count_matched(const struct recovery *recovery)
{
	const struct pop3_found_message *found;
	unsigned int count = 0;

	array_foreach(&recovery->found, found) {
		if (found->known != NULL)
			count++;
	}
	return count;
}

/* Headers are read only if there is something to be found by them. */
static bool needs_hashes(const struct recovery *recovery, unsigned int matched)
{
	return matched < array_count(&recovery->known) &&
		matched < array_count(&recovery->found);
}

static int
read_hash(struct recovery *recovery, struct pop3_found_message *found,
	  const char **error_r)
{
	const char *hash;
	int ret = 0;

	T_BEGIN {
		if (maildrop_set_uid(recovery->mail, found->uid))
			ret = maildrop_fingerprint(recovery->mail, &hash);
		else
			hash = "";
		if (ret == 0)
			found->hash = p_strdup(recovery->pool, hash);
	} T_END;
	return ret == 0 ? 0 : recovery_mail_failed(recovery, error_r);
}

static int read_hashes(struct recovery *recovery, const char **error_r)
{
	struct pop3_found_message *found;

	array_foreach_modifiable(&recovery->found, found) {
		if (found->known == NULL &&
		    read_hash(recovery, found, error_r) < 0)
			return -1;
	}
	return 0;
}

static int match_messages(struct recovery *recovery, const char **error_r)
{
	struct recovery_counts *counts = &recovery->counts;
	unsigned int matched;

	/* between equal messages, UIDs that may mean nothing do no harm */
	pop3_uidl_match_guids(&recovery->known, &recovery->found, TRUE);
	matched = count_matched(recovery);
	counts->kept_by_guid = matched;
	if (needs_hashes(recovery, matched)) {
		if (read_hashes(recovery, error_r) < 0)
			return -1;
		counts->ambiguous = pop3_uidl_match_hashes(&recovery->known,
			&recovery->found, recovery->same_uids);
		matched = count_matched(recovery);
	}
	counts->kept_by_hash = matched - counts->kept_by_guid;
	counts->added = array_count(&recovery->found) - matched;
	return 0;
}

/* What the match of one known message tells about its UID. */
static void
judge_uid(struct recovery *recovery, const struct pop3_found_message *found,
	  bool matched)
{
	if (matched) {
		recovery->proven_below = I_MAX(recovery->proven_below,
					       found->uid + 1);
	} else {
		/* the UID is another message's now */
		recovery->other_mailbox = TRUE;
	}
}

static int
found_uid_cmp(const uint32_t *uid, const struct pop3_found_message *found)
{
	return *uid < found->uid ? -1 : *uid > found->uid ? 1 : 0;
}

static void judge_mailbox(struct recovery *recovery)
{
	const struct policy_epoch *old = recovery->old;
	const struct pop3_message *known;
	const struct pop3_found_message *found;

	recovery->other_mailbox = old == NULL ||
		old->uidvalidity != recovery->drop->uidvalidity ||
		old->uidnext > recovery->drop->uidnext;
	if (!recovery->same_uids)
		return;
	array_foreach(&recovery->known, known) {
		found = known->uid == 0 ? NULL :
			array_bsearch(&recovery->found, &known->uid,
				      found_uid_cmp);
		if (found != NULL)
			judge_uid(recovery, found, found->known == known);
	}
	array_foreach(&recovery->found, found) {
		if (found->known != NULL && found->known->uid != found->uid)
			recovery->some_returned = TRUE;
	}
}

int recovery_match(struct recovery *recovery, const char **error_r)
{
	if (find_messages(recovery, error_r) < 0 ||
	    match_messages(recovery, error_r) < 0)
		return -1;
	judge_mailbox(recovery);
	return 0;
}
