/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "mail-storage-private.h"
#include "maildir-storage.h"
#include "maildir-filename.h"
#include "maildir-uidlist.h"
#include "maildir-survey.h"

bool maildir_survey_is_for(const struct mailbox *box)
{
	return box->mail_vfuncs == &maildir_mail_vfuncs;
}

static struct maildir_uidlist *get_uidlist(struct mailbox *box)
{
	struct maildir_mailbox *mbox = MAILDIR_MAILBOX(box);

	return mbox->uidlist;
}

const char *maildir_uidlist_path(struct mailbox *box)
{
	const char *dir;

	if (mailbox_get_path_to(box, MAILBOX_LIST_PATH_TYPE_CONTROL, &dir) <= 0)
		i_unreached();
	return t_strconcat(dir, "/"MAILDIR_UIDLIST_NAME, NULL);
}

bool maildir_uidlist_is_in_memory(struct mailbox *box)
{
	return maildir_uidlist_is_read(get_uidlist(box));
}

int maildir_uidlist_write_pending(struct mailbox *box)
{
	return maildir_uidlist_update(get_uidlist(box));
}

int maildir_uidlist_read_again(struct mailbox *box)
{
	return maildir_uidlist_refresh(get_uidlist(box)) > 0 ? 0 : -1;
}

int maildir_survey_stored(struct mailbox *box, bool *has_uidls_r,
			  bool *has_orders_r)
{
	struct maildir_uidlist *uidlist = get_uidlist(box);
	uint32_t seq, uid, count = mail_index_view_get_messages_count(box->view);
	bool has_uidls = FALSE, has_orders = FALSE;

	if (!maildir_uidlist_is_read(uidlist) &&
	    maildir_uidlist_refresh(uidlist) < 0)
		return -1;
	for (seq = 1; seq <= count && !(has_uidls && has_orders); seq++) {
		mail_index_lookup_uid(box->view, seq, &uid);
		has_uidls = has_uidls || maildir_uidlist_lookup_ext(uidlist, uid,
			MAILDIR_UIDLIST_REC_EXT_POP3_UIDL) != NULL;
		has_orders = has_orders ||
			maildir_uidlist_lookup_ext(uidlist, uid,
				MAILDIR_UIDLIST_REC_EXT_POP3_ORDER) != NULL;
	}
	*has_uidls_r = has_uidls;
	*has_orders_r = has_orders;
	return 0;
}

int maildir_survey_size(struct mailbox *box, uint32_t uid, uoff_t *size_r)
{
	struct maildir_uidlist *uidlist = get_uidlist(box);
	enum maildir_uidlist_rec_flag flags;
	const char *name, *value;

	if (maildir_uidlist_lookup(uidlist, uid, &flags, &name) <= 0)
		return -1;
	/* in the order in which Dovecot believes them */
	if (maildir_filename_get_size(name, MAILDIR_EXTRA_VIRTUAL_SIZE, size_r))
		return 1;
	value = maildir_uidlist_lookup_ext(uidlist, uid,
					   MAILDIR_UIDLIST_REC_EXT_VSIZE);
	return value != NULL && str_to_uint64(value, size_r) == 0 ? 1 : 0;
}
