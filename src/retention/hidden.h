#ifndef POP3_POLICY_RETENTION_HIDDEN_H
#define POP3_POLICY_RETENTION_HIDDEN_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "seq-range-array.h"
#include "retention.h"

struct maildrop;

/* What pop3_policy_view hides from clients was downloaded before it was hidden,
   or by a device that is shown more. The rules for what was downloaded leave it
   alone: no client can see that it goes. */

/* Returns 0, or -1 and an error if it is no query that may stand there. Also
   NULL may, which hides nothing. */
int retention_view_check(const char *view, const char **error_r);

/* Add to hidden those of these UIDs whose messages the view does not find.
   Returns 0, or -1 and an error. */
int retention_find_hidden(struct maildrop *drop, const char *view,
			  const ARRAY_TYPE(seq_range) *uids,
			  ARRAY_TYPE(seq_range) *hidden, const char **error_r);
/* Look among these UIDs for messages that were downloaded and are hidden now,
   and mark those that are not exempt yet. Returns 1 if there are some, 0 if
   not, -1 and an error. */
int retention_mark_hidden(struct maildrop *drop, const char *view,
			  const ARRAY_TYPE(seq_range) *uids,
			  ARRAY_TYPE(pop3_retention_message) *messages,
			  const char **error_r);

#endif
