#ifndef POP3_POLICY_SEARCH_QUERY_H
#define POP3_POLICY_SEARCH_QUERY_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "seq-range-array.h"

struct mailbox;
struct mail_search_args;

/* Settings that are search queries as doveadm search takes them: words, of
   which those with spaces stand in quotes. */

/* Returns the query, to be freed by mail_search_args_unref(), or NULL and an
   error if it is none, which tells what was expected by these examples. */
struct mail_search_args *
search_query_parse(const char *query, const char *examples,
		   const char **error_r);
/* Likewise for pop3_policy_view, which is added to the search of the pop3
   process, so that it cannot have everything: no sets of numbers or UIDs, which
   change with the mailbox and not with the message, and nothing that is not
   about this one message in this one mailbox. */
struct mail_search_args *
search_query_parse_view(const char *query, const char **error_r);

/* Add to found those of these UIDs whose messages are found, in a mailbox that
   is open and synced. It can be asked once only. Returns 0, or -1 and an
   error. */
int search_query_find(struct mail_search_args *args, struct mailbox *box,
		      const ARRAY_TYPE(seq_range) *uids,
		      ARRAY_TYPE(seq_range) *found, const char **error_r);

#endif
