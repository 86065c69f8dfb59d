#ifndef POP3_POLICY_COMPAT_AUTOEXPUNGE_H
#define POP3_POLICY_COMPAT_AUTOEXPUNGE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct mailbox;

/* What Dovecot's autoexpunge leaves of this mailbox at the end of a session:
   how many seconds a message stays after it was saved, and how many messages;
   0 is no limit. Several sections of the settings may apply to the mailbox:
   each limit is the strictest one. */
void compat_mailbox_get_autoexpunge(struct mailbox *box,
				    unsigned int *seconds_r,
				    unsigned int *max_mails_r);

#endif
