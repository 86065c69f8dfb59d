#ifndef POP3_POLICY_RETURNED_H
#define POP3_POLICY_RETURNED_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct mail;
struct maildrop;
struct policy_epoch;
struct policy_store;

/* Whether there are more messages with UIDs of the epoch than when it was last
   written. */
bool maildrop_has_grown_below(const struct maildrop *drop,
			      const struct policy_epoch *epoch);
/* Whether a message that the journal knows was gone and is back, as after a power
   failure that has undone an expunge, or when a mailbox that looked empty is put
   right. Looked for are messages that are new to the epoch but were received before
   it was last written, if the journal has lines of messages that are not there; and
   ones that have their old UID, but would be told another UIDL, if there are more
   messages with old UIDs than there were. A copy of a message that is there does
   not count. Of an mdbox no message is opened to know when it was received if
   drop->only_looks: then those are not found. mail is used for it. Returns 1, also
   if the epoch is known by its brief and all of it is needed to tell, 0, or -1 and
   an error. */
int maildrop_find_returned(struct maildrop *drop, struct mail *mail,
			   const struct policy_epoch *epoch,
			   struct policy_store *store, const char **error_r);

#endif
