/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "quota.h"

#include <stdlib.h>
#include <time.h>

#define BYTES POP3_QUOTA_BYTES
#define MESSAGES POP3_QUOTA_MESSAGES
#define DAY POP3_QUOTA_WINDOW_DAY

#define HOUR_SECS 3600
#define DAY_SECS (24 * HOUR_SECS)
/* 2026-11-25 12:00 UTC, a Wednesday */
#define NOON 1795608000
#define TODAY (NOON - 12 * HOUR_SECS)
#define TOMORROW (TODAY + DAY_SECS)

static struct pop3_quota_limits day_limit(uint64_t bytes, uint64_t messages)
{
	struct pop3_quota_limits limits;

	i_zero(&limits);
	limits.window[DAY].n[BYTES] = bytes;
	limits.window[DAY].n[MESSAGES] = messages;
	return limits;
}

static struct pop3_quota_amount amount(uint64_t bytes, uint64_t messages)
{
	return (struct pop3_quota_amount) { .n = { bytes, messages } };
}

static struct pop3_quota_counters counters_at(time_t now)
{
	struct pop3_quota_counters counters;

	i_zero(&counters);
	pop3_quota_roll(&counters, now);
	return counters;
}

static uint64_t used(const struct pop3_quota_counters *counters,
		     enum pop3_quota_resource resource)
{
	return counters->window[DAY].used.n[resource];
}

static void test_add_subtract(void)
{
	test_begin("quota: numbers do not wrap");
	test_assert(pop3_quota_add(1, 2) == 3);
	test_assert(pop3_quota_add(UINT64_MAX, 1) == UINT64_MAX);
	test_assert(pop3_quota_add(UINT64_MAX - 1, 1) == UINT64_MAX);
	test_assert(pop3_quota_add(UINT64_MAX, UINT64_MAX) == UINT64_MAX);
	test_assert(pop3_quota_subtract(3, 2) == 1);
	test_assert(pop3_quota_subtract(2, 3) == 0);
	test_assert(pop3_quota_subtract(0, UINT64_MAX) == 0);
	test_end();
}

static void test_unlimited(void)
{
	struct pop3_quota_limits limits = day_limit(0, 0);

	test_begin("quota: unlimited");
	test_assert(pop3_quota_is_unlimited(&limits));
	limits.window[POP3_QUOTA_WINDOW_MONTH].n[MESSAGES] = 1;
	test_assert(!pop3_quota_is_unlimited(&limits));
	test_end();
}

static void test_roll(void)
{
	static const struct {
		const char *name;
		time_t start, now, new_start;
		bool emptied, ahead;
	} tests[] = {
		{ "new user", 0, NOON, TODAY, TRUE, FALSE },
		{ "same day", TODAY, NOON, TODAY, FALSE, FALSE },
		{ "last second", TODAY, TOMORROW - 1, TODAY, FALSE, FALSE },
		{ "next day", TODAY, TOMORROW, TOMORROW, TRUE, FALSE },
		{ "years later", TODAY, NOON + 2000 * (time_t)DAY_SECS,
		  TODAY + 2000 * (time_t)DAY_SECS, TRUE, FALSE },
		{ "reset at ten", TODAY + 10 * HOUR_SECS, NOON,
		  TODAY + 10 * HOUR_SECS, FALSE, FALSE },
		{ "day after a reset", TODAY + 10 * HOUR_SECS, TOMORROW,
		  TOMORROW, TRUE, FALSE },
		/* a clock that goes back opens nothing */
		{ "a second back over midnight", TOMORROW, TOMORROW - 1,
		  TOMORROW, FALSE, FALSE },
		{ "hours back over midnight", TOMORROW, NOON, TOMORROW, FALSE, FALSE },
		{ "back, then the day that was open", TOMORROW, TOMORROW + 1,
		  TOMORROW, FALSE, FALSE },
		{ "reset a second ago that is to come", NOON + 1, NOON,
		  NOON + 1, FALSE, FALSE },
		/* nor does one that goes back by more than a window */
		{ "days back", TOMORROW + 2 * DAY_SECS, NOON,
		  TOMORROW + 2 * DAY_SECS, FALSE, TRUE },
		{ "a century back", NOON + (time_t)36500 * DAY_SECS, NOON,
		  NOON + (time_t)36500 * DAY_SECS, FALSE, TRUE },
		{ "the end of time", INT64_MAX, NOON, INT64_MAX, FALSE, TRUE },
	};
	unsigned int i;

	test_begin("quota: windows roll with the clock");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		struct pop3_quota_counters counters;

		i_zero(&counters);
		counters.window[DAY].start = tests[i].start;
		counters.window[DAY].used = amount(7, 8);
		test_assert_idx(pop3_quota_roll(&counters, tests[i].now) ==
				tests[i].ahead, i);
		test_assert_idx(counters.window[DAY].start ==
				tests[i].new_start, i);
		test_assert_idx(used(&counters, BYTES) ==
				(tests[i].emptied ? 0 : 7), i);
		test_assert_idx(used(&counters, MESSAGES) ==
				(tests[i].emptied ? 0 : 8), i);
	}
	test_end();
}

