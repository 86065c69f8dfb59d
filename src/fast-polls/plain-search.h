#ifndef POP3_POLICY_PLAIN_SEARCH_H
#define POP3_POLICY_PLAIN_SEARCH_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "mail-storage.h"

struct mail_search_args;

/* What the pop3 process searches for is all messages, or those of a set of sequence
   numbers, in their order. That needs no search: it is half the cost of one, and
   nearly all of it where there are none. */

/* Returns NULL if this is another search. */
struct mail_search_context *
plain_search_init(struct mailbox_transaction_context *t,
		  struct mail_search_args *args,
		  enum mail_fetch_field wanted_fields);
/* A search that finds nothing, whatever is searched for. */
struct mail_search_context *
plain_search_init_empty(struct mailbox_transaction_context *t,
			struct mail_search_args *args,
			enum mail_fetch_field wanted_fields);
/* Whether the search was begun by one of these. */
bool plain_search_is(struct mail_search_context *ctx);
/* Returns FALSE when there are no more messages. */
bool plain_search_next(struct mail_search_context *ctx, struct mail **mail_r);
void plain_search_deinit(struct mail_search_context *ctx);

#endif
