#ifndef POP3_POLICY_LOGIN_DELAY_TEXT_H
#define POP3_POLICY_LOGIN_DELAY_TEXT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "login-delay.h"

/* The settings of the login delay, parsed. Spaces around a text do not count.
   Both return 0, or -1 and an error that names what is wrong and what was
   expected; the result is then untouched. */

/* "0", or a time of at most a day as Dovecot's settings have it: "60s",
   "5 mins". */
int pop3_login_delay_parse(const char *text, unsigned int *seconds_r,
			   const char **error_r);
/* A whole number, at most POP3_LOGIN_BURST_MAX. */
int pop3_login_burst_parse(const char *text, unsigned int *burst_r,
			   const char **error_r);

/* The reply to a login that must wait, without -ERR, in the data stack. The
   response code is that of RFC 2449: the client must not take this for a wrong
   password. */
const char *pop3_login_delay_to_text(const struct pop3_login_delay *rule,
				     unsigned int wait);

#endif