static void test_roll_behind(void)
{
	struct pop3_quota_counters counters;
	struct pop3_quota_counter *day = &counters.window[DAY];
	const time_t ahead = TOMORROW + 5 * DAY_SECS;

	test_begin("quota: a clock that goes back and forth");
	i_zero(&counters);
	day->start = ahead;
	day->used = amount(7, 8);
	test_assert(pop3_quota_roll(&counters, NOON));
	test_assert(pop3_quota_counter_end(day, DAY, NOON) == TOMORROW);
	/* once is enough */
	test_assert(!pop3_quota_roll(&counters, NOON + 1));
	test_assert(day->behind_since == NOON);
	/* back where it was, nothing was opened */
	test_assert(!pop3_quota_roll(&counters, ahead + 1));
	test_assert(day->behind_since == 0 && used(&counters, BYTES) == 7);

	/* back again, and further back */
	test_assert(pop3_quota_roll(&counters, NOON));
	test_assert(pop3_quota_roll(&counters, NOON - 9 * DAY_SECS));
	test_assert(used(&counters, BYTES) == 7 && day->start == ahead);
	/* there it stays: the window that it shows ends, and counts anew */
	test_assert(!pop3_quota_roll(&counters, TODAY - 9 * DAY_SECS +
				     DAY_SECS - 1));
	test_assert(used(&counters, BYTES) == 7);
	test_assert(!pop3_quota_roll(&counters, TODAY - 8 * DAY_SECS));
	test_assert(used(&counters, BYTES) == 0 && day->behind_since == 0);
	test_assert(day->start == TODAY - 8 * DAY_SECS);

	/* reset while it is behind */
	day->start = ahead;
	test_assert(pop3_quota_roll(&counters, NOON));
	pop3_quota_reset(&counters, NOON);
	test_assert(day->start == NOON && day->behind_since == 0);
	test_assert(!pop3_quota_roll(&counters, NOON + 1));
	test_end();
}

