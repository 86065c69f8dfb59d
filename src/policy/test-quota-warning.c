/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "quota-warning.h"

#include <stdlib.h>
#include <time.h>

#define BYTES POP3_QUOTA_BYTES
#define MESSAGES POP3_QUOTA_MESSAGES
#define DAY POP3_QUOTA_WINDOW_DAY
#define MONTH POP3_QUOTA_WINDOW_MONTH
/* 2026-11-25 12:00 UTC */
#define NOON 1795608000
#define DAY_SECS (24 * 3600)

/* What is told of a limit of bytes a day; 0 is nothing. */
static unsigned int
warn(struct pop3_quota_counters *counters, uint64_t limit, uint64_t used,
     bool denied)
{
	const struct pop3_quota_denial denial = {
		.window = DAY, .resource = BYTES, .limit = limit,
	};
	struct pop3_quota_limits limits;
	struct pop3_quota_warnings warnings;

	i_zero(&limits);
	limits.window[DAY].n[BYTES] = limit;
	counters->window[DAY].used.n[BYTES] = used;
	if (!pop3_quota_warn(&limits, counters, denied ? &denial : NULL,
			     &warnings))
		return 0;
	test_assert(warnings.count == 1);
	test_assert(warnings.warning[0].window == DAY);
	test_assert(warnings.warning[0].resource == BYTES);
	test_assert(warnings.warning[0].used == used);
	test_assert(warnings.warning[0].limit == limit);
	return warnings.warning[0].percent;
}

static void test_thresholds(void)
{
	static const struct {
		uint64_t limit, used;
		bool denied;
		unsigned int percent;
	} tests[] = {
		{ 0, 0, FALSE, 0 },
		{ 0, UINT64_MAX, FALSE, 0 },
		{ 0, UINT64_MAX, TRUE, 0 },
		{ 100, 0, FALSE, 0 },
		{ 100, 79, FALSE, 0 },
		{ 100, 80, FALSE, 80 },
		{ 100, 99, FALSE, 80 },
		{ 100, 100, FALSE, 100 },
		{ 100, 1000, FALSE, 100 },
		/* 80 % of it is 5.6 */
		{ 7, 5, FALSE, 0 },
		{ 7, 6, FALSE, 80 },
		/* there is nothing between */
		{ 4, 3, FALSE, 0 },
		{ 4, 4, FALSE, 100 },
		{ 1, 0, FALSE, 0 },
		{ 1, 1, FALSE, 100 },
		{ 5, 4, FALSE, 80 },
		{ UINT64_MAX, UINT64_MAX / 10 * 7, FALSE, 0 },
		{ UINT64_MAX, UINT64_MAX / 10 * 9, FALSE, 80 },
		{ UINT64_MAX, UINT64_MAX, FALSE, 100 },
		/* a large message that does not fit says little of the rest */
		{ 100, 79, TRUE, 0 },
		{ 100, 80, TRUE, 100 },
		{ 100, 99, TRUE, 100 },
	};
	struct pop3_quota_counters counters;
	unsigned int i;

	test_begin("quota warning: thresholds");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		i_zero(&counters);
		test_assert_idx(warn(&counters, tests[i].limit, tests[i].used,
				     tests[i].denied) == tests[i].percent, i);
		/* once */
		test_assert_idx(warn(&counters, tests[i].limit, tests[i].used,
				     tests[i].denied) == 0, i);
	}
	test_end();
}

static void test_once(void)
{
	struct pop3_quota_counters counters;

	test_begin("quota warning: once in a window");
	i_zero(&counters);
	(void)pop3_quota_roll(&counters, NOON);
	test_assert(warn(&counters, 100, 80, FALSE) == 80);
	/* a lease comes back, and is taken again */
	test_assert(warn(&counters, 100, 70, FALSE) == 0);
	test_assert(warn(&counters, 100, 85, FALSE) == 0);
	test_assert(warn(&counters, 100, 100, FALSE) == 100);
	test_assert(warn(&counters, 100, 90, FALSE) == 0);
	test_assert(warn(&counters, 100, 90, TRUE) == 0);

	/* the next window; it is still told of the month */
	(void)pop3_quota_roll(&counters, NOON + DAY_SECS);
	test_assert(counters.window[DAY].warned.n[BYTES] == 0);
	test_assert(warn(&counters, 100, 80, FALSE) == 80);
	counters.window[MONTH].warned.n[BYTES] = 7;
	(void)pop3_quota_roll(&counters, NOON + DAY_SECS * 2);
	test_assert(counters.window[MONTH].warned.n[BYTES] == 7);

	/* a reset */
	test_assert(warn(&counters, 100, 100, FALSE) == 100);
	pop3_quota_reset(&counters, NOON + DAY_SECS * 2 + 1);
	test_assert(warn(&counters, 100, 90, FALSE) == 80);
	test_end();
}

static void test_other_limit(void)
{
	struct pop3_quota_counters counters;

	test_begin("quota warning: a limit that changes");
	i_zero(&counters);
	test_assert(warn(&counters, 100, 100, FALSE) == 100);
	/* a larger one, of which less than 80 % are used */
	test_assert(warn(&counters, 200, 150, FALSE) == 0);
	test_assert(warn(&counters, 200, 160, FALSE) == 80);
	test_assert(warn(&counters, 200, 200, FALSE) == 100);
	/* one of which more was used before */
	test_assert(warn(&counters, 150, 200, FALSE) == 100);
	test_assert(warn(&counters, 150, 200, FALSE) == 0);
	/* what was told of the larger one is more than 80 % of this */
	i_zero(&counters);
	test_assert(warn(&counters, 100, 80, FALSE) == 80);
	test_assert(warn(&counters, 90, 80, FALSE) == 0);
	test_assert(warn(&counters, 90, 90, FALSE) == 100);
	test_end();
}

static void test_several(void)
{
	const struct pop3_quota_denial denial = {
		.window = MONTH, .resource = MESSAGES,
	};
	struct pop3_quota_limits limits;
	struct pop3_quota_counters counters;
	struct pop3_quota_warnings warnings;
	unsigned int w, r;

	test_begin("quota warning: several limits");
	i_zero(&counters);
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
			limits.window[w].n[r] = 100 + w;
			counters.window[w].used.n[r] = 90 + r;
		}
	}
	test_assert(pop3_quota_warn(&limits, &counters, &denial, &warnings));
	test_assert(warnings.count == N_ELEMENTS(warnings.warning));
	for (w = 0; w < warnings.count; w++) {
		const struct pop3_quota_warning *warning =
			&warnings.warning[w];
		bool denied = w == warnings.count - 1;

		test_assert_idx(warning->window == w / 2, w);
		test_assert_idx(warning->resource == w % 2, w);
		test_assert_idx(warning->limit == 100 + w / 2, w);
		test_assert_idx(warning->used == 90 + w % 2, w);
		test_assert_idx(warning->percent == (denied ? 100 : 80), w);
	}
	test_assert(!pop3_quota_warn(&limits, &counters, NULL, &warnings));
	test_assert(warnings.count == 0);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_thresholds,
		test_once,
		test_other_limit,
		test_several,
		NULL
	};
	if (setenv("TZ", "UTC", 1) < 0)
		i_fatal("setenv() failed: %m");
	tzset();
	return test_run(test_functions);
}
