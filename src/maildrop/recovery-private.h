#ifndef POP3_POLICY_RECOVERY_PRIVATE_H
#define POP3_POLICY_RECOVERY_PRIVATE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "uidl-match.h"
#include "epoch.h"
#include "recovery.h"

struct recovery {
	pool_t pool;
	struct maildrop *drop;
	struct mail *mail;
	/* NULL if the state was lost */
	const struct policy_epoch *old;
	/* of the journal; 0 if there is none */
	uint32_t journal_epoch;
	uint32_t journal_generation;
	/* it is not there, or lines of it are not */
	bool journal_has_lost;

	ARRAY_TYPE(pop3_message) known;
	ARRAY_TYPE(pop3_found_message) found;
	/* UIDs of the journal are those of the mailbox, unless other messages
	   have got them */
	bool same_uids;
	/* the mailbox is not what became of the one that was known */
	bool other_mailbox;
	/* messages of this mailbox are back under new UIDs; others may follow */
	bool some_returned;
	/* a message could not be found that the index has: the mailbox is to be
	   synced again before anything is said of it */
	bool is_out_of_sync;
	/* UIDs below are proven not to be used a second time */
	uint32_t proven_below;

	/* what is to be written: messages that are there in the order of UIDs,
	   then those that are gone */
	struct policy_epoch epoch;
	ARRAY_TYPE(pop3_message) messages;
	struct recovery_counts counts;
};

/* A message could not be read. Returns -1 and an error. */
int recovery_mail_failed(struct recovery *recovery, const char **error_r);

/* Find the messages of the maildrop, match them with the known ones, and judge by
   the matches what became of the mailbox. Returns 0, or -1 and an error. */
int recovery_match(struct recovery *recovery, const char **error_r);
/* Give each message that was found its UIDL, and fill in messages and the sets of
   the epoch. Returns 0, or -1 and an error. */
int recovery_assign_uidls(struct recovery *recovery, const char **error_r);

#endif
