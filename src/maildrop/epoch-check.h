#ifndef POP3_POLICY_EPOCH_CHECK_H
#define POP3_POLICY_EPOCH_CHECK_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct mail;
struct maildrop;
struct policy_anchor;
struct policy_epoch;
struct policy_store;

enum epoch_check_result {
	/* Dovecot's own UIDLs, and those that are stored, are what clients
	   know */
	EPOCH_STEADY,
	/* nothing was ever written for this user: likewise */
	EPOCH_FIRST,
	/* something does not fit: a recovery must find out */
	EPOCH_BROKEN,
	/* it cannot be known */
	EPOCH_FAILED
};

/* Compare the maildrop with what is known of it (NULL for nothing). Most often
   the time that this takes does not grow with the mailbox: only when known
   messages are missing, or are more than they were, the journal may be read
   whole, and messages be looked at. *reason_r is set, in the data stack, when
   the epoch is broken: what does not fit; when it failed: why. */
enum epoch_check_result
epoch_check(struct maildrop *drop, const struct policy_epoch *epoch,
	    struct policy_store *store, const char **reason_r);

/* UIDs from this one on were never told for another message of the mailbox as it
   is; 0 if none was. */
uint32_t epoch_told_below(const struct maildrop *drop,
			  const struct policy_epoch *epoch);
/* Note that UIDs below the epoch's next one are told from now on. Those of
   messages that came after the client was shown the maildrop are not. */
void epoch_set_told(const struct maildrop *drop, struct policy_epoch *epoch);

/* Whether nobody has written about UIDLs since the epoch was read (NULL if there
   was none) and the current one. */
bool epoch_is_unchanged(const struct policy_epoch *epoch,
			const struct policy_epoch *current);

/* Whether the message is that of the anchor. Returns 1, 0, or -1 if it cannot be
   read. */
int epoch_anchor_compare(struct mail *mail, const struct policy_anchor *anchor);

#endif
