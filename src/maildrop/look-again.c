/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "mail-storage-private.h"
#include "epoch.h"
#include "maildrop.h"
#include "look-again.h"

bool maildrop_known_are_gone(const struct maildrop *drop,
			     const struct policy_epoch *epoch)
{
	return epoch->live > 0 && drop->messages > 0 &&
		maildrop_count(drop, 1, epoch->uidnext) == 0;
}

static bool is_same(const struct maildrop *drop)
{
	struct mailbox_status status;

	mailbox_get_open_status(drop->box, STATUS_UIDVALIDITY | STATUS_UIDNEXT |
				STATUS_MESSAGES, &status);
	return status.uidvalidity == drop->uidvalidity &&
		status.uidnext == drop->uidnext &&
		status.messages == drop->messages;
}

int maildrop_look_again(struct maildrop *drop, const char **error_r)
{
	/* others would be made anew, with what was deleted */
	if (strcmp(drop->box->storage->name, "maildir") != 0)
		return 0;
	if (mailbox_sync(drop->box, MAILBOX_SYNC_FLAG_FORCE_RESYNC) < 0) {
		*error_r = mailbox_get_last_internal_error(drop->box, NULL);
		return -1;
	}
	return is_same(drop) ? 0 : 1;
}
