#ifndef POP3_POLICY_TEST_QUOTA_USE_H
#define POP3_POLICY_TEST_QUOTA_USE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "quota.h"

/* What tests of the quota need: limits and counters of a day. */

#define BYTES POP3_QUOTA_BYTES
#define MESSAGES POP3_QUOTA_MESSAGES
#define DAY POP3_QUOTA_WINDOW_DAY

#define HOUR_SECS 3600
#define DAY_SECS (24 * HOUR_SECS)
/* 2026-11-25 12:00 UTC, a Wednesday */
#define NOON 1795608000
#define TODAY (NOON - 12 * HOUR_SECS)
#define TOMORROW (TODAY + DAY_SECS)

/* Days begin at midnight of UTC from now on. */
void use_utc(void);

/* 0 is no limit. */
struct pop3_quota_limits day_limit(uint64_t bytes, uint64_t messages);
struct pop3_quota_amount amount(uint64_t bytes, uint64_t messages);
/* Nothing was used until now. */
struct pop3_quota_counters counters_at(time_t now);
/* What was used of the day. */
uint64_t used(const struct pop3_quota_counters *counters,
	      enum pop3_quota_resource resource);

#endif
