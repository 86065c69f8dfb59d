#ifndef POP3_POLICY_RETENTION_DUE_H
#define POP3_POLICY_RETENTION_DUE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "retention-policy.h"

/* What is known of a maildrop without a look at its messages, so that most
   sessions and sweeps end without one. Times are bounds: a look may find out
   that nothing is due. */
struct pop3_retention_bounds {
	/* when there was the last look; 0 if there was none */
	time_t checked;
	/* no message was downloaded before that may be taken; 0 if none was
	   downloaded */
	time_t oldest_downloaded;
	/* no message came before that was never downloaded; 0 if there is none:
	   then it came after the last look */
	time_t oldest_undownloaded;
	/* messages were due, but exempt or only reported: when to look whether
	   they still are; or those of which it is not known whether they were
	   downloaded are due; 0 if there are none */
	time_t recheck;
	/* when it was first seen that the clock has jumped since the last look;
	   0 if it has not */
	time_t clock_jumped;
};

enum pop3_retention_due {
	POP3_RETENTION_NOT_DUE,
	/* messages have to be looked at */
	POP3_RETENTION_DUE,
	/* The clock says that the last look was too long ago: if that is wrong,
	   mail would go early. It has to be confirmed, or go on to say so for a
	   week after clock_jumped. */
	POP3_RETENTION_CLOCK_JUMPED
};

/* Whether messages may have to go. messages and bytes are what the maildrop
   has, or UINT64_MAX for what is not known: then the limits of size wait for
   the daily look. */
enum pop3_retention_due
pop3_retention_is_due(const struct pop3_retention_rules *rules,
		      const struct pop3_retention_bounds *bounds,
		      uint64_t messages, uint64_t bytes, time_t now);

/* Likewise for a policy. One that only reports does so about once a day; what it
   has reported is due at once when it reports no more. */
enum pop3_retention_due
retention_policy_is_due(const struct retention_policy *policy,
			const struct pop3_retention_bounds *bounds,
			uint64_t messages, uint64_t bytes, time_t now);

/* No message is taken by time before that, as far as is known without a look at
   them; 0 if none is at all. */
time_t pop3_retention_next_due(const struct pop3_retention_rules *rules,
			       const struct pop3_retention_bounds *bounds);

/* What is known after a look at these messages, of which those with a rule have
   gone. */
void pop3_retention_bounds_update(struct pop3_retention_bounds *bounds,
	const struct pop3_retention_rules *rules,
	const ARRAY_TYPE(pop3_retention_message) *messages, time_t now);
/* Messages that are due were only reported in that look. */
void pop3_retention_bounds_add_report(struct pop3_retention_bounds *bounds,
				      time_t now);
/* Messages were downloaded for the first time. */
void pop3_retention_bounds_add_download(struct pop3_retention_bounds *bounds,
					time_t downloaded);

#endif
