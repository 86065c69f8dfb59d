#ifndef POP3_POLICY_WINDOW_H
#define POP3_POLICY_WINDOW_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* The calendar periods that a quota counts, in the time zone of the process
   (TZ or /etc/localtime). A boundary is the first second of a local hour, of a
   local date, of a Monday or of the first of a month, whatever daylight saving
   time does to that second. */
enum pop3_quota_window {
	POP3_QUOTA_WINDOW_HOUR,
	POP3_QUOTA_WINDOW_DAY,
	POP3_QUOTA_WINDOW_WEEK,
	POP3_QUOTA_WINDOW_MONTH,

	POP3_QUOTA_WINDOW_COUNT
};

/* "hour", "day", "week" or "month", as settings and state spell it. */
const char *pop3_quota_window_name(enum pop3_quota_window window);
/* The window of that name: TRUE and *window_r, or FALSE. Case matters not. */
bool pop3_quota_window_parse(const char *name,
			     enum pop3_quota_window *window_r);

/* Times after the year 9999 are taken for its last second. */

/* The last boundary that is not after t. */
time_t pop3_quota_window_start(enum pop3_quota_window window, time_t t);
/* The first boundary that is after t. */
time_t pop3_quota_window_end(enum pop3_quota_window window, time_t t);

#endif
