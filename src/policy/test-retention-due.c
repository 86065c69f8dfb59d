/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "test-common.h"
#include "retention-due.h"

#define DAY 86400
/* when the clock of these tests stands */
#define NOW 1800000000
#define AGO(days) (NOW - (time_t)(days) * DAY)
#define FOREVER POP3_KEEP_FOREVER
#define UNKNOWN UINT64_MAX
#define NOT POP3_RETENTION_NOT_DUE
#define DUE POP3_RETENTION_DUE
#define JUMPED POP3_RETENTION_CLOCK_JUMPED

static const struct {
	/* in days; FOREVER is for ever */
	uint64_t keep_downloaded, keep_undownloaded;
	uint64_t max_messages, max_bytes;
	struct pop3_retention_bounds bounds;
	uint64_t messages, bytes;
	enum pop3_retention_due due;
} due_tests[] = {
	/* no rules; never looked at */
	{ FOREVER, FOREVER, FOREVER, FOREVER, { 0, 0, 0, 0, 0 },
	  UNKNOWN, UNKNOWN, NOT },
	{ 14, FOREVER, FOREVER, FOREVER, { 0, 0, 0, 0, 0 }, UNKNOWN, UNKNOWN,
	  DUE },
	/* downloads */
	{ 14, FOREVER, FOREVER, FOREVER, { AGO(1), AGO(14), 0, 0, 0 },
	  UNKNOWN, UNKNOWN, DUE },
	{ 14, FOREVER, FOREVER, FOREVER, { AGO(1), AGO(14) + 1, 0, 0, 0 },
	  UNKNOWN, UNKNOWN, NOT },
	{ 14, FOREVER, FOREVER, FOREVER, { AGO(1), 0, 0, 0, 0 },
	  UNKNOWN, UNKNOWN, NOT },
	{ 0, FOREVER, FOREVER, FOREVER, { AGO(1), NOW, 0, 0, 0 },
	  UNKNOWN, UNKNOWN, DUE },
	{ 0, FOREVER, FOREVER, FOREVER, { AGO(1), NOW + 1, 0, 0, 0 },
	  UNKNOWN, UNKNOWN, NOT },
	{ FOREVER, 90, FOREVER, FOREVER, { AGO(1), AGO(1000), 0, 0, 0 },
	  UNKNOWN, UNKNOWN, NOT },
	/* what was not downloaded; what came after the last look */
	{ FOREVER, 90, FOREVER, FOREVER, { AGO(1), 0, AGO(90), 0, 0 },
	  UNKNOWN, UNKNOWN, DUE },
	{ FOREVER, 90, FOREVER, FOREVER, { AGO(1), 0, AGO(90) + 1, 0, 0 },
	  UNKNOWN, UNKNOWN, NOT },
	{ FOREVER, 3, FOREVER, FOREVER, { AGO(3), 0, 0, 0, 0 },
	  UNKNOWN, UNKNOWN, DUE },
	{ FOREVER, 3, FOREVER, FOREVER, { AGO(3), 0, AGO(2), 0, 0 },
	  UNKNOWN, UNKNOWN, DUE },
	{ FOREVER, 3, FOREVER, FOREVER, { AGO(3) + 1, 0, 0, 0, 0 },
	  UNKNOWN, UNKNOWN, NOT },
	{ 14, FOREVER, FOREVER, FOREVER, { AGO(1), 0, AGO(1000), 0, 0 },
	  UNKNOWN, UNKNOWN, NOT },
	/* exempt ones */
	{ 14, FOREVER, FOREVER, FOREVER, { AGO(1), 0, 0, NOW, 0 },
	  UNKNOWN, UNKNOWN, DUE },
	{ 14, FOREVER, FOREVER, FOREVER, { AGO(1), 0, 0, NOW + 1, 0 },
	  UNKNOWN, UNKNOWN, NOT },
	/* limits take only what was downloaded */
	{ FOREVER, FOREVER, 10, FOREVER, { AGO(1), NOW, 0, 0, 0 }, 11, 0, DUE },
	{ FOREVER, FOREVER, 10, FOREVER, { AGO(1), NOW, 0, 0, 0 }, 10, 99,
	  NOT },
	{ FOREVER, FOREVER, 10, FOREVER, { AGO(1), 0, 0, 0, 0 }, 11, 0, NOT },
	{ FOREVER, FOREVER, FOREVER, 10, { AGO(1), NOW, 0, 0, 0 }, 1, 11, DUE },
	{ FOREVER, FOREVER, FOREVER, 10, { AGO(1), NOW, 0, 0, 0 }, 99, 10,
	  NOT },
	{ FOREVER, FOREVER, 10, FOREVER, { AGO(1), NOW + 1, 0, 0, 0 }, 11, 0,
	  NOT },
	{ FOREVER, FOREVER, FOREVER, 10, { AGO(1), NOW + 1, 0, 0, 0 }, 1, 11,
	  NOT },
	/* if it is not known what there is, daily */
	{ FOREVER, FOREVER, 10, FOREVER, { AGO(1), NOW, 0, 0, 0 },
	  UNKNOWN, UNKNOWN, DUE },
	{ FOREVER, FOREVER, 10, FOREVER, { AGO(1) + 1, NOW, 0, 0, 0 },
	  UNKNOWN, UNKNOWN, NOT },
	{ FOREVER, FOREVER, 10, FOREVER, { AGO(1) + 1, NOW, 0, 0, 0 },
	  99, UNKNOWN, DUE },
	{ FOREVER, FOREVER, FOREVER, 10, { AGO(1) + 1, NOW, 0, 0, 0 },
	  UNKNOWN, 99, DUE },
	{ FOREVER, FOREVER, 10, FOREVER, { AGO(1), NOW, 0, 0, 0 },
	  9, UNKNOWN, DUE },
	{ FOREVER, FOREVER, 10, FOREVER, { AGO(1), 0, 0, 0, 0 },
	  UNKNOWN, UNKNOWN, NOT },
	/* weekly, whatever there is */
	{ 14, FOREVER, FOREVER, FOREVER, { AGO(7), 0, 0, 0, 0 },
	  UNKNOWN, UNKNOWN, DUE },
	{ 14, FOREVER, FOREVER, FOREVER, { AGO(7) + 1, 0, 0, 0, 0 },
	  UNKNOWN, UNKNOWN, NOT },
	/* a clock that is behind */
	{ 14, FOREVER, FOREVER, FOREVER, { NOW + 1, AGO(15), 0, 0, 0 },
	  UNKNOWN, UNKNOWN, NOT },
	{ 14, FOREVER, FOREVER, FOREVER, { NOW, AGO(15), 0, 0, 0 },
	  UNKNOWN, UNKNOWN, DUE },
	/* one that has jumped, and has said so for a week */
	{ 14, FOREVER, FOREVER, FOREVER, { AGO(30), AGO(15), 0, 0, 0 },
	  UNKNOWN, UNKNOWN, DUE },
	{ 14, FOREVER, FOREVER, FOREVER, { AGO(30) - 1, AGO(15), 0, 0, 0 },
	  UNKNOWN, UNKNOWN, JUMPED },
	{ 14, FOREVER, FOREVER, FOREVER, { AGO(99), 0, 0, 0, AGO(7) + 1 },
	  UNKNOWN, UNKNOWN, JUMPED },
	{ 14, FOREVER, FOREVER, FOREVER, { AGO(99), 0, 0, 0, AGO(7) },
	  UNKNOWN, UNKNOWN, DUE },
	{ 14, FOREVER, FOREVER, FOREVER, { AGO(99), 0, 0, 0, NOW + 1 },
	  UNKNOWN, UNKNOWN, JUMPED },
};

