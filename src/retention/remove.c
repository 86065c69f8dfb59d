/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "mail-namespace.h"
#include "mail-storage-private.h"
#include "maildrop.h"
#include "copies.h"
#include "exempt.h"
#include "hidden.h"
#include "remove.h"

/* Locks are held for no longer than so many messages take; so many does
   autoexpunge at a time, too. */
#define BATCH_SIZE 1000
/* How often a batch is begun anew because others remove messages of it. */
#define MAX_TRIES 5
/* How often the mailbox to move to is looked for, and created if it is not
   there, as others may create or delete it at the same time. */
#define OPEN_TRIES 5

struct removal {
	struct maildrop *drop;
	const struct retention_policy *policy;
	/* what the view is not asked about */
	const ARRAY_TYPE(seq_range) *undownloaded;
	/* NULL if messages are expunged only */
	struct mailbox *dest;

	/* of the batch, until it is committed */
	struct mailbox_transaction_context *dest_trans;
	/* of the last message that was copied, if copies are checked */
	uoff_t last_body_size;
	/* UIDs of the batch that are expunged, if all goes well */
	ARRAY_TYPE(seq_range) expunged;
	bool began;
	bool stuck;
};

static const char *box_error(struct mailbox *box)
{
	return t_strdup_printf("%s: %s", mailbox_get_vname(box),
		mailbox_get_last_internal_error(box, NULL));
}

static int
sync_box(struct mailbox *box, enum mailbox_sync_flags flags,
	 const char **error_r)
{
	if (mailbox_sync(box, flags) < 0) {
		*error_r = box_error(box);
		return -1;
	}
	return 0;
}

/* Returns 1, 0 if the message is gone, so that the batch has to begin anew, as
   storages do not go on after a failed copy, -1 and an error. */
static int
move_message(struct removal *removal, struct mail *mail, const char **error_r)
{
	struct mail_save_context *save_ctx;

	if (retention_copies_are_checked(removal->dest) &&
	    retention_read_body_size(mail, &removal->last_body_size) < 0) {
		*error_r = maildrop_mail_error(mail);
		return mail->expunged ? 0 : -1;
	}
	save_ctx = mailbox_save_alloc(removal->dest_trans);
	mailbox_save_copy_flags(save_ctx, mail);
	if (mailbox_move(&save_ctx, mail) == 0)
		return 1;
	*error_r = t_strdup_printf("UID %u cannot be copied to %s", mail->uid,
				   box_error(removal->dest));
	return mail->expunged ? 0 : -1;
}

/* Returns as move_message(). */
static int
remove_messages(struct removal *removal,
		struct mailbox_transaction_context *trans,
		const ARRAY_TYPE(seq_range) *batch, const char **error_r)
{
	struct mail *mail = mail_alloc(trans, 0, NULL);
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid;
	int ret = 1;

	seq_range_array_iter_init(&iter, batch);
	while (ret > 0 && seq_range_array_iter_nth(&iter, n++, &uid)) {
		if (!maildrop_set_uid(mail, uid))
			continue;
		if (removal->dest == NULL)
			mail_expunge(mail);
		else
			ret = move_message(removal, mail, error_r);
		if (ret > 0)
			seq_range_array_add(&removal->expunged, uid);
	}
	mail_free(&mail);
	return ret;
}

static int commit_copies(struct removal *removal, const char **error_r)
{
	struct mail_transaction_commit_changes changes;
	int ret = 0;

	if (mailbox_transaction_commit_get_changes(&removal->dest_trans,
						   &changes) < 0) {
		*error_r = box_error(removal->dest);
		return -1;
	}
	if (array_count(&removal->expunged) > 0 &&
	    retention_copies_are_checked(removal->dest)) {
		ret = retention_check_copies(removal->dest, &changes,
					     removal->last_body_size, error_r);
	}
	pool_unref(&changes.pool);
	return ret;
}

/* Copies are committed before anything is expunged. Returns as
   move_message(). */
