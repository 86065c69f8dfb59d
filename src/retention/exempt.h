#ifndef POP3_POLICY_RETENTION_EXEMPT_H
#define POP3_POLICY_RETENTION_EXEMPT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "seq-range-array.h"
#include "retention.h"

struct maildrop;

/* pop3_policy_exempt is a query, see search-query.h. "" and "none" exempt
   nothing. */

/* Returns 0, or -1 and an error if it is no query. */
int retention_exempt_check(const char *query, const char **error_r);

/* Add to found those of these UIDs whose messages the query finds. Returns 0,
   or -1 and an error. */
int retention_find_exempt(struct maildrop *drop, const char *query,
			  const ARRAY_TYPE(seq_range) *uids,
			  ARRAY_TYPE(seq_range) *found, const char **error_r);
/* Look among these UIDs for messages that the query finds, and mark those that
   are not yet as exempt. Returns 1 if there are some, 0 if not, -1 and an
   error. */
int retention_mark_exempt(struct maildrop *drop, const char *query,
			  const ARRAY_TYPE(seq_range) *uids,
			  ARRAY_TYPE(pop3_retention_message) *messages,
			  const char **error_r);

#endif
