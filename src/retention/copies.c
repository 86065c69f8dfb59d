/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "istream.h"
#include "message-size.h"
#include "mail-storage-private.h"
#include "copies.h"

bool retention_copies_are_checked(struct mailbox *dest)
{
	return strcmp(dest->storage->name, "mbox") == 0;
}

int retention_read_body_size(struct mail *mail, uoff_t *size_r)
{
	struct message_size hdr_size, body_size;
	struct istream *input;
	bool has_nuls;
	int ret;

	if (mail_get_stream_because(mail, &hdr_size, NULL, "check of a copy",
				    &input) < 0)
		return -1;
	i_stream_seek(input, hdr_size.physical_size);
	ret = message_get_body_size(input, &body_size, &has_nuls);
	*size_r = body_size.virtual_size;
	return ret < 0 ? -1 : 0;
}

static uint32_t last_uid(const struct mail_transaction_commit_changes *changes)
{
	const struct seq_range *range;

	if (array_count(&changes->saved_uids) == 0)
		return 0;
	range = array_back(&changes->saved_uids);
	return range->seq2;
}

/* An mbox is written from the front to the end: if the last message is whole, all
   are. */
static int
check_last(struct mailbox *dest, uint32_t uid, uoff_t body_size)
{
	struct mailbox_transaction_context *trans;
	struct mail *copy;
	uoff_t size;
	int ret = -1;

	trans = mailbox_transaction_begin(dest, 0, __func__);
	copy = mail_alloc(trans, 0, NULL);
	if (mail_set_uid(copy, uid) &&
	    retention_read_body_size(copy, &size) == 0 && size >= body_size)
		ret = 0;
	mail_free(&copy);
	mailbox_transaction_rollback(&trans);
	return ret;
}

int retention_check_copies(struct mailbox *dest,
			   const struct mail_transaction_commit_changes *changes,
			   uoff_t body_size, const char **error_r)
{
	if (mailbox_sync(dest, MAILBOX_SYNC_FLAG_FULL_READ) == 0 &&
	    check_last(dest, last_uid(changes), body_size) == 0)
		return 0;
	*error_r = t_strdup_printf("messages were copied to %s, but the copies "
				   "are not whole", mailbox_get_vname(dest));
	return -1;
}
