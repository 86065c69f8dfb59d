/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "test-quota-use.h"

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

	use_utc();
	return test_run(test_functions);
}