static int
move_messages(struct removal *removal,
	      struct mailbox_transaction_context *trans,
	      const ARRAY_TYPE(seq_range) *batch, const char **error_r)
{
	int ret;

	removal->dest_trans = mailbox_transaction_begin(removal->dest,
		MAILBOX_TRANSACTION_FLAG_EXTERNAL, __func__);
	ret = remove_messages(removal, trans, batch, error_r);
	if (ret <= 0) {
		mailbox_transaction_rollback(&removal->dest_trans);
		return ret;
	}
	return commit_copies(removal, error_r) < 0 ? -1 : 1;
}

/* A storage that finds itself damaged may repair itself instead of expunging,
   and say nothing of it. */
static int
check_expunged(struct removal *removal, ARRAY_TYPE(seq_range) *removed,
	       const char **error_r)
{
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid, seq1, seq2;
	int ret = 0;

	seq_range_array_iter_init(&iter, &removal->expunged);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		mailbox_get_seq_range(removal->drop->box, uid, uid, &seq1,
				      &seq2);
		if (seq1 == 0) {
			seq_range_array_add(removed, uid);
		} else if (ret == 0) {
			*error_r = t_strdup_printf("UID %u cannot be expunged",
						   uid);
			ret = -1;
		}
	}
	return ret;
}

static int
commit_expunges(struct removal *removal,
		struct mailbox_transaction_context **trans,
		ARRAY_TYPE(seq_range) *removed, const char **error_r)
{
	struct mailbox *box = removal->drop->box;
	const char *error = NULL;

	if (mailbox_transaction_commit(trans) < 0)
		error = box_error(box);
	if (sync_box(box, 0, error_r) < 0)
		return -1;
	if (check_expunged(removal, removed, error_r) < 0) {
		if (error != NULL)
			*error_r = error;
		removal->stuck = TRUE;
		return -1;
	}
	return 0;
}

/* Returns as move_message(). */
static int
try_batch(struct removal *removal, const ARRAY_TYPE(seq_range) *batch,
	  ARRAY_TYPE(seq_range) *removed, const char **error_r)
{
	struct mailbox_transaction_context *trans;
	int ret;

	array_clear(&removal->expunged);
	trans = mailbox_transaction_begin(removal->drop->box, 0, __func__);
	ret = removal->dest == NULL ?
		remove_messages(removal, trans, batch, error_r) :
		move_messages(removal, trans, batch, error_r);
	if (ret <= 0) {
		mailbox_transaction_rollback(&trans);
		return ret;
	}
	return commit_expunges(removal, &trans, removed, error_r) < 0 ? -1 : 1;
}

static int
find_hidden(struct removal *removal, const ARRAY_TYPE(seq_range) *batch,
	    ARRAY_TYPE(seq_range) *hidden, const char **error_r)
{
	ARRAY_TYPE(seq_range) downloaded;

	t_array_init(&downloaded, 8);
	array_append_array(&downloaded, batch);
	seq_range_array_remove_seq_range(&downloaded, removal->undownloaded);
	return retention_find_hidden(removal->drop, removal->policy->view,
				     &downloaded, hidden, error_r);
}

/* Others may have done something since the messages were judged. */
static int
look_again(struct removal *removal, ARRAY_TYPE(seq_range) *batch,
	   const char **error_r)
{
	ARRAY_TYPE(seq_range) staying;
	int ret;

	if (sync_box(removal->drop->box, MAILBOX_SYNC_FLAG_FULL_READ,
		     error_r) < 0)
		return -1;
	t_array_init(&staying, 8);
	ret = retention_find_exempt(removal->drop, removal->policy->exempt,
				    batch, &staying, error_r);
	if (ret == 0)
		ret = find_hidden(removal, batch, &staying, error_r);
	seq_range_array_remove_seq_range(batch, &staying);
	return ret;
}

static int
remove_batch(struct removal *removal, ARRAY_TYPE(seq_range) *batch,
	     ARRAY_TYPE(seq_range) *removed, const char **error_r)
{
	unsigned int tries = 0;
	int ret = 0;

	while (ret == 0 && tries++ < MAX_TRIES) {
		if (look_again(removal, batch, error_r) < 0)
			return -1;
		removal->began = TRUE;
		ret = try_batch(removal, batch, removed, error_r);
	}
	return ret <= 0 ? -1 : 0;
}