static void test_admits(void)
{
	static const struct {
		uint64_t limit_bytes, limit_messages, used_bytes, used_messages;
		uint64_t need;
		bool admits;
		enum pop3_quota_resource resource;
		uint64_t left;
	} tests[] = {
		/* bytes */
		{ 100, 0, 0, 0, 1, TRUE, 0, 0 },
		{ 100, 0, 0, 0, 100, TRUE, 0, 0 },
		{ 100, 0, 99, 1, 1, TRUE, 0, 0 },
		{ 100, 0, 99, 1, 2, FALSE, BYTES, 1 },
		{ 100, 0, 100, 1, 1, FALSE, BYTES, 0 },
		{ 100, 0, 200, 1, 1, FALSE, BYTES, 0 },
		/* larger than the limit: only in an untouched window */
		{ 100, 0, 0, 0, 101, TRUE, 0, 0 },
		{ 100, 0, 0, 0, UINT64_MAX, TRUE, 0, 0 },
		{ 100, 0, 1, 1, 101, FALSE, BYTES, 99 },
		{ 100, 0, 1, 1, UINT64_MAX, FALSE, BYTES, 99 },
		/* messages */
		{ 0, 2, 1000, 0, 1000, TRUE, 0, 0 },
		{ 0, 2, 1000, 1, 1000, TRUE, 0, 0 },
		{ 0, 2, 1000, 2, 1000, FALSE, MESSAGES, 0 },
		{ 0, 2, 1000, 3, 1000, FALSE, MESSAGES, 0 },
		/* both */
		{ 100, 2, 100, 1, 1, FALSE, BYTES, 0 },
		{ 100, 2, 99, 2, 1, FALSE, MESSAGES, 0 },
		/* an empty message over the limit of bytes */
		{ 100, 0, 100, 1, 0, TRUE, 0, 0 },
		/* no limit */
		{ 0, 0, UINT64_MAX, UINT64_MAX, UINT64_MAX, TRUE, 0, 0 },
	};
	struct pop3_quota_denial denial;
	unsigned int i;

	test_begin("quota: what is admitted");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		struct pop3_quota_limits limits =
			day_limit(tests[i].limit_bytes, tests[i].limit_messages);
		struct pop3_quota_counters counters = counters_at(NOON);
		struct pop3_quota_amount need = amount(tests[i].need, 1);

		counters.window[DAY].used =
			amount(tests[i].used_bytes, tests[i].used_messages);
		i_zero(&denial);
		test_assert_idx(pop3_quota_admits(&limits, &counters, NOON,
				&need, &denial) == tests[i].admits, i);
		if (tests[i].admits)
			continue;
		test_assert_idx(denial.window == DAY, i);
		test_assert_idx(denial.resource == tests[i].resource, i);
		test_assert_idx(denial.left == tests[i].left, i);
		test_assert_idx(denial.until == TOMORROW, i);
	}
	test_end();
}

static void test_denial_is_the_longest(void)
{
	struct pop3_quota_limits limits = day_limit(100, 0);
	struct pop3_quota_counters counters = counters_at(NOON);
	struct pop3_quota_amount need = amount(10, 1);
	struct pop3_quota_denial denial;

	test_begin("quota: the limit that ends last is told");
	limits.window[POP3_QUOTA_WINDOW_HOUR].n[MESSAGES] = 1;
	limits.window[POP3_QUOTA_WINDOW_MONTH].n[BYTES] = 1000;
	counters.window[POP3_QUOTA_WINDOW_HOUR].used = amount(95, 1);
	counters.window[DAY].used = amount(95, 1);
	counters.window[POP3_QUOTA_WINDOW_MONTH].used = amount(95, 1);
	test_assert(!pop3_quota_admits(&limits, &counters, NOON, &need,
				       &denial));
	test_assert(denial.window == DAY && denial.limit == 100);

	/* the clock is behind: the window that is open ends a day later */
	counters.window[DAY].start = TOMORROW;
	test_assert(!pop3_quota_admits(&limits, &counters, NOON, &need,
				       &denial));
	test_assert(denial.until == TOMORROW + DAY_SECS);
	test_end();
}

static void test_lease(void)
{
	struct pop3_quota_limits limits = day_limit(1000000, 1000);
	struct pop3_quota_counters counters = counters_at(NOON);
	struct pop3_quota_amount need = amount(300, 1), reserve = amount(400, 1);
	struct pop3_quota_lease lease;

	test_begin("quota: lease");
	i_zero(&lease);
	test_assert(!pop3_quota_lease_covers(&lease, NOON, &need, &reserve));
	pop3_quota_lease_take(&lease, &limits, &counters, NOON, &reserve);
	test_assert(lease.granted.n[BYTES] == 125000);
	test_assert(lease.granted.n[MESSAGES] == 125);
	test_assert(used(&counters, BYTES) == 125000);
	test_assert(used(&counters, MESSAGES) == 125);
	test_assert(lease.expires == NOON + HOUR_SECS);

	test_assert(pop3_quota_lease_covers(&lease, NOON, &need, &reserve));
	lease.spent = amount(124600, 124);
	test_assert(pop3_quota_lease_covers(&lease, NOON, &need, &reserve));
	lease.spent = amount(124601, 124);
	test_assert(!pop3_quota_lease_covers(&lease, NOON, &need, &reserve));
	lease.spent = amount(0, 125);
	test_assert(!pop3_quota_lease_covers(&lease, NOON, &need, &reserve));
	lease.spent = amount(1234, 5);
	test_assert(pop3_quota_lease_covers(&lease, NOON + HOUR_SECS - 1,
					    &need, &reserve));
	test_assert(!pop3_quota_lease_covers(&lease, NOON + HOUR_SECS,
					     &need, &reserve));

	pop3_quota_lease_return(&lease, &counters);
	test_assert(used(&counters, BYTES) == 1234);
	test_assert(used(&counters, MESSAGES) == 5);
	test_assert(lease.expires == 0 && lease.granted.n[BYTES] == 0);
	/* an empty lease gives nothing back */
	pop3_quota_lease_return(&lease, &counters);
	test_assert(used(&counters, BYTES) == 1234);
	test_end();
}

