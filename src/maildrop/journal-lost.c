/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "uidl.h"
#include "epoch.h"
#include "journal.h"
#include "maildrop.h"
#include "journal-lost.h"

#include <time.h>

bool journal_has_lost_lines(const struct policy_epoch *epoch,
			    const struct policy_journal *journal)
{
	return journal == NULL || epoch->journal_lost || journal->torn ||
		journal->damaged > 0 || journal->lines < epoch->journal_lines;
}

bool journal_line_lacks_downloads(const struct policy_epoch *epoch,
				  uint32_t uid,
				  const struct pop3_message *line)
{
	const struct policy_device *device;

	if ((line == NULL || line->downloaded == 0) &&
	    seq_range_exists(&epoch->downloaded, uid))
		return TRUE;
	/* one that is full has forgotten the first ones, the state others */
	if (line != NULL &&
	    pop3_message_devices_count(line) >= POP3_DEVICES_MAX)
		return FALSE;
	array_foreach(&epoch->devices, device) {
		if (seq_range_exists(&device->downloaded, uid) &&
		    (line == NULL ||
		     pop3_message_device_downloaded(line, device->name) == 0))
			return TRUE;
	}
	return FALSE;
}

/* After lines were lost it is not known any more which messages had one. */
static bool may_have_had_line(const struct policy_epoch *epoch, uint32_t uid)
{
	return seq_range_exists(&epoch->recorded, uid) ||
		(epoch->journal_lost && uid < epoch->uidnext);
}

int journal_line_is_lost(struct maildrop *drop, struct mail *mail,
			 const struct policy_epoch *epoch,
			 const struct policy_journal *journal,
			 const struct pop3_message *line,
			 const char **error_r)
{
	const char *uidl, *error;

	if (journal_has_lost_lines(epoch, journal) &&
	    journal_line_lacks_downloads(epoch, mail->uid, line))
		return 1;
	if (line != NULL || !may_have_had_line(epoch, mail->uid))
		return 0;
	if (seq_range_exists(&epoch->stored, mail->uid))
		return 1;
	/* one that POP3 does not allow is in no journal */
	if (maildrop_own_uidl(drop, mail, &uidl) < 0) {
		*error_r = maildrop_mail_error(mail);
		return -1;
	}
	return pop3_uidl_is_valid(uidl, &error) ? 1 : 0;
}

time_t journal_lost_download_time(const struct policy_epoch *epoch)
{
	/* by a clock that is behind it would seem old */
	return I_MAX(time(NULL), epoch->retention.checked);
}

bool journal_line_add_downloads(pool_t pool, const struct policy_epoch *epoch,
				struct pop3_message *line)
{
	const struct policy_device *device;
	time_t now;

	if (!journal_line_lacks_downloads(epoch, line->uid, line))
		return FALSE;
	now = journal_lost_download_time(epoch);
	array_foreach(&epoch->devices, device) {
		if (seq_range_exists(&device->downloaded, line->uid)) {
			pop3_message_add_device(pool, line, device->name,
						now);
		}
	}
	if (line->downloaded == 0)
		line->downloaded = now;
	return TRUE;
}

void journal_line_restore(pool_t pool, struct policy_epoch *epoch,
			  struct pop3_message *line)
{
	if (!journal_line_add_downloads(pool, epoch, line))
		return;
	seq_range_array_add(&epoch->downloaded, line->uid);
	pop3_retention_bounds_add_download(&epoch->retention,
		journal_lost_download_time(epoch));
}
