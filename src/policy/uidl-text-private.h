#ifndef POP3_POLICY_UIDL_TEXT_PRIVATE_H
#define POP3_POLICY_UIDL_TEXT_PRIVATE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "uidl-text.h"

/* What parsing and printing share. Results are in the data stack. */

/* For an error: the beginning of the text, without octets that could harm a log
   or a terminal. */
const char *pop3_uidl_text_quote(const char *text);
/* Whether this can be the base name of a file in new/ or cur/ of a maildir.
   Returns TRUE, or FALSE and an error. */
bool pop3_uidl_text_filename_is_valid(const char *filename,
				      const char **error_r);
/* What Courier tells as the UIDL of a message; n is 0 if it has no number, v if
   that has no time. */
const char *pop3_uidl_text_courier(const char *filename, uint64_t n,
				   uint64_t v);

#endif
