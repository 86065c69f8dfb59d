#ifndef POP3_POLICY_RETENTION_COPIES_H
#define POP3_POLICY_RETENTION_COPIES_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct mail;
struct mailbox;
struct mail_transaction_commit_changes;

/* Whether the word of this mailbox that copies were committed is not enough: an
   mbox says so also if the disk was full for the last octets, and then lacks all
   that was copied. */
bool retention_copies_are_checked(struct mailbox *dest);
/* The octets of the body of a message, with CRLF at the ends of lines. Returns 0,
   or -1 if it cannot be read (mail->expunged tells whether it is gone; the error is
   that of the mailbox). */
int retention_read_body_size(struct mail *mail, uoff_t *size_r);
/* Whether what was copied to dest in one transaction is there whole; body_size is
   that of the last message. Returns 0, or -1 and an error; then nothing may be
   expunged. */
int retention_check_copies(struct mailbox *dest,
			   const struct mail_transaction_commit_changes *changes,
			   uoff_t body_size, const char **error_r);

#endif
