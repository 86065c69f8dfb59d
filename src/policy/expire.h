#ifndef POP3_POLICY_EXPIRE_H
#define POP3_POLICY_EXPIRE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "retention-policy.h"

/* What EXPIRE in CAPA says to a user: for how long mail is sure to stay,
   whoever takes it. */

/* What Dovecot itself removes from the maildrop. 0 is that it does not. */
struct pop3_autoexpunge {
	/* seconds after delivery, whether it was downloaded or not */
	unsigned int keep;
	/* how many messages the maildrop may have */
	unsigned int max_messages;
};

/* "NEVER" or a number of days, in the data stack. What it means is said at
   pop3_retention_expire_days(). */
const char *pop3_expire_text(const struct retention_policy *policy,
			     const struct pop3_autoexpunge *autoexpunge);

#endif
