#ifndef POP3_POLICY_COMPAT_H
#define POP3_POLICY_COMPAT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* What Dovecot 2.3 and 2.4 call by different names. */

struct mail_user;

/* Parse an amount of octets with a unit: "500M", "1k". Returns 0 or -1. */
int compat_str_parse_size(const char *text, uint64_t *size_r);

/* Parse a time with a unit, or 0: "14d", "12 hours". Returns 0 or -1. */
int compat_str_parse_time(const char *text, unsigned int *seconds_r);

#endif
