/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "str.h"
#include "mail-storage-private.h"
#include "mail-cache.h"
#include "compat-mail-cache.h"
#include "uidl.h"
#include "epoch.h"
#include "journal.h"
#include "maildrop.h"
#include "stored-uidls.h"

#define CACHE_FIELD_NAME "pop3.policy.uidl"

struct stored_uidls {
	struct maildrop *drop;
	struct policy_store *store;
	ARRAY_TYPE(seq_range) uids;
	uint32_t journal_generation;
	char *epoch_number;
	unsigned int cache_field_idx;

	/* once it was needed */
	struct policy_journal *journal;
	HASH_TABLE(void *, const char *) journal_uidls;
	/* some of its lines are lost */
	bool journal_has_lost;
	/* and all of its UIDLs are in the cache */
	bool is_cached;
};

struct stored_uidls *
stored_uidls_init(struct maildrop *drop, struct policy_store *store,
		  const struct policy_epoch *epoch)
{
	struct stored_uidls *uidls = i_new(struct stored_uidls, 1);

	uidls->drop = drop;
	uidls->store = store;
	uidls->journal_generation = epoch->journal_generation;
	uidls->journal_has_lost = epoch->journal_lost;
	uidls->epoch_number = i_strdup(dec2str(epoch->number));
	i_array_init(&uidls->uids, array_count(&epoch->stored) + 1);
	array_append_array(&uidls->uids, &epoch->stored);
	if (array_count(&uidls->uids) > 0) {
		uidls->cache_field_idx = compat_mail_cache_register_text(
			drop->box->cache, CACHE_FIELD_NAME);
	}
	return uidls;
}

void stored_uidls_deinit(struct stored_uidls **_uidls)
{
	struct stored_uidls *uidls = *_uidls;

	if (uidls == NULL)
		return;
	*_uidls = NULL;
	hash_table_destroy(&uidls->journal_uidls);
	policy_journal_free(&uidls->journal);
	array_free(&uidls->uids);
	i_free(uidls->epoch_number);
	i_free(uidls);
}

bool stored_uidls_exist(const struct stored_uidls *uidls)
{
	return array_count(&uidls->uids) > 0;
}

/* What a value in the cache begins with. One that an earlier epoch has left does
   not count, nor one that came with a copy of another message. */
static const char *
cache_prefix(const struct stored_uidls *uidls, const struct mail *mail)
{
	return t_strconcat(uidls->epoch_number, ":", dec2str(mail->uid), ":",
			   NULL);
}

/* Returns 1 and the UIDL, 0 if the cache does not have it. */
static int
lookup_cache(struct stored_uidls *uidls, struct mail *mail, const char **uidl_r)
{
	const char *uidl, *error, *prefix = cache_prefix(uidls, mail);
	size_t prefix_len = strlen(prefix);
	string_t *value = t_str_new(128);

	if (mail_cache_lookup_field(mail->transaction->cache_view, value,
				    mail->seq, uidls->cache_field_idx) <= 0 ||
	    strncmp(str_c(value), prefix, prefix_len) != 0)
		return 0;
	uidl = str_c(value) + prefix_len;
	if (!pop3_uidl_is_valid(uidl, &error))
		return 0;
	*uidl_r = uidl;
	return 1;
}

/* It gets into the cache with the transaction of the mail. */
static void
add_to_cache(struct stored_uidls *uidls, struct mail *mail, const char *uidl)
{
	const char *value = t_strconcat(cache_prefix(uidls, mail), uidl,
					NULL);

	mail_cache_add(mail->transaction->cache_trans, mail->seq,
		       uidls->cache_field_idx, value, strlen(value));
}

/* Returns 1, 0 and an error if there is no such journal, -1 and an error. */
static int load_journal(struct stored_uidls *uidls, const char **error_r)
{
	const struct pop3_message *message;
	int ret;

	ret = policy_journal_read(uidls->store, uidls->journal_generation,
				  &uidls->journal, error_r);
	if (ret == 0)
		*error_r = "messages.jsonl is missing, or another one";
	if (ret <= 0)
		return ret;
	ret = policy_journal_is_torn(uidls->store, uidls->journal_generation,
				     error_r);
	if (ret < 0) {
		policy_journal_free(&uidls->journal);
		return -1;
	}
	if (ret > 0 || uidls->journal->damaged > 0)
		uidls->journal_has_lost = TRUE;
	hash_table_create_direct(&uidls->journal_uidls, default_pool,
				 array_count(&uidls->journal->messages));
	array_foreach(&uidls->journal->messages, message) {
		if (message->uid != 0) {
			hash_table_update(uidls->journal_uidls,
					  POINTER_CAST(message->uid),
					  message->uidl);
		}
	}
	return 1;
}

