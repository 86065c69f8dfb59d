#ifndef POP3_POLICY_RETENTION_REPORT_H
#define POP3_POLICY_RETENTION_REPORT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "retention-policy.h"

struct retention_counts {
	unsigned int messages[POP3_RETENTION_RULE_COUNT];
	uint64_t bytes[POP3_RETENTION_RULE_COUNT];
};

/* Add a message that a rule has taken. */
void retention_count(struct retention_counts *counts,
		     const struct pop3_retention_message *message);

/* Say in the log what a run has removed, or would have if the policy only
   reports: one line for the run if there is anything, and an event
   pop3_policy_expired for each rule that has removed something. */
void retention_log_run(const struct retention_counts *counts,
		       const struct retention_policy *policy,
		       struct event *event);
/* Say why a message goes, if somebody wants to know. */
void retention_log_message(const struct pop3_retention_message *message,
			   struct event *event);

#endif
