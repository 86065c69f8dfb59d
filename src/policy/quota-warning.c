/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "quota-warning.h"

/* How much of the limit must be used. */
static uint64_t threshold(uint64_t limit, unsigned int percent)
{
	/* 80 %, rounded up */
	return percent == POP3_QUOTA_WARN_FULL ? limit : limit - limit / 5;
}

/* Which warning is due, or 0. */
static unsigned int due_percent(uint64_t limit, uint64_t used, bool denied)
{
	if (limit == 0 || used < threshold(limit, POP3_QUOTA_WARN_EARLY))
		return 0;
	return used >= limit || denied ? POP3_QUOTA_WARN_FULL :
		POP3_QUOTA_WARN_EARLY;
}

/* More than the limit is what was told of one that was larger. */
static bool was_told(uint64_t limit, uint64_t warned, unsigned int percent)
{
	return warned <= limit && warned >= threshold(limit, percent);
}

bool pop3_quota_warn(const struct pop3_quota_limits *limits,
		     struct pop3_quota_counters *counters,
		     const struct pop3_quota_denial *denial,
		     struct pop3_quota_warnings *warnings_r)
{
	unsigned int w, r;

	i_zero(warnings_r);
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		struct pop3_quota_counter *counter = &counters->window[w];

		for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
			uint64_t limit = limits->window[w].n[r];
			bool denied = denial != NULL && denial->window == w &&
				denial->resource == r;
			unsigned int percent =
				due_percent(limit, counter->used.n[r], denied);
			struct pop3_quota_warning *warning;

			if (percent == 0 ||
			    was_told(limit, counter->warned.n[r], percent))
				continue;
			counter->warned.n[r] = threshold(limit, percent);
			warning = &warnings_r->warning[warnings_r->count++];
			warning->window = (enum pop3_quota_window)w;
			warning->resource = (enum pop3_quota_resource)r;
			warning->percent = percent;
			warning->used = counter->used.n[r];
			warning->limit = limit;
		}
	}
	return warnings_r->count > 0;
}
