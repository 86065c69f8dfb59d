/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "quota-tightest.h"

static double part_left(const struct pop3_quota_standing *standing)
{
	return (double)standing->left / standing->limit;
}

bool pop3_quota_tightest(const struct pop3_quota_limits *limits,
			 const struct pop3_quota_counters *counters, time_t now,
			 struct pop3_quota_standing *standing_r)
{
	bool found = FALSE;
	unsigned int w, r;

	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		const struct pop3_quota_counter *counter = &counters->window[w];

		for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
			struct pop3_quota_standing standing = {
				.window = (enum pop3_quota_window)w,
				.resource = (enum pop3_quota_resource)r,
				.limit = limits->window[w].n[r],
				.used = counter->used.n[r],
			};

			if (standing.limit == 0)
				continue;
			standing.left = pop3_quota_subtract(standing.limit,
							    standing.used);
			standing.until = pop3_quota_counter_end(counter,
				standing.window, now);
			if (!found ||
			    part_left(&standing) <= part_left(standing_r))
				*standing_r = standing;
			found = TRUE;
		}
	}
	return found;
}
