#ifndef POP3_POLICY_QUOTA_TEXT_H
#define POP3_POLICY_QUOTA_TEXT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "quota.h"

/* Parse "500M/day 10000msg/day 5G/month": limits between spaces, each an amount
   (a whole number and b, k, M, G or T for octets in powers of 1024, or msg for
   messages), a slash and a window. Of two limits for the same the smaller one
   counts. "" and "unlimited" are no limit at all.
   Returns 0, or -1 and an error that names the part that is wrong and what was
   expected; *limits_r is then untouched. */
int pop3_quota_limits_parse(const char *text, struct pop3_quota_limits *limits_r,
			    const char **error_r);

/* "bytes" or "messages", as state and events spell it. */
const char *pop3_quota_resource_name(enum pop3_quota_resource resource);

/* The functions below return a string in the data stack. */

/* A limit in the form that the setting has: "500M/day", "50msg/day". */
const char *
pop3_quota_limit_to_text(enum pop3_quota_window window,
			 enum pop3_quota_resource resource, uint64_t limit);
/* An amount for people: "3 MB", "1 message", "50 messages". Octets are rounded
   down, so that nobody is promised what is not there. */
const char *pop3_quota_amount_to_text(enum pop3_quota_resource resource,
				      uint64_t amount);
/* Local time with its zone: "2026-11-24 00:00 +0100". */
const char *pop3_quota_time_to_text(time_t t);
/* The reply to RETR, without -ERR. The response code is that of RFC 3206: the
   client must not take this for a wrong password. */
const char *pop3_quota_denial_to_text(const struct pop3_quota_denial *denial);
/* What is left of each limit, now that the counters have been rolled:
   "0 of 50msg/day, 499M of 500M/day". */
const char *
pop3_quota_left_to_text(const struct pop3_quota_limits *limits,
			const struct pop3_quota_counters *counters);

#endif