static void test_lease_size(void)
{
	static const struct {
		uint64_t limit, used, reserve, granted, within;
	} tests[] = {
		/* an eighth of what is left */
		{ 8000, 0, 1, 1000, 1000 },
		{ 8000, 4000, 1, 500, 500 },
		/* at least the message */
		{ 8000, 4000, 3000, 3000, 3000 },
		{ 8000, 7999, 1, 1, 1 },
		/* which may be more than is left */
		{ 8000, 7000, 1300, 1300, 1000 },
		{ 8000, 0, 9000, 9000, 8000 },
		{ 8000, 9000, 1, 1, 0 },
		/* at most 16 MB, also without a limit */
		{ UINT64_MAX, 0, 1, 16 * 1024 * 1024, 16 * 1024 * 1024 },
		{ 0, 0, 1, 16 * 1024 * 1024, 16 * 1024 * 1024 },
		{ 0, 0, 17 * 1024 * 1024, 17 * 1024 * 1024, 17 * 1024 * 1024 },
	};
	unsigned int i;

	test_begin("quota: size of a lease");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		struct pop3_quota_limits limits = day_limit(tests[i].limit, 0);
		struct pop3_quota_counters counters = counters_at(NOON);
		struct pop3_quota_amount reserve = amount(tests[i].reserve, 1);
		struct pop3_quota_lease lease;

		counters.window[DAY].used = amount(tests[i].used, 0);
		pop3_quota_lease_take(&lease, &limits, &counters, NOON,
				      &reserve);
		test_assert_ucmp_idx(lease.granted.n[BYTES], ==,
				     tests[i].granted, i);
		test_assert_ucmp_idx(lease.within_limits.n[BYTES], ==,
				     tests[i].within, i);
	}
	test_end();
}

static void test_lease_over_midnight(void)
{
	struct pop3_quota_limits limits = day_limit(8000, 0);
	struct pop3_quota_counters counters = counters_at(NOON);
	struct pop3_quota_amount reserve = amount(100, 1);
	struct pop3_quota_counter *month =
		&counters.window[POP3_QUOTA_WINDOW_MONTH];
	struct pop3_quota_lease lease;

	test_begin("quota: lease that is returned in the next window");
	pop3_quota_lease_take(&lease, &limits, &counters, NOON, &reserve);
	lease.spent = amount(600, 3);
	pop3_quota_roll(&counters, TOMORROW);
	counters.window[DAY].used = amount(50, 1);
	pop3_quota_lease_return(&lease, &counters);
	test_assert(used(&counters, BYTES) == 50);
	test_assert(used(&counters, MESSAGES) == 1);
	/* the month goes on */
	test_assert(month->used.n[BYTES] == 600);
	test_assert(month->used.n[MESSAGES] == 3);
	test_end();
}

