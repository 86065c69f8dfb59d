/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "quota.h"

/* A lease is this part of what is left, so that sessions which run side by side
   do not lock each other out... */
#define LEASE_FRACTION 8
/* ...and not more than this, so that a session that dies costs little. */
static const struct pop3_quota_amount lease_max = {
	.n = { 16 * 1024 * 1024, 1000 }
};

bool pop3_quota_is_unlimited(const struct pop3_quota_limits *limits)
{
	unsigned int w, r;

	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
			if (limits->window[w].n[r] != 0)
				return FALSE;
		}
	}
	return TRUE;
}

static bool
counter_roll(struct pop3_quota_counter *counter,
	     enum pop3_quota_window window, time_t now)
{
	if (now >= counter->start) {
		counter->behind_since = 0;
		if (now < pop3_quota_window_end(window, counter->start))
			return FALSE;
	} else if (counter->start <= pop3_quota_window_end(window, now)) {
		/* The clock was set back a little, or the counter was reset in
		   this very second: what is counted is of the window that the
		   clock will come to next. */
		counter->behind_since = 0;
		return FALSE;
	} else if (counter->behind_since == 0 || counter->behind_since > now) {
		counter->behind_since = now;
		return TRUE;
	} else if (now < pop3_quota_window_end(window, counter->behind_since)) {
		return FALSE;
	}
	i_zero(counter);
	counter->start = pop3_quota_window_start(window, now);
	return FALSE;
}

bool pop3_quota_roll(struct pop3_quota_counters *counters, time_t now)
{
	bool noticed = FALSE;
	unsigned int w;

	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		if (counter_roll(&counters->window[w],
				 (enum pop3_quota_window)w, now))
			noticed = TRUE;
	}
	return noticed;
}

time_t pop3_quota_counter_end(const struct pop3_quota_counter *counter,
			      enum pop3_quota_window window, time_t now)
{
	time_t t = counter->behind_since != 0 ? counter->behind_since :
		I_MAX(now, counter->start);

	return pop3_quota_window_end(window, t);
}

void pop3_quota_reset(struct pop3_quota_counters *counters, time_t now)
{
	unsigned int w;

	(void)pop3_quota_roll(counters, now);
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		struct pop3_quota_counter *counter = &counters->window[w];

		i_zero(&counter->used);
		i_zero(&counter->warned);
		/* leases know their counter by its start */
		counter->start = counter->start < pop3_quota_window_end(w, now) ?
			I_MAX(now, counter->start + 1) : now;
		counter->behind_since = 0;
	}
}

static bool
limit_admits(uint64_t limit, uint64_t used, uint64_t need)
{
	if (limit == 0 || need == 0)
		return TRUE;
	if (need > limit)
		return used == 0;
	return used <= limit - need;
}

bool pop3_quota_admits(const struct pop3_quota_limits *limits,
		       const struct pop3_quota_counters *counters, time_t now,
		       const struct pop3_quota_amount *need,
		       struct pop3_quota_denial *denial_r)
{
	unsigned int w, r;
	bool admitted = TRUE;

	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		const struct pop3_quota_counter *counter = &counters->window[w];

		for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
			uint64_t limit = limits->window[w].n[r];

			if (limit_admits(limit, counter->used.n[r], need->n[r]))
				continue;
			/* later windows are longer, so the last one stands */
			admitted = FALSE;
			i_zero(denial_r);
			denial_r->window = (enum pop3_quota_window)w;
			denial_r->resource = (enum pop3_quota_resource)r;
			denial_r->limit = limit;
			denial_r->left = pop3_quota_subtract(limit,
							     counter->used.n[r]);
			denial_r->until =
				pop3_quota_counter_end(counter,
						       denial_r->window, now);
		}
	}
	return admitted;
}