static uint64_t days(uint64_t count)
{
	return count == FOREVER ? FOREVER : count * DAY;
}

static void test_due(void)
{
	unsigned int i;

	test_begin("retention: when there is to be a look");
	for (i = 0; i < N_ELEMENTS(due_tests); i++) {
		const struct pop3_retention_rules rules = {
			.keep_downloaded = days(due_tests[i].keep_downloaded),
			.keep_undownloaded =
				days(due_tests[i].keep_undownloaded),
			.max_messages = due_tests[i].max_messages,
			.max_bytes = due_tests[i].max_bytes,
		};

		test_assert_idx(pop3_retention_is_due(&rules,
			&due_tests[i].bounds, due_tests[i].messages,
			due_tests[i].bytes, NOW) == due_tests[i].due, i);
	}
	test_end();
}

/* Messages were downloaded 20 days ago. */
static void test_report(void)
{
	struct retention_policy policy = {
		.rules = {
			.keep_downloaded = days(14),
			.keep_undownloaded = POP3_KEEP_FOREVER,
			.max_messages = POP3_KEEP_UNLIMITED,
			.max_bytes = POP3_KEEP_UNLIMITED,
		},
		.report_only = TRUE,
	};
	struct pop3_retention_bounds bounds = {
		.checked = NOW, .oldest_downloaded = AGO(20),
	};

	test_begin("retention: when there is to be a report");
	test_assert(retention_policy_is_due(&policy, &bounds, UNKNOWN, UNKNOWN,
					    NOW) == DUE);
	pop3_retention_bounds_add_report(&bounds, NOW);
	test_assert(retention_policy_is_due(&policy, &bounds, UNKNOWN, UNKNOWN,
					    NOW + DAY - 1) == NOT);
	test_assert(retention_policy_is_due(&policy, &bounds, UNKNOWN, UNKNOWN,
					    NOW + DAY) == DUE);
	/* what is exempt has to be looked at earlier */
	bounds.recheck = NOW + 1;
	pop3_retention_bounds_add_report(&bounds, NOW);
	test_assert(bounds.recheck == NOW + 1);
	policy.report_only = FALSE;
	test_assert(retention_policy_is_due(&policy, &bounds, UNKNOWN, UNKNOWN,
					    NOW) == DUE);
	test_end();
}