static void test_reset(void)
{
	struct pop3_quota_limits limits = day_limit(8000, 0);
	struct pop3_quota_counters counters = counters_at(NOON);
	struct pop3_quota_amount reserve = amount(100, 1);
	struct pop3_quota_lease before, between, after;
	unsigned int w;

	test_begin("quota: reset while leases are out");
	pop3_quota_lease_take(&before, &limits, &counters, NOON, &reserve);
	pop3_quota_reset(&counters, NOON);
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		test_assert_idx(counters.window[w].used.n[BYTES] == 0, w);
		test_assert_idx(counters.window[w].used.n[MESSAGES] == 0, w);
	}
	/* a second one in the same second is still another one */
	pop3_quota_lease_take(&between, &limits, &counters, NOON, &reserve);
	pop3_quota_reset(&counters, NOON);
	pop3_quota_roll(&counters, NOON);
	pop3_quota_lease_take(&after, &limits, &counters, NOON, &reserve);

	/* what is sent on an old lease counts, what is left of it does not
	   make the new counters smaller */
	before.spent = amount(30, 1);
	between.spent = amount(20, 1);
	after.spent = amount(5, 1);
	pop3_quota_lease_return(&before, &counters);
	pop3_quota_lease_return(&between, &counters);
	pop3_quota_lease_return(&after, &counters);
	test_assert(used(&counters, BYTES) == 55);
	test_assert(used(&counters, MESSAGES) == 3);

	/* the window still ends when it would have */
	pop3_quota_roll(&counters, TOMORROW - 1);
	test_assert(used(&counters, BYTES) == 55);
	pop3_quota_roll(&counters, TOMORROW);
	test_assert(used(&counters, BYTES) == 0);
	test_assert(counters.window[DAY].start == TOMORROW);
	test_end();
}

static void test_lease_overspent(void)
{
	struct pop3_quota_limits limits = day_limit(8000, 0);
	struct pop3_quota_counters counters = counters_at(NOON);
	struct pop3_quota_amount reserve = amount(100, 1);
	struct pop3_quota_lease lease;

	test_begin("quota: lease that was overspent");
	pop3_quota_lease_take(&lease, &limits, &counters, NOON, &reserve);
	lease.spent = amount(lease.granted.n[BYTES] + 11, 1);
	pop3_quota_lease_return(&lease, &counters);
	test_assert(used(&counters, BYTES) == 1011);

	/* counters that somebody has edited do not wrap */
	pop3_quota_lease_take(&lease, &limits, &counters, NOON, &reserve);
	counters.window[DAY].used = amount(1, 0);
	pop3_quota_lease_return(&lease, &counters);
	test_assert(used(&counters, BYTES) == 1);
	test_end();
}

static void test_lease_unrecorded(void)
{
	struct pop3_quota_limits limits = day_limit(8000, 0);
	struct pop3_quota_counters disk = counters_at(NOON), memory;
	struct pop3_quota_amount reserve = amount(100, 1);
	struct pop3_quota_lease lease, next;

	test_begin("quota: leases that could not be written");
	disk.window[DAY].used = amount(1000, 1);
	memory = disk;
	pop3_quota_lease_take(&lease, &limits, &memory, NOON, &reserve);
	pop3_quota_lease_keep_unrecorded(&lease, &(struct pop3_quota_lease) {
		.unrecorded = FALSE });
	lease.spent = amount(500, 2);

	/* the next one carries on with what was spent before */
	memory = disk;
	next = lease;
	pop3_quota_lease_return(&next, &memory);
	test_assert(used(&memory, BYTES) == 1500);
	pop3_quota_lease_take(&next, &limits, &memory, NOON, &reserve);
	pop3_quota_lease_keep_unrecorded(&next, &lease);
	test_assert(next.spent.n[BYTES] == 0);
	test_assert(next.carried[DAY].n[BYTES] == 500);
	next.spent = amount(100, 1);

	/* until it can be written: nothing is lost */
	pop3_quota_lease_return(&next, &disk);
	test_assert(used(&disk, BYTES) == 1600);
	test_assert(used(&disk, MESSAGES) == 4);

	/* a new day has nothing of the one before */
	pop3_quota_lease_take(&lease, &limits, &memory, NOON, &reserve);
	pop3_quota_lease_keep_unrecorded(&lease, &(struct pop3_quota_lease) {
		.unrecorded = FALSE });
	lease.spent = amount(500, 2);
	(void)pop3_quota_roll(&memory, TOMORROW);
	pop3_quota_lease_take(&next, &limits, &memory, TOMORROW, &reserve);
	pop3_quota_lease_keep_unrecorded(&next, &lease);
	test_assert(next.carried[DAY].n[BYTES] == 0);
	test_assert(next.carried[POP3_QUOTA_WINDOW_MONTH].n[BYTES] == 500);
	test_end();
}

