/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "time-util.h"
#include "utc-mktime.h"
#include "test-common.h"
#include "window.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void set_zone(const char *zone)
{
	if (setenv("TZ", zone, 1) < 0)
		i_fatal("setenv() failed: %m");
	tzset();
}

/* "2026-03-29 01:59:59 +0000", always with its offset, as some local times
   exist twice. */
static time_t parse_time(const char *text)
{
	struct tm tm;
	int offset;

	i_zero(&tm);
	if (sscanf(text, "%d-%d-%d %d:%d:%d %d", &tm.tm_year, &tm.tm_mon,
		   &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec,
		   &offset) != 7)
		i_fatal("bad time in the test: %s", text);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return utc_mktime(&tm) - (offset / 100 * 60 + offset % 100) * 60;
}

static const char *print_time(time_t t)
{
	return t_strflocaltime("%Y-%m-%d %H:%M:%S %z", t);
}

struct window_test {
	const char *zone;
	enum pop3_quota_window window;
	const char *time, *start, *end;
};

#define HOUR POP3_QUOTA_WINDOW_HOUR
#define DAY POP3_QUOTA_WINDOW_DAY
#define WEEK POP3_QUOTA_WINDOW_WEEK
#define MONTH POP3_QUOTA_WINDOW_MONTH

