#ifndef POP3_POLICY_RETENTION_TEXT_H
#define POP3_POLICY_RETENTION_TEXT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "retention.h"

/* The settings of retention, parsed. Spaces around a text do not count. All
   return 0, or -1 and an error that names what is wrong and what was expected;
   the result is then untouched. */

/* "forever", "0", or a time as Dovecot's settings have it: "12h", "14d",
   "2 weeks". But "6m", which Dovecot takes for minutes, is refused: who means
   months would lose mail. */
int pop3_keep_time_parse(const char *text, uint64_t *seconds_r,
			 const char **error_r);

/* A whole number above 0; "" and "unlimited" are POP3_KEEP_UNLIMITED. */
int pop3_keep_count_parse(const char *text, uint64_t *count_r,
			  const char **error_r);

/* A size above 0 as Dovecot's settings have it: "500M", "2G"; "" and
   "unlimited" are POP3_KEEP_UNLIMITED. */
int pop3_keep_size_parse(const char *text, uint64_t *size_r,
			 const char **error_r);

/* "expunge", or "move MAILBOX": then *mailbox_r is the name in UTF-8, in the
   data stack, else NULL. */
int pop3_expire_action_parse(const char *text, const char **mailbox_r,
			     const char **error_r);

#endif
