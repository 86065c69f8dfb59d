/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "login-delay.h"

bool pop3_login_delay_admits(const struct pop3_login_delay *rule, uint64_t now,
			     uint64_t next, uint64_t *next_r,
			     unsigned int *wait_r)
{
	uint64_t admitted_until = now + (uint64_t)rule->seconds * rule->burst;

	if (next > admitted_until + rule->seconds)
		next = admitted_until;
	if (next > admitted_until) {
		*wait_r = next - admitted_until;
		return FALSE;
	}
	*next_r = I_MAX(next, now) + rule->seconds;
	return TRUE;
}
