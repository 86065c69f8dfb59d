/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "mail-storage-private.h"
#include "epoch.h"
#include "maildrop.h"
#include "look-again.h"

#include <dirent.h>

bool maildrop_known_are_gone(const struct maildrop *drop,
			     const struct policy_epoch *epoch)
{
	return epoch->live > 0 && drop->messages > 0 &&
		maildrop_count(drop, 1, epoch->uidnext) == 0;
}

static unsigned int count_files(const struct maildrop *drop, const char *folder)
{
	const char *path = t_strconcat(mailbox_get_path(drop->box), "/", folder,
				       NULL);
	DIR *dir = opendir(path);
	const struct dirent *entry;
	unsigned int count = 0;

	/* Dovecot says what is wrong with it */
	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.')
			count++;
	}
	(void)closedir(dir);
	return count;
}

static bool has_more_files(const struct maildrop *drop)
{
	return count_files(drop, "cur") + count_files(drop, "new") >
		drop->messages;
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
	/* a resync is more than a look: plugins may do more for it, too */
	if (!has_more_files(drop))
		return 0;
	if (mailbox_sync(drop->box, MAILBOX_SYNC_FLAG_FORCE_RESYNC) < 0) {
		*error_r = mailbox_get_last_internal_error(drop->box, NULL);
		return -1;
	}
	return is_same(drop) ? 0 : 1;
}
