#ifndef POP3_POLICY_POP3_ORDER_H
#define POP3_POLICY_POP3_ORDER_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct mailbox;

/* Whether it is certain that no message of the mailbox has a POP3 order, which
   migrations store with messages, by what kind of storage it is. For a maildir it
   is not: that is in dovecot-uidlist. */
bool pop3_order_is_impossible(struct mailbox *box);

#endif
