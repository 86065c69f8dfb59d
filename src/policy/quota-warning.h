#ifndef POP3_POLICY_QUOTA_WARNING_H
#define POP3_POLICY_QUOTA_WARNING_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "quota.h"

/* When somebody should hear of a quota. Pure, as quota.h. */

#define POP3_QUOTA_WARN_EARLY 80
#define POP3_QUOTA_WARN_FULL 100

/* Much of a limit is used. */
struct pop3_quota_warning {
	enum pop3_quota_window window;
	enum pop3_quota_resource resource;
	/* how much at least: one of the two above */
	unsigned int percent;
	uint64_t used, limit;
};

struct pop3_quota_warnings {
	struct pop3_quota_warning warning[POP3_QUOTA_WINDOW_COUNT *
					  POP3_QUOTA_RESOURCE_COUNT];
	unsigned int count;
};

/* Find what is to be told, and note in the counters that it was: each once for
   a limit in a window, and the higher one alone where both are due. A limit in
   a denial (or NULL) is used up as well as it can be if the early warning is
   due. Counters must have been rolled to now. Returns TRUE if there is
   anything: then the counters must be written before it is told. */
bool pop3_quota_warn(const struct pop3_quota_limits *limits,
		     struct pop3_quota_counters *counters,
		     const struct pop3_quota_denial *denial,
		     struct pop3_quota_warnings *warnings_r);

#endif
