#ifndef POP3_POLICY_RETURNED_H
#define POP3_POLICY_RETURNED_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct mail;
struct maildrop;
struct policy_epoch;
struct policy_store;

/* Whether a message that the journal knows was gone and is back under a new UID,
   as after a power failure that has undone an expunge, or when a mailbox that
   looked empty is put right. Looked for are messages that are new to the epoch but
   were received before it was last written, and only if the journal has lines of
   messages that are not there. mail is used for it. Returns 1, also if the epoch
   is known by its brief and all of it is needed to tell, 0, or -1 and an error. */
int maildrop_find_returned(struct maildrop *drop, struct mail *mail,
			   const struct policy_epoch *epoch,
			   struct policy_store *store, const char **error_r);

#endif