static const struct window_test window_tests[] = {
	/* an ordinary Wednesday */
	{ "UTC", HOUR, "2026-11-25 13:14:15 +0000",
	  "2026-11-25 13:00:00 +0000", "2026-11-25 14:00:00 +0000" },
	{ "UTC", DAY, "2026-11-25 13:14:15 +0000",
	  "2026-11-25 00:00:00 +0000", "2026-11-26 00:00:00 +0000" },
	{ "UTC", WEEK, "2026-11-25 13:14:15 +0000",
	  "2026-11-23 00:00:00 +0000", "2026-11-30 00:00:00 +0000" },
	{ "UTC", MONTH, "2026-11-25 13:14:15 +0000",
	  "2026-11-01 00:00:00 +0000", "2026-12-01 00:00:00 +0000" },

	/* the first and the last second of each */
	{ "UTC", HOUR, "2026-11-25 13:00:00 +0000",
	  "2026-11-25 13:00:00 +0000", "2026-11-25 14:00:00 +0000" },
	{ "UTC", HOUR, "2026-11-25 13:59:59 +0000",
	  "2026-11-25 13:00:00 +0000", "2026-11-25 14:00:00 +0000" },
	{ "UTC", DAY, "2026-11-25 00:00:00 +0000",
	  "2026-11-25 00:00:00 +0000", "2026-11-26 00:00:00 +0000" },
	{ "UTC", DAY, "2026-11-25 23:59:59 +0000",
	  "2026-11-25 00:00:00 +0000", "2026-11-26 00:00:00 +0000" },
	{ "UTC", WEEK, "2026-11-23 00:00:00 +0000",
	  "2026-11-23 00:00:00 +0000", "2026-11-30 00:00:00 +0000" },
	{ "UTC", WEEK, "2026-11-29 23:59:59 +0000",
	  "2026-11-23 00:00:00 +0000", "2026-11-30 00:00:00 +0000" },
	{ "UTC", MONTH, "2026-12-31 23:59:59 +0000",
	  "2026-12-01 00:00:00 +0000", "2027-01-01 00:00:00 +0000" },
	{ "UTC", MONTH, "2027-01-01 00:00:00 +0000",
	  "2027-01-01 00:00:00 +0000", "2027-02-01 00:00:00 +0000" },

	/* a week over the end of a year */
	{ "UTC", WEEK, "2026-12-31 12:00:00 +0000",
	  "2026-12-28 00:00:00 +0000", "2027-01-04 00:00:00 +0000" },
	/* leap days, and a century that has none */
	{ "UTC", DAY, "2028-02-28 12:00:00 +0000",
	  "2028-02-28 00:00:00 +0000", "2028-02-29 00:00:00 +0000" },
	{ "UTC", MONTH, "2028-02-29 12:00:00 +0000",
	  "2028-02-01 00:00:00 +0000", "2028-03-01 00:00:00 +0000" },
	{ "UTC", DAY, "2027-02-28 12:00:00 +0000",
	  "2027-02-28 00:00:00 +0000", "2027-03-01 00:00:00 +0000" },
	{ "UTC", DAY, "2100-02-28 12:00:00 +0000",
	  "2100-02-28 00:00:00 +0000", "2100-03-01 00:00:00 +0000" },
	/* months of 31 days after shorter ones, from their last day */
	{ "UTC", MONTH, "2026-01-31 12:00:00 +0000",
	  "2026-01-01 00:00:00 +0000", "2026-02-01 00:00:00 +0000" },

	/* summer time begins: 2026-03-29 has 23 hours */
	{ "Europe/Berlin", DAY, "2026-03-29 12:00:00 +0200",
	  "2026-03-29 00:00:00 +0100", "2026-03-30 00:00:00 +0200" },
	{ "Europe/Berlin", HOUR, "2026-03-29 01:59:59 +0100",
	  "2026-03-29 01:00:00 +0100", "2026-03-29 03:00:00 +0200" },
	{ "Europe/Berlin", WEEK, "2026-03-29 12:00:00 +0200",
	  "2026-03-23 00:00:00 +0100", "2026-03-30 00:00:00 +0200" },
	{ "Europe/Berlin", MONTH, "2026-03-29 12:00:00 +0200",
	  "2026-03-01 00:00:00 +0100", "2026-04-01 00:00:00 +0200" },
	/* summer time ends: 2026-10-25 has 25 hours, 02:00 to 03:00 is twice */
	{ "Europe/Berlin", DAY, "2026-10-25 12:00:00 +0100",
	  "2026-10-25 00:00:00 +0200", "2026-10-26 00:00:00 +0100" },
	{ "Europe/Berlin", HOUR, "2026-10-25 02:30:00 +0200",
	  "2026-10-25 02:00:00 +0200", "2026-10-25 02:00:00 +0100" },
	{ "Europe/Berlin", HOUR, "2026-10-25 02:30:00 +0100",
	  "2026-10-25 02:00:00 +0100", "2026-10-25 03:00:00 +0100" },
	{ "America/New_York", DAY, "2026-03-08 23:00:00 -0400",
	  "2026-03-08 00:00:00 -0500", "2026-03-09 00:00:00 -0400" },

	/* midnight does not exist on the day that summer time begins */
	{ "Africa/Cairo", DAY, "2025-04-25 12:00:00 +0300",
	  "2025-04-25 01:00:00 +0300", "2025-04-26 00:00:00 +0300" },
	{ "Africa/Cairo", DAY, "2025-04-24 12:00:00 +0200",
	  "2025-04-24 00:00:00 +0200", "2025-04-25 01:00:00 +0300" },
	/* midnight exists twice */
	{ "America/Havana", DAY, "2025-11-02 12:00:00 -0500",
	  "2025-11-02 00:00:00 -0400", "2025-11-03 00:00:00 -0500" },
	{ "America/Havana", DAY, "2025-11-02 00:30:00 -0500",
	  "2025-11-02 00:00:00 -0400", "2025-11-03 00:00:00 -0500" },
	/* the last hour of the month exists twice */
	{ "America/Asuncion", MONTH, "2013-03-31 12:00:00 -0400",
	  "2013-03-01 00:00:00 -0300", "2013-04-01 00:00:00 -0400" },
	/* a date that never was: 2011-12-30 in Samoa */
	{ "Pacific/Apia", DAY, "2011-12-29 12:00:00 -1000",
	  "2011-12-29 00:00:00 -1000", "2011-12-31 00:00:00 +1400" },

	/* zones that are not whole hours from UTC */
	{ "Asia/Kolkata", HOUR, "2026-11-25 13:14:15 +0530",
	  "2026-11-25 13:00:00 +0530", "2026-11-25 14:00:00 +0530" },
	{ "Asia/Kathmandu", DAY, "2026-11-25 00:10:00 +0545",
	  "2026-11-25 00:00:00 +0545", "2026-11-26 00:00:00 +0545" },
	{ "America/St_Johns", HOUR, "2026-11-25 13:14:15 -0330",
	  "2026-11-25 13:00:00 -0330", "2026-11-25 14:00:00 -0330" },
	{ "Pacific/Kiritimati", DAY, "2026-11-25 13:14:15 +1400",
	  "2026-11-25 00:00:00 +1400", "2026-11-26 00:00:00 +1400" },
};