/* The set of UIDs may have some too many, whose UIDL is Dovecot's own. */
static int
lookup_own(struct stored_uidls *uidls, struct mail *mail, const char **uidl_r,
	   const char **error_r)
{
	if (uidls->journal_has_lost) {
		*error_r = t_strdup_printf("messages.jsonl is damaged, and has "
					   "no UIDL for UID %u", mail->uid);
		return 0;
	}
	if (maildrop_own_uidl(uidls->drop, mail, uidl_r) < 0) {
		*error_r = maildrop_mail_error(mail);
		return -1;
	}
	return 1;
}

static int
lookup_journal(struct stored_uidls *uidls, struct mail *mail,
	       const char **uidl_r, const char **error_r)
{
	const char *uidl;
	int ret = 1;

	if (uidls->journal == NULL)
		ret = load_journal(uidls, error_r);
	if (ret <= 0)
		return ret;
	uidl = hash_table_lookup(uidls->journal_uidls, POINTER_CAST(mail->uid));
	if (uidl == NULL) {
		/* a line may be lost, and the cache not */
		if (lookup_cache(uidls, mail, uidl_r) > 0)
			return 1;
		ret = lookup_own(uidls, mail, &uidl, error_r);
	}
	if (ret <= 0)
		return ret;
	if (!uidls->is_cached)
		add_to_cache(uidls, mail, uidl);
	*uidl_r = uidl;
	return 1;
}

/* Returns 1, 0 and an error if the UIDL is lost, -1 and an error. */
static int
lookup_stored(struct stored_uidls *uidls, struct mail *mail,
	      const char **uidl_r, const char **error_r)
{
	/* the cache is lost as a whole: once the journal is there, it is not
	   asked any more */
	if (uidls->journal == NULL && lookup_cache(uidls, mail, uidl_r) > 0)
		return 1;
	return lookup_journal(uidls, mail, uidl_r, error_r);
}

static int
prepare_messages(struct stored_uidls *uidls, struct mail *mail,
		 uint32_t seq1, uint32_t seq2, uint32_t step,
		 const char **error_r)
{
	const char *uidl;
	uint32_t seq;
	int ret = 1;

	for (seq = seq1; seq <= seq2 && ret > 0; seq += step) T_BEGIN {
		mail_set_seq(mail, seq);
		ret = lookup_stored(uidls, mail, &uidl, error_r);
		if (ret < 0 && mail->expunged)
			ret = 1;
	} T_END_PASS_STR_IF(ret <= 0, error_r);
	return ret;
}

/* Look at the first and the last message of each range. If the cache does not have
   them, put all into it. */
static int
prepare_range(struct stored_uidls *uidls, struct mail *mail,
	      const struct seq_range *range, const char **error_r)
{
	uint32_t seq1, seq2;
	int ret;

	mailbox_get_seq_range(uidls->drop->box, range->seq1, range->seq2,
			      &seq1, &seq2);
	if (seq1 == 0)
		return 1;
	ret = prepare_messages(uidls, mail, seq1, seq2,
			       I_MAX(seq2 - seq1, 1), error_r);
	if (ret > 0 && uidls->journal != NULL)
		ret = prepare_messages(uidls, mail, seq1, seq2, 1, error_r);
	return ret;
}

int stored_uidls_prepare(struct stored_uidls *uidls, const char **error_r)
{
	struct mailbox_transaction_context *trans;
	const struct seq_range *range;
	struct mail *mail;
	int ret = 1;

	if (!stored_uidls_exist(uidls))
		return 1;
	trans = mailbox_transaction_begin(uidls->drop->box, 0, __func__);
	mail = mail_alloc(trans, 0, NULL);
	array_foreach(&uidls->uids, range) {
		ret = prepare_range(uidls, mail, range, error_r);
		if (ret <= 0)
			break;
	}
	mail_free(&mail);
	(void)mailbox_transaction_commit(&trans);
	uidls->is_cached = uidls->journal != NULL;
	return ret;
}

int stored_uidls_lookup(struct stored_uidls *uidls, struct mail *mail,
			const char **uidl_r, const char **error_r)
{
	if (!seq_range_exists(&uidls->uids, mail->uid))
		return 0;
	return lookup_stored(uidls, mail, uidl_r, error_r) > 0 ? 1 : -1;
}

int stored_uidls_get_told(struct stored_uidls *uidls, struct mail *mail,
			  const char **uidl_r, const char **error_r)
{
	int ret = stored_uidls_lookup(uidls, mail, uidl_r, error_r);

	if (ret != 0)
		return ret < 0 ? -1 : 0;
	if (maildrop_own_uidl(uidls->drop, mail, uidl_r) < 0) {
		*error_r = maildrop_mail_error(mail);
		return -1;
	}
	return 0;
}
