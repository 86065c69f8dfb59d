/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "window.h"

#include <time.h>

#define SECS_PER_HOUR 3600
/* The end of the year 9999. A state may have any number for a time, and later
   ones have no calendar date. */
#define LAST_TIME ((time_t)253402300799)

static const char *const window_names[POP3_QUOTA_WINDOW_COUNT] = {
	"hour", "day", "week", "month"
};

const char *pop3_quota_window_name(enum pop3_quota_window window)
{
	i_assert(window < POP3_QUOTA_WINDOW_COUNT);
	return window_names[window];
}

bool pop3_quota_window_parse(const char *name,
			     enum pop3_quota_window *window_r)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(window_names); i++) {
		if (strcasecmp(name, window_names[i]) == 0) {
			*window_r = (enum pop3_quota_window)i;
			return TRUE;
		}
	}
	return FALSE;
}

/* Unlike localtime() this does not look at TZ again each time. */
static struct tm local_tm(time_t t)
{
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL)
		i_panic("localtime_r(%s) failed: %m", dec2str(t));
	return tm;
}

static time_t hour_start(time_t t)
{
	const struct tm tm = local_tm(t);

	/* not from tm_min: an hour that is repeated when summer time ends must
	   stay two hours */
	return t - (t + tm.tm_gmtoff) % SECS_PER_HOUR;
}

/* A number that orders local dates. */
static int tm_date(const struct tm *tm)
{
	return (tm->tm_year * 12 + tm->tm_mon) * 32 + tm->tm_mday;
}

static int local_date(time_t t)
{
	const struct tm tm = local_tm(t);

	return tm_date(&tm);
}

/* The first second of the date in tm, which may have its day or month out of
   range as in mktime(). */
static time_t date_start(struct tm tm)
{
	time_t before, after, middle;
	int date;

	/* Noon exists on every date, midnight does not: clocks are put forward
	   at 00:00 in some zones. */
	tm.tm_hour = 12;
	tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	after = mktime(&tm);
	date = local_date(after);

	middle = after - 12 * SECS_PER_HOUR;
	if (local_date(middle) == date && local_date(middle - 1) < date)
		return middle;

	/* the clock was changed this morning: search for where the date begins */
	before = after - 36 * SECS_PER_HOUR;
	while (after - before > 1) {
		middle = before + (after - before) / 2;
		if (local_date(middle) < date)
			before = middle;
		else
			after = middle;
	}
	return after;
}

/* The boundary that is n windows after the one that t is in. */
static time_t
calendar_boundary(enum pop3_quota_window window, time_t t, int n)
{
	struct tm tm = local_tm(t);

	switch (window) {
	case POP3_QUOTA_WINDOW_DAY:
		tm.tm_mday += n;
		break;
	case POP3_QUOTA_WINDOW_WEEK:
		/* tm_wday counts from Sunday, the week begins on Monday */
		tm.tm_mday += 7 * n - (tm.tm_wday + 6) % 7;
		break;
	case POP3_QUOTA_WINDOW_MONTH:
		tm.tm_mon += n;
		tm.tm_mday = 1;
		break;
	case POP3_QUOTA_WINDOW_HOUR:
	case POP3_QUOTA_WINDOW_COUNT:
		i_unreached();
	}
	return date_start(tm);
}

time_t pop3_quota_window_start(enum pop3_quota_window window, time_t t)
{
	time_t start;
	int n = 0;

	t = I_MIN(t, LAST_TIME);
	if (window == POP3_QUOTA_WINDOW_HOUR)
		return hour_start(t);
	/* more than one round only where a zone once set its clocks back over
	   midnight, so that a date began twice */
	while ((start = calendar_boundary(window, t, n)) > t)
		n--;
	return start;
}

time_t pop3_quota_window_end(enum pop3_quota_window window, time_t t)
{
	time_t end;
	int n = 1;

	t = I_MIN(t, LAST_TIME);
	if (window == POP3_QUOTA_WINDOW_HOUR)
		return hour_start(t) + SECS_PER_HOUR;
	/* more than one round only where a zone once left out a date */
	while ((end = calendar_boundary(window, t, n)) <= t)
		n++;
	return end;
}
