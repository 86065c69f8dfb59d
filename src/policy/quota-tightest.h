#ifndef POP3_POLICY_QUOTA_TIGHTEST_H
#define POP3_POLICY_QUOTA_TIGHTEST_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "quota.h"

/* One of several limits, and how it stands. */
struct pop3_quota_standing {
	enum pop3_quota_window window;
	enum pop3_quota_resource resource;
	uint64_t limit, used, left;
	/* when the window ends */
	time_t until;
};

/* How the limit stands of which the smallest part is left; of several the one
   whose window is longest. Counters must have been rolled to now. Returns TRUE
   and *standing_r, or FALSE if there is no limit. */
bool pop3_quota_tightest(const struct pop3_quota_limits *limits,
			 const struct pop3_quota_counters *counters, time_t now,
			 struct pop3_quota_standing *standing_r);

#endif