/* If the first message cannot be expunged, there should not be a copy of
   many. */
static unsigned int batch_size(const struct removal *removal)
{
	return removal->dest != NULL && !removal->began ? 1 : BATCH_SIZE;
}

static int
remove_all(struct removal *removal, const ARRAY_TYPE(seq_range) *uids,
	   ARRAY_TYPE(seq_range) *removed, const char **error_r)
{
	ARRAY_TYPE(seq_range) batch;
	struct seq_range_iter iter;
	unsigned int n = 0, count = 0;
	uint32_t uid;
	bool more = TRUE;
	int ret = 0;

	i_array_init(&batch, 16);
	i_array_init(&removal->expunged, 16);
	seq_range_array_iter_init(&iter, uids);
	while (more && ret == 0) T_BEGIN {
		more = seq_range_array_iter_nth(&iter, n++, &uid);
		if (more) {
			seq_range_array_add(&batch, uid);
			count++;
		}
		if (count > 0 && (!more || count == batch_size(removal))) {
			ret = remove_batch(removal, &batch, removed, error_r);
			array_clear(&batch);
			count = 0;
		}
	} T_END_PASS_STR_IF(ret < 0, error_r);
	array_free(&removal->expunged);
	array_free(&batch);
	return ret;
}

static bool changed_meanwhile(struct mailbox *box)
{
	enum mail_error error = mailbox_get_last_mail_error(box);

	return error == MAIL_ERROR_EXISTS || error == MAIL_ERROR_NOTFOUND;
}

static int open_or_create(struct mailbox *box)
{
	unsigned int tries = 0;

	while (mailbox_open(box) < 0) {
		if (mailbox_get_last_mail_error(box) != MAIL_ERROR_NOTFOUND ||
		    ++tries == OPEN_TRIES)
			return -1;
		if (mailbox_create(box, NULL, FALSE) < 0 &&
		    !changed_meanwhile(box))
			return -1;
	}
	return 0;
}

static int
move_all(struct removal *removal, const ARRAY_TYPE(seq_range) *uids,
	 ARRAY_TYPE(seq_range) *removed, const char **error_r)
{
	struct mailbox *box = removal->drop->box;
	const char *name = removal->policy->move_to;
	struct mail_namespace *ns;
	int ret = -1;

	ns = mail_namespace_find(box->storage->user->namespaces, name);
	/* it is the admin's word, not the user's */
	removal->dest = mailbox_alloc(ns->list, name, MAILBOX_FLAG_SAVEONLY |
				      MAILBOX_FLAG_IGNORE_ACLS);
	if (open_or_create(removal->dest) < 0 ||
	    mailbox_sync(removal->dest, 0) < 0) {
		*error_r = box_error(removal->dest);
	} else if (mailbox_backends_equal(box, removal->dest)) {
		*error_r = t_strdup_printf("%s is the maildrop itself",
					   mailbox_get_vname(removal->dest));
	} else {
		ret = remove_all(removal, uids, removed, error_r);
	}
	mailbox_free(&removal->dest);
	return ret;
}

enum retention_remove_result
retention_remove(struct maildrop *drop, const struct retention_policy *policy,
		 const ARRAY_TYPE(seq_range) *uids,
		 const ARRAY_TYPE(seq_range) *undownloaded,
		 ARRAY_TYPE(seq_range) *removed, const char **error_r)
{
	struct removal removal = {
		.drop = drop, .policy = policy, .undownloaded = undownloaded,
	};
	int ret;

	ret = policy->move_to == NULL ?
		remove_all(&removal, uids, removed, error_r) :
		move_all(&removal, uids, removed, error_r);
	if (ret == 0)
		return RETENTION_REMOVE_DONE;
	return removal.stuck ? RETENTION_REMOVE_STUCK : RETENTION_REMOVE_FAILED;
}
