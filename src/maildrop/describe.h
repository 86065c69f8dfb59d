#ifndef POP3_POLICY_DESCRIBE_H
#define POP3_POLICY_DESCRIBE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "message.h"

struct mail;
struct maildrop;
struct policy_epoch;
struct stored_uidls;

/* Make the record of a message, with strings in the pool and the UIDL that clients
   are told (stored may be NULL: then Dovecot's own). It reads the header. Returns
   1, 0 if the message is gone, -1 and an error. */
int maildrop_describe(struct maildrop *drop, struct stored_uidls *stored,
		      struct mail *mail, pool_t pool,
		      struct pop3_message *message_r, const char **error_r);

/* Write into the epoch by which messages the maildrop is known again: the newest
   ones below its uidnext, and two older ones. Strings are in the pool. Also counts
   what is below uidnext. Returns 0, or -1 and an error. */
int epoch_choose_anchors(struct maildrop *drop, struct stored_uidls *stored,
			 pool_t pool, struct policy_epoch *epoch,
			 const char **error_r);

/* Anchors that are among these messages are known by the UIDLs of these, which
   live as long as the epoch. */
void epoch_set_anchor_uidls(struct policy_epoch *epoch,
			    const ARRAY_TYPE(pop3_message) *messages);

#endif
