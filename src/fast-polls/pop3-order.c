/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "mail-storage-private.h"
#include "mbox-storage.h"
#include "sdbox-storage.h"
#include "mdbox-storage.h"
#include "pop3-order.h"

/* dbox notes in its header when it has stored the first one. */
static bool sdbox_has_no_orders(struct mailbox *box)
{
	struct sdbox_mailbox *mbox = SDBOX_MAILBOX(box);

	return !dbox_header_have_flag(box, mbox->hdr_ext_id,
		offsetof(struct sdbox_index_header, flags),
		DBOX_INDEX_HEADER_FLAG_HAVE_POP3_ORDERS);
}

static bool mdbox_has_no_orders(struct mailbox *box)
{
	struct mdbox_mailbox *mbox = MDBOX_MAILBOX(box);

	return !dbox_header_have_flag(box, mbox->hdr_ext_id,
		offsetof(struct mdbox_index_header, flags),
		DBOX_INDEX_HEADER_FLAG_HAVE_POP3_ORDERS);
}

bool pop3_order_is_impossible(struct mailbox *box)
{
	if (box->mail_vfuncs == &sdbox_mail_vfuncs)
		return sdbox_has_no_orders(box);
	if (box->mail_vfuncs == &mdbox_mail_vfuncs)
		return mdbox_has_no_orders(box);
	/* mbox has no place for them */
	return box->mail_vfuncs == &mbox_mail_vfuncs;
}
