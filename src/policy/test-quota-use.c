/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-quota-use.h"

#include <stdlib.h>
#include <time.h>

void use_utc(void)
{
	if (setenv("TZ", "UTC", 1) < 0)
		i_fatal("setenv() failed: %m");
	tzset();
}

struct pop3_quota_limits day_limit(uint64_t bytes, uint64_t messages)
{
	struct pop3_quota_limits limits;

	i_zero(&limits);
	limits.window[DAY].n[BYTES] = bytes;
	limits.window[DAY].n[MESSAGES] = messages;
	return limits;
}

struct pop3_quota_amount amount(uint64_t bytes, uint64_t messages)
{
	return (struct pop3_quota_amount) { .n = { bytes, messages } };
}

struct pop3_quota_counters counters_at(time_t now)
{
	struct pop3_quota_counters counters;

	i_zero(&counters);
	pop3_quota_roll(&counters, now);
	return counters;
}

uint64_t used(const struct pop3_quota_counters *counters,
	      enum pop3_quota_resource resource)
{
	return counters->window[DAY].used.n[resource];
}
