#ifndef POP3_POLICY_SESSION_QUOTA_H
#define POP3_POLICY_SESSION_QUOTA_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "quota-warning.h"

struct policy_store;

/* The download quota of one session. It takes leases from the counters in the
   state, so that most messages cost no write, and gives back what is left. */
struct session_quota;

enum session_quota_answer {
	SESSION_QUOTA_REFUSED,
	SESSION_QUOTA_GRANTED,
	/* it may be sent, at the rate for what is over the limits */
	SESSION_QUOTA_SLOWED
};

/* limits and store must outlive the session. With throttle_rate, what is over
   the limits is not refused. With ignore_errors, a state that cannot be known
   lets the session go on uncounted. */
struct session_quota *
session_quota_init(const struct pop3_quota_limits *limits,
		   uint64_t throttle_rate, struct policy_store *store,
		   bool ignore_errors, struct event *event_parent);
/* session_quota_finish() comes first: a lease that is not given back counts as
   used. */
void session_quota_deinit(struct session_quota **quota);

/* Much of a limit is used, and that nobody was told is written down. The state
   is not locked. */
typedef void
session_quota_warn_t(const struct pop3_quota_warning *warning, void *context);

/* Who is to be told. It is told when the counters are written anyway, which is
   at the end of the session at the latest. */
void session_quota_set_warn(struct session_quota *quota,
			    session_quota_warn_t *warn, void *context);

/* May one more message be sent, of which size octets are expected and max_size
   are possible? If it is refused, *reply_r is the reply after "-ERR ", in the
   data stack. The first that is over the limits is logged. */
enum session_quota_answer
session_quota_request(struct session_quota *quota, uoff_t size,
		      uoff_t max_size, const char **reply_r);
/* So many octets will be sent at the most, whatever the limits say. */
void session_quota_reserve(struct session_quota *quota, uoff_t max_size);
/* What became of the last request or reserve: so much was sent, as a download
   that counts as a message or not. */
void session_quota_spend(struct session_quota *quota, uoff_t bytes,
			 bool download);

/* What was spent in this session. */
const struct pop3_quota_amount *
session_quota_total(const struct session_quota *quota);
/* Give back what is left of the lease. Afterwards returns what is left of the
   limits for the log, in the data stack, or NULL if that is not known. */
const char *session_quota_finish(struct session_quota *quota);

#endif
