#ifndef POP3_POLICY_RATE_TEXT_H
#define POP3_POLICY_RATE_TEXT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* How fast a session may be: octets a second, 0 is no limit. */

/* Slower than this, and clients would take the pauses for a line that is
   broken. */
#define POP3_RATE_MIN 1024ULL
/* Faster than all networks, and no sum overflows. */
#define POP3_RATE_MAX (1024ULL * 1024 * 1024 * 1024)

/* "64k/s": a whole number, b, k, M, G or T in powers of 1024, and "/s". "" and
   "none" are no limit. Returns 0, or -1 and an error that names what is wrong
   and what was expected; *rate_r is then untouched. */
int pop3_rate_parse(const char *text, uint64_t *rate_r, const char **error_r);

/* What becomes of a download over quota: "deny", then *rate_r is 0, or
   "throttle RATE". Returns 0, or -1 and an error; likewise. */
int pop3_quota_action_parse(const char *text, uint64_t *rate_r,
			    const char **error_r);

/* In the form that the settings have, in the data stack: "64k/s". */
const char *pop3_rate_to_text(uint64_t rate);

/* The slower one of two. */
static inline uint64_t pop3_rate_slower(uint64_t a, uint64_t b)
{
	return a == 0 ? b : b == 0 ? a : I_MIN(a, b);
}

#endif