static void test_lease_lost(void)
{
	struct pop3_quota_limits limits = day_limit(8000, 0);
	struct pop3_quota_counters counters = counters_at(NOON);
	struct pop3_quota_amount reserve = amount(100, 1);
	struct pop3_quota_lease lease;

	test_begin("quota: what was spent counts, whatever became of the lease");
	/* there never was one */
	i_zero(&lease);
	lease.spent = amount(30, 1);
	pop3_quota_lease_return(&lease, &counters);
	test_assert(used(&counters, BYTES) == 30);
	test_assert(used(&counters, MESSAGES) == 1);
	/* it was taken from a counter that had begun at the end of time */
	counters.window[DAY].start = INT64_MAX;
	test_assert(pop3_quota_roll(&counters, NOON));
	pop3_quota_lease_take(&lease, &limits, &counters, NOON, &reserve);
	lease.spent = amount(40, 1);
	(void)pop3_quota_roll(&counters, TOMORROW);
	pop3_quota_lease_return(&lease, &counters);
	test_assert(used(&counters, BYTES) == 40);
	counters = counters_at(NOON);
	/* the state was deleted meanwhile */
	pop3_quota_lease_take(&lease, &limits, &counters, NOON, &reserve);
	counters = counters_at(NOON);
	lease.spent = amount(20, 2);
	pop3_quota_lease_return(&lease, &counters);
	test_assert(used(&counters, BYTES) == 20);
	test_assert(used(&counters, MESSAGES) == 2);
	test_end();
}

/* Sessions that come, send, die and go in any order, against the one rule: what
   was sent is never more than the limit and one message, and never more than
   what is counted. */
static void test_lease_random(void)
{
	enum { SESSIONS = 8, STEPS = 4000, MAX_SIZE = 3000 };
	struct pop3_quota_lease leases[SESSIONS];
	struct pop3_quota_limits limits = day_limit(50000, 0);
	struct pop3_quota_counters counters = counters_at(NOON);
	uint64_t sent = 0, excess_max = 0;
	unsigned int i;

	test_begin("quota: sessions side by side");
	i_zero(&leases);
	for (i = 0; i < STEPS; i++) {
		struct pop3_quota_lease *lease =
			&leases[i_rand_limit(SESSIONS)];
		uint64_t size = 1 + i_rand_limit(MAX_SIZE);
		struct pop3_quota_amount need = amount(size, 1);
		struct pop3_quota_amount reserve = amount(size + size / 3, 1);
		struct pop3_quota_denial denial;

		if (i_rand_limit(20) == 0) {
			/* ends well, or is killed */
			if (i_rand_limit(4) != 0)
				pop3_quota_lease_return(lease, &counters);
			i_zero(lease);
			continue;
		}
		if (!pop3_quota_lease_covers(lease, NOON, &need, &reserve)) {
			pop3_quota_lease_return(lease, &counters);
			if (!pop3_quota_admits(&limits, &counters, NOON, &need,
					       &denial))
				continue;
			pop3_quota_lease_take(lease, &limits, &counters, NOON,
					      &reserve);
		}
		/* dots make it longer */
		size += i_rand_limit(size / 3 + 1);
		lease->spent.n[BYTES] += size;
		lease->spent.n[MESSAGES]++;
		sent += size;
		test_assert_idx(sent <= used(&counters, BYTES), i);
		if (sent > 50000)
			excess_max = I_MAX(excess_max, sent - 50000);
	}
	test_assert(excess_max <= MAX_SIZE);
	/* and nearly all of the quota can be used, also by many */
	test_assert(used(&counters, BYTES) > 50000 - 2 * MAX_SIZE);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_add_subtract,
		test_unlimited,
		test_roll,
		test_roll_behind,
		test_admits,
		test_denial_is_the_longest,
		test_lease,
		test_lease_size,
		test_lease_over_midnight,
		test_reset,
		test_lease_overspent,
		test_lease_unrecorded,
		test_lease_lost,
		test_lease_random,
		NULL
	};

	if (setenv("TZ", "UTC", 1) < 0)
		i_fatal("setenv() failed: %m");
	tzset();
	return test_run(test_functions);
}
