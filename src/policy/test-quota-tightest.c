/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "quota-tightest.h"

#include <stdlib.h>
#include <time.h>

#define NONE { { 0, 0 } }
#define NOON 1795435200 /* 2026-11-23 12:00 UTC, a Monday */

static const struct {
	struct pop3_quota_limits limits;
	/* in each window */
	uint64_t bytes, messages;
	/* of the limit that stands out: */
	enum pop3_quota_window window;
	enum pop3_quota_resource resource;
	uint64_t left;
	time_t until;
} tests[] = {
	/* one limit */
	{ { { NONE, { { 1000, 0 } }, NONE, NONE } }, 400, 2,
	  POP3_QUOTA_WINDOW_DAY, POP3_QUOTA_BYTES, 600, NOON + 12 * 3600 },
	{ { { { { 0, 3 } }, NONE, NONE, NONE } }, 400, 2,
	  POP3_QUOTA_WINDOW_HOUR, POP3_QUOTA_MESSAGES, 1, NOON + 3600 },
	/* the smallest part, not the smallest number */
	{ { { NONE, { { 1000, 3 } }, NONE, NONE } }, 990, 2,
	  POP3_QUOTA_WINDOW_DAY, POP3_QUOTA_BYTES, 10, NOON + 12 * 3600 },
	{ { { NONE, { { 1000, 3 } }, NONE, NONE } }, 500, 2,
	  POP3_QUOTA_WINDOW_DAY, POP3_QUOTA_MESSAGES, 1, NOON + 12 * 3600 },
	{ { { { { 1000, 0 } }, { { 1100, 0 } }, NONE, NONE } }, 900, 0,
	  POP3_QUOTA_WINDOW_HOUR, POP3_QUOTA_BYTES, 100, NOON + 3600 },
	/* of those that are used up the one that is so for longest */
	{ { { { { 1000, 1 } }, { { 1000, 0 } }, { { 1000, 0 } },
	      { { 5000, 0 } } } }, 1000, 2,
	  POP3_QUOTA_WINDOW_WEEK, POP3_QUOTA_BYTES, 0,
	  NOON + 12 * 3600 + 6 * 86400 },
	/* more than all is used up as well */
	{ { { NONE, { { 1000, 0 } }, NONE, { { 9000, 0 } } } }, 5000, 0,
	  POP3_QUOTA_WINDOW_DAY, POP3_QUOTA_BYTES, 0, NOON + 12 * 3600 },
	/* nothing is used: the longest window */
	{ { { { { 1000, 7 } }, NONE, { { 9, 0 } }, { { 10, 10 } } } }, 0, 0,
	  POP3_QUOTA_WINDOW_MONTH, POP3_QUOTA_MESSAGES, 10,
	  NOON + 12 * 3600 + 7 * 86400 },
	{ { { { { UINT64_MAX, 0 } }, { { 100, 0 } }, NONE, NONE } }, 10, 0,
	  POP3_QUOTA_WINDOW_DAY, POP3_QUOTA_BYTES, 90, NOON + 12 * 3600 },
	{ { { { { UINT64_MAX, 0 } }, NONE, NONE, NONE } }, UINT64_MAX - 1, 0,
	  POP3_QUOTA_WINDOW_HOUR, POP3_QUOTA_BYTES, 1, NOON + 3600 },
};

static void test_tightest(void)
{
	unsigned int i, w;

	test_begin("quota tightest");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		struct pop3_quota_standing standing;
		struct pop3_quota_counters counters;
		uint64_t used[] = { tests[i].bytes, tests[i].messages };

		i_zero(&counters);
		(void)pop3_quota_roll(&counters, NOON);
		for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
			counters.window[w].used.n[0] = used[0];
			counters.window[w].used.n[1] = used[1];
		}
		memset(&standing, 0xff, sizeof(standing));
		test_assert_idx(pop3_quota_tightest(&tests[i].limits, &counters,
						    NOON, &standing), i);
		test_assert_idx(standing.window == tests[i].window, i);
		test_assert_idx(standing.resource == tests[i].resource, i);
		test_assert_idx(standing.limit == tests[i].limits.window[
			standing.window].n[standing.resource], i);
		test_assert_idx(standing.used == used[standing.resource], i);
		test_assert_idx(standing.left == tests[i].left, i);
		test_assert_idx(standing.until == tests[i].until, i);
	}
	test_end();
}

static void test_no_limit(void)
{
	const struct pop3_quota_limits limits = {
		{ NONE, NONE, NONE, NONE }
	};
	struct pop3_quota_counters counters;
	struct pop3_quota_standing standing;

	test_begin("quota tightest: no limit");
	i_zero(&counters);
	(void)pop3_quota_roll(&counters, NOON);
	test_assert(!pop3_quota_tightest(&limits, &counters, NOON, &standing));
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_tightest,
		test_no_limit,
		NULL
	};

	if (setenv("TZ", "UTC", 1) < 0)
		i_fatal("setenv(TZ) failed: %m");
	tzset();
	return test_run(test_functions);
}