static const struct {
	uint64_t max_messages;
	struct pop3_retention_message messages[2];
	struct pop3_retention_bounds bounds;
} update_tests[] = {
	/* rules are 14 days after the download, 90 days after delivery */
	{ FOREVER, { { .uid = 0 } }, { NOW, 0, 0, 0, 0 } },
	{ FOREVER, { { .uid = 1, .downloaded = AGO(5) },
		     { .uid = 2, .downloaded = AGO(6) } },
	  { NOW, AGO(6), 0, 0, 0 } },
	{ FOREVER, { { .uid = 1, .delivered = AGO(8) },
		     { .uid = 2, .delivered = AGO(7) } },
	  { NOW, 0, AGO(8), 0, 0 } },
	/* gone */
	{ FOREVER, { { .uid = 1, .downloaded = AGO(15),
		       .rule = POP3_RETENTION_DOWNLOADED },
		     { .uid = 2, .downloaded = AGO(6) } },
	  { NOW, AGO(6), 0, 0, 0 } },
	/* delivery not known: as old as can be */
	{ FOREVER, { { .uid = 1 } }, { NOW, 0, 1, 0, 0 } },
	/* exempt: looked at again in a day, or when it is due */
	{ FOREVER, { { .uid = 1, .downloaded = AGO(15), .exempt = TRUE },
		     { .uid = 2, .downloaded = AGO(3) } },
	  { NOW, AGO(3), 0, NOW + DAY, 0 } },
	{ FOREVER, { { .uid = 1, .downloaded = AGO(10), .exempt = TRUE } },
	  { NOW, 0, 0, NOW + 4 * DAY, 0 } },
	{ FOREVER, { { .uid = 1, .delivered = AGO(80), .exempt = TRUE } },
	  { NOW, 0, 0, NOW + 10 * DAY, 0 } },
	{ 5, { { .uid = 1, .downloaded = AGO(10), .exempt = TRUE } },
	  { NOW, 0, 0, NOW + DAY, 0 } },
	{ 5, { { .uid = 1, .delivered = AGO(80), .exempt = TRUE } },
	  { NOW, 0, 0, NOW + 10 * DAY, 0 } },
	/* perhaps downloaded: looked at when it is due */
	{ 5, { { .uid = 1, .delivered = AGO(99),
		 .perhaps_downloaded = AGO(13) } },
	  { NOW, 0, 0, NOW + DAY, 0 } },
	{ 5, { { .uid = 1, .delivered = AGO(80),
		 .perhaps_downloaded = AGO(13) } },
	  { NOW, 0, 0, NOW + 10 * DAY, 0 } },
	{ 5, { { .uid = 1, .perhaps_downloaded = AGO(13) } },
	  { NOW, 0, 0, 0, 0 } },
};

