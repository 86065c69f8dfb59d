#ifndef POP3_POLICY_LOGIN_DELAY_H
#define POP3_POLICY_LOGIN_DELAY_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* How often a user may log in: once in so many seconds, and beyond that a few
   times more, each of which is won back in as many seconds. Times are seconds
   since 1970. */

#define POP3_LOGIN_DELAY_MAX (24 * 60 * 60)
#define POP3_LOGIN_BURST_MAX 1000

struct pop3_login_delay {
	/* 0 is no delay */
	unsigned int seconds;
	/* logins that need not wait, beyond the first one */
	unsigned int burst;
};

/* All that is known of the logins before is one number: until when each of them
   would have been let in one after the other, which for a user without a burst
   is when the next one may be. 0 if there were none.

   Returns TRUE and *next_r, the number that this login leaves; or FALSE and
   *wait_r, after how many seconds it may be tried again: then the number stays,
   so that nobody is locked out by trying. A number that no login can have left
   (the clock was set back, the rule changed) lets a login in, and does not
   count for more than the burst. */
bool pop3_login_delay_admits(const struct pop3_login_delay *rule, uint64_t now,
			     uint64_t next, uint64_t *next_r,
			     unsigned int *wait_r);

#endif
