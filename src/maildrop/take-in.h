#ifndef POP3_POLICY_TAKE_IN_H
#define POP3_POLICY_TAKE_IN_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "seq-range-array.h"
#include "store.h"

struct maildrop;
struct policy_epoch;
struct stored_uidls;

/* What a session leaves to be written down. */
struct session_news {
	/* of the mailbox that the client was shown: newer messages wait */
	uint32_t uidnext;
	/* the client was shown messages */
	bool shown;
	/* UIDs of messages that were sent by RETR or TOP */
	ARRAY_TYPE(seq_range) seen;
	/* UIDs of messages that were downloaded whole, in a session that ended
	   with QUIT, and when that was */
	ARRAY_TYPE(seq_range) downloaded;
	time_t downloaded_at;
	/* the name of the device that has done so, or NULL */
	const char *device;
};

/* What was written of it. */
struct taken_in {
	/* messages that had no line */
	unsigned int added;
	/* the journal has lost lines of others, that have no new ones yet */
	bool lacks_lost;
};

/* Whether maildrop_take_in() would write, judged by the epoch (NULL if there is
   none) and the index: it costs nothing that grows with the mailbox. */
bool maildrop_take_in_is_due(const struct maildrop *drop,
			     const struct policy_epoch *epoch,
			     const struct session_news *news);

/* Write to the journal the messages that clients may know and that are still
   there: those that the session has seen, and then at most max_others others
   that have no line yet, the newest first. What the state knows of their
   downloads and the journal has lost is written with the time of now. The
   maildrop need not be synced any more: if somebody else has written of newer
   messages, only what this session adds to that is written. epoch is that of
   the session, or NULL for the first one; stored are its UIDLs, or NULL. When
   another epoch has begun meanwhile nothing is written. Returns
   POLICY_STORE_OK and what was written, or why nothing, with an error. */
enum policy_store_result
maildrop_take_in(struct maildrop *drop, struct policy_store *store,
		 const struct policy_epoch *epoch, struct stored_uidls *stored,
		 const struct session_news *news, unsigned int max_others,
		 struct taken_in *taken_r, const char **error_r);

#endif
