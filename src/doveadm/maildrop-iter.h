#ifndef POP3_POLICY_MAILDROP_ITER_H
#define POP3_POLICY_MAILDROP_ITER_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct mail;
struct maildrop_cmd;

enum maildrop_order {
	MAILDROP_ORDER_UID,
	/* in which POP3 numbers the messages, beginning with 1 */
	MAILDROP_ORDER_POP3
};

/* All messages of a maildrop. */
struct maildrop_iter;

struct maildrop_iter *
maildrop_iter_init(struct maildrop_cmd *cmd, enum maildrop_order order);
/* Returns FALSE at the end, also when that came too early. */
bool maildrop_iter_next(struct maildrop_iter *iter, struct mail **mail_r);
/* Returns 0, or -1 and an error if not all messages could be listed. */
int maildrop_iter_deinit(struct maildrop_iter **iter, const char **error_r);

#endif
