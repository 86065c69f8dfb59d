/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "test-quota-use.h"

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

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_add_subtract,
		test_unlimited,
		test_roll,
		test_roll_behind,
		test_admits,
		test_denial_is_the_longest,
		NULL
	};

	use_utc();
	return test_run(test_functions);
}
