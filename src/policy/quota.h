#ifndef POP3_POLICY_QUOTA_H
#define POP3_POLICY_QUOTA_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "window.h"

/* The rules of the download quota. Pure: the caller brings counters and time. */

enum pop3_quota_resource {
	/* what was sent in reply to RETR and TOP, in octets */
	POP3_QUOTA_BYTES,
	/* messages whose download began */
	POP3_QUOTA_MESSAGES,

	POP3_QUOTA_RESOURCE_COUNT
};

struct pop3_quota_amount {
	uint64_t n[POP3_QUOTA_RESOURCE_COUNT];
};

/* 0 is no limit. */
struct pop3_quota_limits {
	struct pop3_quota_amount window[POP3_QUOTA_WINDOW_COUNT];
};

/* What was used in the window that began at start, leases included. start is a
   boundary of the window, or the time of the last reset in it. */
struct pop3_quota_counter {
	time_t start;
	struct pop3_quota_amount used;
	/* how much it was when somebody was told last, see quota-warning.h */
	struct pop3_quota_amount warned;
	/* When the clock was first seen more than a window before start, or 0:
	   either it is wrong now, or it was when start was written. */
	time_t behind_since;
};

/* All windows are counted, also those without a limit, so that a limit that is
   set in the middle of a month holds for that month. */
struct pop3_quota_counters {
	struct pop3_quota_counter window[POP3_QUOTA_WINDOW_COUNT];
};

/* The limit that stands in the way longest. */
struct pop3_quota_denial {
	enum pop3_quota_window window;
	enum pop3_quota_resource resource;
	uint64_t limit, left;
	/* when the window ends */
	time_t until;
};

/* What a session has taken from the counters in advance, so that it need not
   write for each message. */
struct pop3_quota_lease {
	/* taken from the counters; nothing for a session without a lease */
	struct pop3_quota_amount granted;
	/* how much of that lay within the limits */
	struct pop3_quota_amount within_limits;
	/* used since the lease was taken */
	struct pop3_quota_amount spent;
	/* the start of each counter that it was taken from */
	time_t start[POP3_QUOTA_WINDOW_COUNT];
	/* the first of the windows ends */
	time_t expires;
	/* granted is not in the counters that others see, because they could
	   not be written */
	bool unrecorded;
	/* what leases before it have spent that were not written either */
	struct pop3_quota_amount carried[POP3_QUOTA_WINDOW_COUNT];
};

bool pop3_quota_is_unlimited(const struct pop3_quota_limits *limits);

/* a + b, or UINT64_MAX. */
static inline uint64_t pop3_quota_add(uint64_t a, uint64_t b)
{
	return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

/* a - b, or 0. */
static inline uint64_t pop3_quota_subtract(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* Begin new windows where the old ones have ended at now. A clock that goes
   back begins none: the counters stay until it is back where it was, or, if it
   has gone back by more than a window, for what is left of the window that it
   shows. Returns TRUE if that was noticed just now: it must be written, or that
   window will never end. */
bool pop3_quota_roll(struct pop3_quota_counters *counters, time_t now);

/* When the counter will be empty again. It must have been rolled to now. */
time_t pop3_quota_counter_end(const struct pop3_quota_counter *counter,
			      enum pop3_quota_window window, time_t now);

/* Empty all counters, in a way that leases which are out are not mistaken for
   ones that were taken afterwards. */
void pop3_quota_reset(struct pop3_quota_counters *counters, time_t now);

/* May this much be served now? Only if every limit has room for it; a single
   message that is larger than a whole limit may use up an untouched window.
   Counters must have been rolled to now. Returns TRUE, or FALSE and *denial_r. */
bool pop3_quota_admits(const struct pop3_quota_limits *limits,
		       const struct pop3_quota_counters *counters, time_t now,
		       const struct pop3_quota_amount *need,
		       struct pop3_quota_denial *denial_r);

/* TRUE if the lease has room for the message without asking the counters: need
   is what it is expected to take, reserve what it may take at the most. */
bool pop3_quota_lease_covers(const struct pop3_quota_lease *lease, time_t now,
			     const struct pop3_quota_amount *need,
			     const struct pop3_quota_amount *reserve);

/* Give back to the counters what the lease did not spend, and empty it. Windows
   that have ended since keep nothing of it; counters that were reset since, or
   that were lost, count what it spent. What was spent on an empty lease counts
   now. Counters must have been rolled to now. */
void pop3_quota_lease_return(struct pop3_quota_lease *lease,
			     struct pop3_quota_counters *counters);

/* Take at least reserve from the counters for an empty lease, more where there
   is plenty, so that the next messages need no write. Whether it may be taken
   is for pop3_quota_admits() to say. */
void pop3_quota_lease_take(struct pop3_quota_lease *lease,
			   const struct pop3_quota_limits *limits,
			   struct pop3_quota_counters *counters, time_t now,
			   const struct pop3_quota_amount *reserve);

/* The counters with this lease in them could not be written: remember that, and
   what was spent of the one before if that was not written either. */
void pop3_quota_lease_keep_unrecorded(struct pop3_quota_lease *lease,
				      const struct pop3_quota_lease *before);

#endif
