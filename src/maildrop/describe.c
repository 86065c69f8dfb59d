/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "uidl.h"
#include "epoch.h"
#include "maildrop.h"
#include "stored-uidls.h"
#include "describe.h"

static int
get_told(struct maildrop *drop, struct stored_uidls *stored, struct mail *mail,
	 const char **uidl_r, const char **error_r)
{
	if (stored != NULL)
		return stored_uidls_get_told(stored, mail, uidl_r, error_r);
	if (maildrop_own_uidl(drop, mail, uidl_r) < 0) {
		*error_r = maildrop_mail_error(mail);
		return -1;
	}
	return 0;
}

static int
get_identity(struct mail *mail, const char **guid_r, const char **hash_r,
	     uoff_t *size_r, const char **error_r)
{
	if (maildrop_guid(mail, guid_r) < 0 ||
	    mail_get_virtual_size(mail, size_r) < 0 ||
	    maildrop_fingerprint(mail, hash_r) < 0) {
		*error_r = maildrop_mail_error(mail);
		return -1;
	}
	return 0;
}

int maildrop_describe(struct maildrop *drop, struct stored_uidls *stored,
		      struct mail *mail, pool_t pool,
		      struct pop3_message *message_r, const char **error_r)
{
	const char *guid, *hash, *uidl;
	uoff_t size;
	int ret;

	T_BEGIN {
		ret = get_identity(mail, &guid, &hash, &size, error_r);
		if (ret == 0)
			ret = get_told(drop, stored, mail, &uidl, error_r);
		if (ret == 0) {
			i_zero(message_r);
			message_r->uid = mail->uid;
			message_r->size = size;
			message_r->guid = p_strdup(pool, guid);
			message_r->hash = p_strdup(pool, hash);
			message_r->uidl = p_strdup(pool, uidl);
		}
	} T_END_PASS_STR_IF(ret < 0, error_r);
	if (ret < 0)
		return mail->expunged ? 0 : -1;
	return 1;
}

static int
set_anchor(struct maildrop *drop, struct stored_uidls *stored,
	   struct mail *mail, pool_t pool, struct policy_epoch *epoch,
	   const char **error_r)
{
	struct policy_anchor *anchor = &epoch->anchors[epoch->anchors_count];
	const char *guid, *hash = "", *uidl, *error;

	if (maildrop_guid(mail, &guid) < 0 ||
	    (*guid == '\0' && maildrop_fingerprint(mail, &hash) < 0)) {
		*error_r = maildrop_mail_error(mail);
		return -1;
	}
	if (get_told(drop, stored, mail, &uidl, error_r) < 0)
		return -1;
	anchor->uid = mail->uid;
	anchor->guid = p_strdup(pool, guid);
	anchor->hash = p_strdup(pool, hash);
	/* an X-UIDL header may have anything in it */
	anchor->uidl = pop3_uidl_is_valid(uidl, &error) ?
		p_strdup(pool, uidl) : "";
	epoch->anchors_count++;
	return 0;
}

/* Of so many messages, which is the anchor of this index? An older mailbox that
   was put back lacks the newest ones, or has others in their place. The last anchor
   outlasts their deletion. */
static uint32_t anchor_seq(unsigned int idx, uint32_t count)
{
	if (count <= POLICY_EPOCH_MAX_ANCHORS ||
	    idx < POLICY_EPOCH_MAX_ANCHORS - 1)
		return count - idx;
	return count / 2;
}

int epoch_choose_anchors(struct maildrop *drop, struct stored_uidls *stored,
			 pool_t pool, struct policy_epoch *epoch,
			 const char **error_r)
{
	struct mailbox_transaction_context *trans;
	struct mail *mail;
	unsigned int i;
	int ret = 0;

	epoch->live = maildrop_count(drop, 1, epoch->uidnext);
	epoch->anchors_count = 0;
	trans = mailbox_transaction_begin(drop->box, 0, __func__);
	mail = mail_alloc(trans, 0, NULL);
	for (i = 0; i < I_MIN(epoch->live, POLICY_EPOCH_MAX_ANCHORS); i++) {
		T_BEGIN {
			mail_set_seq(mail, anchor_seq(i, epoch->live));
			ret = set_anchor(drop, stored, mail, pool, epoch,
					 error_r);
			if (ret < 0 && mail->expunged)
				ret = 0;
		} T_END_PASS_STR_IF(ret < 0, error_r);
		if (ret < 0)
			break;
	}
	mail_free(&mail);
	/* for polls, GUIDs go into the cache where they are not at hand */
	(void)mailbox_transaction_commit(&trans);
	return ret;
}

static void
set_anchor_uidl(struct policy_epoch *epoch, const struct pop3_message *message)
{
	unsigned int i;

	for (i = 0; i < epoch->anchors_count; i++) {
		if (epoch->anchors[i].uid == message->uid)
			epoch->anchors[i].uidl = message->uidl;
	}
}

void epoch_set_anchor_uidls(struct policy_epoch *epoch,
			    const ARRAY_TYPE(pop3_message) *messages)
{
	const struct pop3_message *message;

	array_foreach(messages, message)
		set_anchor_uidl(epoch, message);
}