static void test_update(void)
{
	struct pop3_retention_rules rules = {
		.keep_downloaded = 14 * DAY, .keep_undownloaded = 90 * DAY,
		.max_bytes = FOREVER,
	};
	struct pop3_retention_bounds bounds;
	ARRAY_TYPE(pop3_retention_message) messages;
	unsigned int i, j;

	test_begin("retention: what is known after a look");
	for (i = 0; i < N_ELEMENTS(update_tests); i++) {
		rules.max_messages = update_tests[i].max_messages;
		t_array_init(&messages, 2);
		for (j = 0; j < 2; j++) {
			if (update_tests[i].messages[j].uid != 0) {
				array_push_back(&messages,
					&update_tests[i].messages[j]);
			}
		}
		memset(&bounds, 0xff, sizeof(bounds));
		pop3_retention_bounds_update(&bounds, &rules, &messages, NOW);
		test_assert_idx(bounds.checked == update_tests[i].bounds.checked,
				i);
		test_assert_idx(bounds.oldest_downloaded ==
				update_tests[i].bounds.oldest_downloaded, i);
		test_assert_idx(bounds.oldest_undownloaded ==
				update_tests[i].bounds.oldest_undownloaded, i);
		test_assert_idx(bounds.recheck == update_tests[i].bounds.recheck,
				i);
		test_assert_idx(bounds.clock_jumped == 0, i);
	}
	test_end();
}

static void test_add_download(void)
{
	struct pop3_retention_bounds bounds = { .checked = NOW };

	test_begin("retention: downloads between looks");
	pop3_retention_bounds_add_download(&bounds, NOW + 5);
	test_assert(bounds.oldest_downloaded == NOW + 5);
	pop3_retention_bounds_add_download(&bounds, NOW + 6);
	test_assert(bounds.oldest_downloaded == NOW + 5);
	pop3_retention_bounds_add_download(&bounds, NOW + 4);
	test_assert(bounds.oldest_downloaded == NOW + 4);
	test_assert(bounds.checked == NOW && bounds.oldest_undownloaded == 0);
	test_end();
}

static const struct {
	/* in days; FOREVER is for ever */
	uint64_t keep_downloaded, keep_undownloaded;
	struct pop3_retention_bounds bounds;
	time_t next;
} next_tests[] = {
	{ FOREVER, FOREVER, { AGO(1), AGO(9), AGO(9), AGO(9), 0 }, 0 },
	/* nothing is known */
	{ 14, 90, { 0, 0, 0, 0, 0 }, 0 },
	{ 14, FOREVER, { AGO(1), 0, AGO(80), 0, 0 }, 0 },
	{ 14, FOREVER, { AGO(1), AGO(9), AGO(80), 0, 0 }, AGO(-5) },
	{ 0, FOREVER, { AGO(1), AGO(9), 0, 0, 0 }, AGO(9) },
	{ FOREVER, 90, { AGO(1), AGO(9), AGO(80), 0, 0 }, AGO(-10) },
	/* the first of both */
	{ 14, 90, { AGO(1), AGO(9), AGO(80), 0, 0 }, AGO(-5) },
	{ 14, 90, { AGO(1), AGO(9), AGO(87), 0, 0 }, AGO(-3) },
	/* what came after the last look */
	{ 14, 3, { AGO(1), AGO(9), 0, 0, 0 }, AGO(-2) },
	{ 14, 3, { AGO(2), AGO(9), AGO(1), 0, 0 }, AGO(-1) },
	/* exempt ones */
	{ 14, 90, { AGO(1), AGO(9), AGO(80), AGO(-1), 0 }, AGO(-1) },
	{ 14, FOREVER, { AGO(1), 0, 0, AGO(-1), 0 }, AGO(-1) },
	{ 14, FOREVER, { AGO(1), AGO(9), 0, AGO(-6), 0 }, AGO(-5) },
};

static void test_next_due(void)
{
	unsigned int i;

	test_begin("retention: next due");
	for (i = 0; i < N_ELEMENTS(next_tests); i++) {
		struct pop3_retention_rules rules = {
			.keep_downloaded = next_tests[i].keep_downloaded,
			.keep_undownloaded = next_tests[i].keep_undownloaded,
			.max_messages = POP3_KEEP_UNLIMITED,
			.max_bytes = POP3_KEEP_UNLIMITED,
		};

		if (rules.keep_downloaded != FOREVER)
			rules.keep_downloaded *= DAY;
		if (rules.keep_undownloaded != FOREVER)
			rules.keep_undownloaded *= DAY;
		test_assert_idx(pop3_retention_next_due(&rules,
				&next_tests[i].bounds) == next_tests[i].next,
				i);
	}
	test_end();
}

int main(void)
{
	static void (*const tests[])(void) = {
		test_due,
		test_report,
		test_update,
		test_add_download,
		test_next_due,
		NULL
	};

	return test_run(tests);
}