bool pop3_quota_lease_covers(const struct pop3_quota_lease *lease, time_t now,
			     const struct pop3_quota_amount *need,
			     const struct pop3_quota_amount *reserve)
{
	unsigned int r;

	if (now >= lease->expires)
		return FALSE;
	for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
		uint64_t spent = lease->spent.n[r];

		if (pop3_quota_add(spent, need->n[r]) >
		    lease->within_limits.n[r])
			return FALSE;
		if (pop3_quota_add(spent, reserve->n[r]) > lease->granted.n[r])
			return FALSE;
	}
	return TRUE;
}

/* The counter does not have the lease in it: add what was spent. */
static void
counter_add(struct pop3_quota_counter *counter,
	    const struct pop3_quota_lease *lease, unsigned int w)
{
	unsigned int r;

	for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
		uint64_t spent = pop3_quota_add(lease->spent.n[r],
						lease->carried[w].n[r]);

		counter->used.n[r] = pop3_quota_add(counter->used.n[r], spent);
	}
}

/* The counter has all of the lease in it: leave what was spent. */
static void
counter_settle(struct pop3_quota_counter *counter,
	       const struct pop3_quota_lease *lease)
{
	unsigned int r;

	for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
		uint64_t *used = &counter->used.n[r];

		/* less than was granted: somebody took the state away */
		if (*used >= lease->granted.n[r])
			*used -= lease->granted.n[r];
		*used = pop3_quota_add(*used, lease->spent.n[r]);
	}
}

void pop3_quota_lease_return(struct pop3_quota_lease *lease,
			     struct pop3_quota_counters *counters)
{
	unsigned int w;

	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		struct pop3_quota_counter *counter = &counters->window[w];

		if (lease->expires == 0) {
			/* spent without a lease, as none could be had */
			counter_add(counter, lease, w);
		} else if (counter->start == lease->start[w]) {
			if (lease->unrecorded)
				counter_add(counter, lease, w);
			else
				counter_settle(counter, lease);
		} else if (counter->start <
			   pop3_quota_window_end(w, lease->start[w])) {
			/* reset, in the same window */
			counter_add(counter, lease, w);
		}
	}
	i_zero(lease);
}

/* How much the limits still have for a resource, or UINT64_MAX. */
static uint64_t
least_left(const struct pop3_quota_limits *limits,
	   const struct pop3_quota_counters *counters,
	   enum pop3_quota_resource r)
{
	uint64_t left = UINT64_MAX;
	unsigned int w;

	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		uint64_t limit = limits->window[w].n[r];
		uint64_t used = counters->window[w].used.n[r];

		if (limit != 0)
			left = I_MIN(left, pop3_quota_subtract(limit, used));
	}
	return left;
}

void pop3_quota_lease_take(struct pop3_quota_lease *lease,
			   const struct pop3_quota_limits *limits,
			   struct pop3_quota_counters *counters, time_t now,
			   const struct pop3_quota_amount *reserve)
{
	unsigned int w, r;

	i_zero(lease);
	for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
		uint64_t left = least_left(limits, counters,
					   (enum pop3_quota_resource)r);
		uint64_t share = I_MIN(left / LEASE_FRACTION, lease_max.n[r]);

		lease->granted.n[r] = I_MAX(reserve->n[r], share);
		lease->within_limits.n[r] = I_MIN(lease->granted.n[r], left);
	}
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		struct pop3_quota_counter *counter = &counters->window[w];
		time_t end = pop3_quota_counter_end(counter,
						    (enum pop3_quota_window)w,
						    now);

		lease->start[w] = counter->start;
		if (w == 0 || end < lease->expires)
			lease->expires = end;
		for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
			counter->used.n[r] =
				pop3_quota_add(counter->used.n[r],
					       lease->granted.n[r]);
		}
	}
}

void pop3_quota_lease_keep_unrecorded(struct pop3_quota_lease *lease,
				      const struct pop3_quota_lease *before)
{
	unsigned int w, r;

	lease->unrecorded = TRUE;
	if (!before->unrecorded)
		return;
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		if (lease->start[w] != before->start[w])
			continue;
		for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
			lease->carried[w].n[r] =
				pop3_quota_add(before->carried[w].n[r],
					       before->spent.n[r]);
		}
	}
}
