/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "login-delay.h"

#define T 1795446000

static const struct {
	unsigned int seconds, burst;
	uint64_t now, next;
	/* 0 if the login must wait */
	uint64_t left;
	unsigned int wait;
} tests[] = {
	/* the first login ever */
	{ 60, 0, T, 0, T + 60, 0 },
	{ 60, 3, T, 0, T + 60, 0 },
	/* one after the other */
	{ 60, 0, T, T + 60, 0, 60 },
	{ 60, 0, T, T + 59, 0, 59 },
	{ 60, 0, T, T + 1, 0, 1 },
	{ 60, 0, T, T, T + 60, 0 },
	{ 60, 0, T, T - 1, T + 60, 0 },
	{ 1, 0, T, T + 1, 0, 1 },
	{ 1, 0, T, T, T + 1, 0 },
	{ 24 * 60 * 60, 0, T, T + 1, 0, 1 },
	/* the burst: each login leaves 60 more */
	{ 60, 3, T, T + 60, T + 120, 0 },
	{ 60, 3, T, T + 120, T + 180, 0 },
	{ 60, 3, T, T + 180, T + 240, 0 },
	{ 60, 3, T, T + 181, 0, 1 },
	{ 60, 3, T, T + 240, 0, 60 },
	/* one is won back in 60 seconds, and not before */
	{ 60, 3, T + 59, T + 240, 0, 1 },
	{ 60, 3, T + 60, T + 240, T + 300, 0 },
	{ 60, 3, T + 61, T + 300, 0, 59 },
	/* and never more than the burst */
	{ 60, 3, T + 100000, T + 240, T + 100060, 0 },
	/* the largest burst of the longest delay */
	{ 86400, 1000, T, T + 86400000, T + 86486400, 0 },
	{ 86400, 1000, T, T + 86400001, 0, 1 },
	{ 86400, 1000, T, T + 86486400, 0, 86400 },
	/* the clock was set back, or the delay was longer */
	{ 60, 0, T, T + 61, T + 60, 0 },
	{ 60, 0, T, T + 1000000, T + 60, 0 },
	{ 60, 3, T, T + 240, 0, 60 },
	{ 60, 3, T, T + 241, T + 240, 0 },
	{ 60, 3, T, T + 1000000, T + 240, 0 },
	{ 60, 0, T, UINT64_MAX, T + 60, 0 },
	{ 86400, 1000, T, UINT64_MAX, T + 86486400, 0 },
	{ 60, 3, T, INT64_MAX, T + 240, 0 },
	/* a clock that was never set */
	{ 60, 0, 0, 0, 60, 0 },
	{ 60, 0, 0, 60, 0, 60 },
	{ 60, 0, 0, T, 60, 0 },
};

static void test_admits(void)
{
	unsigned int i, wait;
	uint64_t left;

	test_begin("login delay: one login");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		const struct pop3_login_delay rule = {
			.seconds = tests[i].seconds,
			.burst = tests[i].burst,
		};

		left = 0;
		wait = 0;
		test_assert_idx(pop3_login_delay_admits(&rule, tests[i].now,
				tests[i].next, &left, &wait) ==
				(tests[i].left != 0), i);
		test_assert_idx(left == tests[i].left, i);
		test_assert_idx(wait == tests[i].wait, i);
	}
	test_end();
}

/* Somebody who tries each second for a day is let in once in each delay, and
   the burst on top: the tries that were refused cost nothing. */
static void test_rate(void)
{
	static const struct pop3_login_delay rules[] = {
		{ 60, 0 }, { 60, 3 }, { 7, 1 }, { 1, 0 }, { 3600, 1000 },
	};
	const unsigned int day = 24 * 60 * 60;
	unsigned int i, second, wait, opens, admitted;
	uint64_t next;

	test_begin("login delay: tried each second");
	for (i = 0; i < N_ELEMENTS(rules); i++) {
		next = 0;
		admitted = 0;
		opens = 0;
		for (second = 0; second < day; second++) {
			if (pop3_login_delay_admits(&rules[i], T + second,
						    next, &next, &wait)) {
				/* neither before nor after what was said */
				test_assert_idx(opens == 0 || opens == second,
						i);
				opens = 0;
				admitted++;
			} else {
				test_assert_idx(opens == 0 ||
						opens == second + wait, i);
				opens = second + wait;
			}
		}
		test_assert_idx(admitted == (day - 1) / rules[i].seconds + 1 +
				rules[i].burst, i);
	}
	test_end();
}

/* Whatever the clock does, nobody waits longer than one delay. */
static void test_clock(void)
{
	const struct pop3_login_delay rule = { 60, 2 };
	uint64_t next = 0, now, ignored;
	unsigned int i, wait = 0;

	test_begin("login delay: a clock that jumps");
	for (i = 0; i < 10000; i++) {
		now = i_rand_limit(2) == 0 ? T + i_rand_limit(300) :
			i_rand_limit(2000000000);
		if (pop3_login_delay_admits(&rule, now, next, &next, &wait)) {
			test_assert(next > now && next <= now + 3 * 60);
			continue;
		}
		test_assert(wait > 0 && wait <= 60);
		test_assert(pop3_login_delay_admits(&rule, now + wait, next,
						    &ignored, &wait));
	}
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_admits,
		test_rate,
		test_clock,
		NULL
	};
	return test_run(test_functions);
}
