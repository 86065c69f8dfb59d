/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "mail-storage-private.h"
#include "epoch.h"
#include "journal.h"
#include "maildrop.h"
#include "returned.h"

HASH_TABLE_DEFINE_TYPE(absent_lines, const char *, const char *);

/* Returns 1, 0 also if the message is gone, or -1. */
static int is_older(struct mail *mail, time_t listed)
{
	time_t received;

	if (mail_get_received_date(mail, &received) < 0)
		return mail->expunged ? 0 : -1;
	return received <= listed ? 1 : 0;
}

/* Returns 0, or -1 if a message cannot be read. */
static int
find_older(struct maildrop *drop, struct mail *mail,
	   const struct policy_epoch *epoch, ARRAY_TYPE(seq_range) *older)
{
	uint32_t seq1, seq2;
	int ret = 0;

	mailbox_get_seq_range(drop->box, epoch->uidnext, drop->uidnext - 1,
			      &seq1, &seq2);
	if (seq1 == 0)
		return 0;
	for (; seq1 <= seq2 && ret >= 0; seq1++) {
		mail_set_seq(mail, seq1);
		ret = is_older(mail, epoch->listed);
		if (ret > 0)
			seq_range_array_add(older, seq1);
	}
	return ret < 0 ? -1 : 0;
}

static bool
line_is_present(struct maildrop *drop, const struct pop3_message *line)
{
	return line->uid != 0 &&
		maildrop_count(drop, line->uid, line->uid + 1) > 0;
}

static void
set_lines(struct maildrop *drop, const struct policy_journal *journal,
	  bool present, HASH_TABLE_TYPE(absent_lines) absent)
{
	const struct pop3_message *line;

	array_foreach(&journal->messages, line) {
		if (line_is_present(drop, line) != present)
			continue;
		/* GUIDs and hashes do not look alike */
		if (*line->guid != '\0') {
			hash_table_update(absent, line->guid,
					  present ? NULL : line->guid);
		}
		if (*line->hash != '\0') {
			hash_table_update(absent, line->hash,
					  present ? NULL : line->hash);
		}
	}
}

/* Of copies of one message, one that is there means that a new one is another
   copy. */
static void
add_absent_lines(struct maildrop *drop, const struct policy_journal *journal,
		 HASH_TABLE_TYPE(absent_lines) absent)
{
	set_lines(drop, journal, FALSE, absent);
	set_lines(drop, journal, TRUE, absent);
}

/* Returns 1, 0 also if the message is gone, or -1. */
static int is_absent(struct mail *mail, HASH_TABLE_TYPE(absent_lines) absent)
{
	const char *key;
	int ret;

	ret = maildrop_guid(mail, &key);
	if (ret == 0 && *key == '\0')
		ret = maildrop_fingerprint(mail, &key);
	if (ret < 0)
		return mail->expunged ? 0 : -1;
	return hash_table_lookup(absent, key) != NULL ? 1 : 0;
}

static int
compare(struct mail *mail, const ARRAY_TYPE(seq_range) *older,
	HASH_TABLE_TYPE(absent_lines) absent)
{
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t seq;
	int ret = 0;

	seq_range_array_iter_init(&iter, older);
	while (ret == 0 && seq_range_array_iter_nth(&iter, n++, &seq)) T_BEGIN {
		mail_set_seq(mail, seq);
		ret = is_absent(mail, absent);
	} T_END;
	return ret;
}

static int
find_new_uids(struct maildrop *drop, struct mail *mail,
	      const struct policy_journal *journal,
	      const ARRAY_TYPE(seq_range) *older)
{
	HASH_TABLE_TYPE(absent_lines) absent;
	int ret;

	if (array_count(older) == 0)
		return 0;
	hash_table_create(&absent, default_pool,
			  array_count(&journal->messages), str_hash, strcmp);
	add_absent_lines(drop, journal, absent);
	ret = compare(mail, older, absent);
	hash_table_destroy(&absent);
	return ret;
}

/* Whether this message would be told another UIDL than the journal has. */
static int
line_differs(struct maildrop *drop, struct mail *mail,
	     const struct policy_epoch *epoch, const struct pop3_message *line)
{
	const char *uidl;

	if (line->uid == 0 || seq_range_exists(&epoch->stored, line->uid) ||
	    !maildrop_set_uid(mail, line->uid))
		return 0;
	if (maildrop_own_uidl(drop, mail, &uidl) < 0)
		return mail->expunged ? 0 : -1;
	return strcmp(uidl, line->uidl) == 0 ? 0 : 1;
}

static int
find_old_uids(struct maildrop *drop, struct mail *mail,
	      const struct policy_epoch *epoch,
	      const struct policy_journal *journal)
{
	const struct pop3_message *line;
	int ret = 0;

	array_foreach(&journal->messages, line) {
		T_BEGIN {
			ret = line_differs(drop, mail, epoch, line);
		} T_END;
		if (ret != 0)
			break;
	}
	return ret;
}

static int
compare_with_journal(struct maildrop *drop, struct mail *mail,
		     const struct policy_epoch *epoch,
		     struct policy_store *store,
		     const ARRAY_TYPE(seq_range) *older, const char **error_r)
{
	struct policy_journal *journal;
	int ret;

	ret = policy_journal_read(store, epoch->journal_generation, &journal,
				  error_r);
	if (ret <= 0)
		return ret;
	ret = find_new_uids(drop, mail, journal, older);
	if (ret == 0 && maildrop_has_grown_below(drop, epoch))
		ret = find_old_uids(drop, mail, epoch, journal);
	if (ret < 0)
		*error_r = maildrop_mail_error(mail);
	policy_journal_free(&journal);
	return ret;
}

bool maildrop_has_grown_below(const struct maildrop *drop,
			      const struct policy_epoch *epoch)
{
	return maildrop_count(drop, 1, epoch->uidnext) > epoch->live;
}

static bool may_open_mail(const struct maildrop *drop)
{
	return !drop->only_looks ||
		strcmp(drop->box->storage->name, "mdbox") != 0;
}

static bool may_have_returned(const struct maildrop *drop,
			      const struct policy_epoch *epoch)
{
	return may_open_mail(drop) && drop->uidnext > epoch->uidnext &&
		epoch->listed != 0 &&
		epoch->journal_lines > maildrop_count(drop, 1, epoch->uidnext);
}

int maildrop_find_returned(struct maildrop *drop, struct mail *mail,
			   const struct policy_epoch *epoch,
			   struct policy_store *store, const char **error_r)
{
	ARRAY_TYPE(seq_range) older;

	t_array_init(&older, 8);
	if (may_have_returned(drop, epoch) &&
	    find_older(drop, mail, epoch, &older) < 0) {
		*error_r = maildrop_mail_error(mail);
		return -1;
	}
	if (epoch->journal_lines == 0 ||
	    (array_count(&older) == 0 &&
	     !maildrop_has_grown_below(drop, epoch)))
		return 0;
	if (epoch->journal_generation == 0)
		return 1;
	return compare_with_journal(drop, mail, epoch, store, &older, error_r);
}