static void test_window_boundaries(void)
{
	unsigned int i;

	test_begin("window: boundaries");
	for (i = 0; i < N_ELEMENTS(window_tests); i++) T_BEGIN {
		const struct window_test *test = &window_tests[i];
		time_t t = parse_time(test->time);

		set_zone(test->zone);
		test_assert_strcmp_idx(
			print_time(pop3_quota_window_start(test->window, t)),
			test->start, i);
		test_assert_strcmp_idx(
			print_time(pop3_quota_window_end(test->window, t)),
			test->end, i);
	} T_END;
	test_end();
}

/* Windows follow each other without gap or overlap, over years of each zone. */
static void test_window_sequence(void)
{
	static const char *const zones[] = {
		"UTC", "Europe/Berlin", "America/New_York", "Africa/Cairo",
		"America/Havana", "Asia/Kolkata", "Pacific/Apia",
		"America/Asuncion", "Asia/Gaza"
	};
	unsigned int z, w;

	test_begin("window: sequence");
	for (z = 0; z < N_ELEMENTS(zones); z++) T_BEGIN {
		time_t last;

		set_zone(zones[z]);
		last = parse_time("2013-01-01 00:00:00 +0000");
		for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
			time_t t = parse_time("2010-11-01 12:34:56 +0000");

			t = pop3_quota_window_start(w, t);
			while (t < last) {
				time_t end = pop3_quota_window_end(w, t);

				test_assert_idx(end > t, z);
				test_assert_idx(pop3_quota_window_start(w,
							end - 1) == t, z);
				test_assert_idx(pop3_quota_window_end(w,
							end - 1) == end, z);
				test_assert_idx(pop3_quota_window_start(w,
							end) == end, z);
				if (end <= t)
					break;
				t = end;
			}
		}
	} T_END;
	test_end();
}

static void test_window_end_of_time(void)
{
	time_t last, end;
	unsigned int w;

	test_begin("window: the end of time");
	set_zone("Asia/Kolkata");
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		last = pop3_quota_window_start(w, INT64_MAX);
		end = pop3_quota_window_end(w, INT64_MAX);
		test_assert_idx(last > 0 && last < end && end < INT64_MAX, w);
	}
	test_end();
}

static void test_window_names(void)
{
	enum pop3_quota_window window;
	unsigned int w;

	test_begin("window: names");
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		window = POP3_QUOTA_WINDOW_COUNT;
		test_assert(pop3_quota_window_parse(pop3_quota_window_name(w),
						    &window));
		test_assert_idx(window == w, w);
	}
	test_assert(pop3_quota_window_parse("DAY", &window));
	test_assert(window == POP3_QUOTA_WINDOW_DAY);
	test_assert(!pop3_quota_window_parse("", &window));
	test_assert(!pop3_quota_window_parse("days", &window));
	test_assert(!pop3_quota_window_parse("da", &window));
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_window_boundaries,
		test_window_sequence,
		test_window_end_of_time,
		test_window_names,
		NULL
	};
	return test_run(test_functions);
}
