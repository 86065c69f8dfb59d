#ifndef POP3_POLICY_MAILDIR_SURVEY_H
#define POP3_POLICY_MAILDIR_SURVEY_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct mailbox;

/* What dovecot-uidlist says about the messages of a maildir that is open. Dovecot
   is asked, who reads the file once and then has it in memory. */

/* Whether the mailbox is a maildir, and messages are told as Dovecot tells them. */
bool maildir_survey_is_for(const struct mailbox *box);
/* Path of the file, in the data stack. */
const char *maildir_uidlist_path(struct mailbox *box);
/* Whether Dovecot has read the file. */
bool maildir_uidlist_is_in_memory(struct mailbox *box);
/* Have Dovecot write now what it would write when the mailbox is closed. Returns
   0, or -1 if it could not: that is logged. */
int maildir_uidlist_write_pending(struct mailbox *box);
/* Have Dovecot read the file again if it is another one. Returns 0, or -1 if it
   cannot be read: that is logged. */
int maildir_uidlist_read_again(struct mailbox *box);

/* Whether any message has a UIDL or a POP3 order that is stored. Returns 0, or -1
   if the file cannot be read: that is logged. */
int maildir_survey_stored(struct mailbox *box, bool *has_uidls_r,
			  bool *has_orders_r);
/* The size of a message on the wire, if the file says it, or the message's name
   in it. Returns 1, 0 if it does not, -1 if it does not have the message. */
int maildir_survey_size(struct mailbox *box, uint32_t uid, uoff_t *size_r);

#endif
