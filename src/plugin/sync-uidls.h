#ifndef POP3_POLICY_SYNC_UIDLS_H
#define POP3_POLICY_SYNC_UIDLS_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct mail;
struct mailbox;

/* The UIDLs of a maildrop for somebody who takes them elsewhere. Nothing is
   written: if the mailbox needs a recovery, it is done in memory only, since it
   may also be the other side of a conversion. */
struct sync_uidls;

struct sync_uidls *sync_uidls_init(struct mailbox *box);
void sync_uidls_deinit(struct sync_uidls **uidls);

/* The UIDL that POP3 clients are told for this message, in the data stack. The
   first call finds out about all of the mailbox, which must be synced; what goes
   wrong is logged, and no UIDL can be had then, unless errors are to be ignored.
   Returns 1, 0 if it is that of the storage, -1 with an error of the mailbox. */
int sync_uidls_get(struct sync_uidls *uidls, struct mail *mail,
		   const char **uidl_r);

#endif
