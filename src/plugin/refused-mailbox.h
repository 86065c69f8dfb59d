#ifndef POP3_POLICY_REFUSED_MAILBOX_H
#define POP3_POLICY_REFUSED_MAILBOX_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "mail-user.h"

struct mailbox;

/* A session is refused by the first line that the client is sent, but cannot be
   ended before the pop3 process has listed the maildrop. So that this costs
   nothing, nobody reads it: for such a session it is empty. */

/* The session of this user is refused; its maildrop is not allocated yet. */
void refused_mailbox_mark(struct mail_user *user);
/* The maildrop of a user was allocated, of which no session knows. */
void refused_mailbox_allocated(struct mailbox *box);

#endif
