/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "quota-text.h"
#include "policy-event.h"
#include "rate-text.h"
#include "store.h"
#include "session-quota.h"

#include <time.h>

/* What is sent whatever the limits say, such as the headers of TOP, takes its
   lease in steps of this. */
#define LEASE_STEP_BYTES (64 * 1024)
/* Likewise for messages that are slowed. */
#define LEASE_STEP_MESSAGES 16

#define STATE_FAILED_REPLY \
	"[SYS/TEMP] POP3 policy state is not available, try again later."

struct session_quota {
	struct event *event;
	const struct pop3_quota_limits *limits;
	/* 0 if what is over the limits is refused */
	uint64_t throttle_rate;
	struct policy_store *store;

	struct pop3_quota_lease lease;
	struct pop3_quota_amount total;
	/* to be told once the counters are written */
	struct pop3_quota_warnings warnings;
	session_quota_warn_t *warn;
	void *warn_context;
	/* as they were when the lease was last returned */
	struct pop3_quota_counters counters;

	bool ignore_errors:1;
	/* the state could not be known: do not wait for it again */
	bool failed:1;
	bool counters_known:1;
	bool denial_logged:1;
	bool unwritable_logged:1;
};

struct session_quota *
session_quota_init(const struct pop3_quota_limits *limits,
		   uint64_t throttle_rate, struct policy_store *store,
		   bool ignore_errors, struct event *event_parent)
{
	struct session_quota *quota = i_new(struct session_quota, 1);

	quota->event = event_create(event_parent);
	quota->limits = limits;
	quota->throttle_rate = throttle_rate;
	quota->store = store;
	quota->ignore_errors = ignore_errors;
	return quota;
}

void session_quota_deinit(struct session_quota **_quota)
{
	struct session_quota *quota = *_quota;

	if (quota == NULL)
		return;
	*_quota = NULL;
	event_unref(&quota->event);
	i_free(quota);
}

void session_quota_set_warn(struct session_quota *quota,
			    session_quota_warn_t *warn, void *context)
{
	quota->warn = warn;
	quota->warn_context = context;
}

static void
log_unwritable(struct session_quota *quota, const char *error)
{
	if (quota->unwritable_logged)
		return;
	quota->unwritable_logged = TRUE;
	e_error(policy_event_state_failed(quota->event, POLICY_EVENT_UNWRITABLE,
					  POLICY_EVENT_CONTINUED),
		"quota is counted in this session only: %s", error);
}

static void log_failed(struct session_quota *quota, const char *error)
{
	e_error(policy_event_state_failed(quota->event,
					  POLICY_EVENT_UNAVAILABLE,
					  quota->ignore_errors ?
					  POLICY_EVENT_IGNORED :
					  POLICY_EVENT_DENIED),
		"quota state is not available, %s: %s",
		quota->ignore_errors ? "went on without it" :
		"RETR is refused", error);
	quota->failed = TRUE;
}

/* Read the counters, roll them to now and return the lease to them.
   *must_write_r is set if rolling them must not be forgotten. */
static enum policy_store_result
begin_return(struct session_quota *quota, time_t now,
	     struct policy_state **state_r, bool *must_write_r)
{
	struct pop3_quota_lease lease = quota->lease;
	struct pop3_quota_counters *counters;
	enum policy_store_result result;
	const char *error;

	result = policy_store_begin(quota->store, state_r, &error);
	if (result == POLICY_STORE_UNUSABLE) {
		log_failed(quota, error);
		return result;
	}
	if (result == POLICY_STORE_UNWRITABLE)
		log_unwritable(quota, error);
	counters = policy_state_quota(*state_r);
	*must_write_r = pop3_quota_roll(counters, now);
	pop3_quota_lease_return(&lease, counters);
	quota->counters = *counters;
	quota->counters_known = TRUE;
	return result;
}

/* Note in the counters what is to be told, once begin_return() has locked them.
   Returns TRUE if that must not be forgotten. */
static bool
find_warnings(struct session_quota *quota, enum policy_store_result result,
	      struct policy_state *state,
	      const struct pop3_quota_denial *denial)
{
	/* what cannot be written would be told again and again */
	return quota->warn != NULL && result == POLICY_STORE_OK &&
		pop3_quota_warn(quota->limits, policy_state_quota(state),
				denial, &quota->warnings);
}

/* Write the state, if begin_return() has locked it. */
static enum policy_store_result
commit(struct session_quota *quota, enum policy_store_result result,
       struct policy_state *state)
{
	const char *error;

	if (result != POLICY_STORE_OK)
		return result;
	result = policy_store_commit(quota->store, state, &error);
	if (result == POLICY_STORE_UNWRITABLE)
		log_unwritable(quota, error);
	else if (result == POLICY_STORE_UNUSABLE)
		log_failed(quota, error);
	if (result != POLICY_STORE_OK)
		quota->warnings.count = 0;
	return result;
}

/* Nothing is locked any more. */
static void
end_return(struct session_quota *quota, struct policy_state **state)
{
	struct pop3_quota_warnings *warnings = &quota->warnings;
	unsigned int i;

	policy_state_deinit(state);
	for (i = 0; i < warnings->count; i++)
		quota->warn(&warnings->warning[i], quota->warn_context);
	warnings->count = 0;
}

/* A commit has failed, but may have been written all the same, with the lease
   returned: then it must not be returned again. One that others never saw is
   kept: better counted twice than not at all. */
static void forget_recorded_lease(struct session_quota *quota)
{
	if (!quota->lease.unrecorded)
		i_zero(&quota->lease);
}

/* Take a lease in place of the one that was returned. */
static bool
take_commit(struct session_quota *quota, enum policy_store_result result,
	    struct policy_state *state, time_t now,
	    const struct pop3_quota_amount *reserve)
{
	struct pop3_quota_lease lease;

	pop3_quota_lease_take(&lease, quota->limits, policy_state_quota(state),
			      now, reserve);
	result = commit(quota, result, state);
	if (result == POLICY_STORE_UNUSABLE) {
		forget_recorded_lease(quota);
		return FALSE;
	}
	if (result == POLICY_STORE_UNWRITABLE)
		pop3_quota_lease_keep_unrecorded(&lease, &quota->lease);
	quota->lease = lease;
	return TRUE;
}

static void
log_denial(struct session_quota *quota, const struct pop3_quota_denial *denial)
{
	struct event_passthrough *e;

	if (quota->denial_logged)
		return;
	quota->denial_logged = TRUE;
	e = policy_event(quota->event, POLICY_EVENT_QUOTA_DENIED)->
		add_str("window", pop3_quota_window_name(denial->window))->
		add_str("resource",
			pop3_quota_resource_name(denial->resource))->
		add_str("action", quota->throttle_rate == 0 ?
			"deny" : "throttle")->
		add_int("left", (intmax_t)I_MIN(denial->left, INTMAX_MAX));
	e_info(e->event(), "%s: %s, %s until %s", denial->left == 0 ?
	       "quota used up" : "message does not fit in the quota",
	       pop3_quota_limit_to_text(denial->window, denial->resource,
					denial->limit),
	       quota->throttle_rate == 0 ? "refused" :
	       t_strdup_printf("slowed to %s",
			       pop3_rate_to_text(quota->throttle_rate)),
	       pop3_quota_time_to_text(denial->until));
}

/* Write what begin_return() has found, if that must be, and nothing else. */
static void
finish_without_lease(struct session_quota *quota,
		     enum policy_store_result result,
		     struct policy_state *state, bool must_write)
{
	if (must_write) {
		result = commit(quota, result, state);
		if (result == POLICY_STORE_OK)
			i_zero(&quota->lease);
		else if (result == POLICY_STORE_UNUSABLE)
			forget_recorded_lease(quota);
	} else if (result == POLICY_STORE_OK) {
		policy_store_rollback(quota->store);
	}
}

static bool
lease_has_room(const struct pop3_quota_lease *lease, time_t now,
	       const struct pop3_quota_amount *reserve)
{
	unsigned int r;

	if (now >= lease->expires)
		return FALSE;
	for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
		if (pop3_quota_add(lease->spent.n[r], reserve->n[r]) >
		    lease->granted.n[r])
			return FALSE;
	}
	return TRUE;
}

/* The message is over the limits, and sent all the same: what it takes must be
   in the counters before. */
static bool
slow_down(struct session_quota *quota, enum policy_store_result result,
	  struct policy_state *state, bool must_write, time_t now,
	  const struct pop3_quota_amount *reserve)
{
	const struct pop3_quota_amount step = { .n = {
		I_MAX(reserve->n[POP3_QUOTA_BYTES], LEASE_STEP_BYTES),
		LEASE_STEP_MESSAGES
	} };

	if (must_write || !lease_has_room(&quota->lease, now, reserve))
		return take_commit(quota, result, state, now, &step);
	finish_without_lease(quota, result, state, FALSE);
	return TRUE;
}

static enum session_quota_answer
request_new_lease(struct session_quota *quota, time_t now,
		  const struct pop3_quota_amount *need,
		  const struct pop3_quota_amount *reserve, const char **reply_r)
{
	enum session_quota_answer answer = SESSION_QUOTA_REFUSED;
	struct pop3_quota_denial denial;
	struct policy_state *state;
	enum policy_store_result result;
	bool must_write;

	result = begin_return(quota, now, &state, &must_write);
	if (result == POLICY_STORE_UNUSABLE)
		return SESSION_QUOTA_REFUSED;
	if (pop3_quota_admits(quota->limits, policy_state_quota(state), now,
			      need, &denial)) {
		(void)find_warnings(quota, result, state, NULL);
		if (take_commit(quota, result, state, now, reserve))
			answer = SESSION_QUOTA_GRANTED;
	} else {
		if (find_warnings(quota, result, state, &denial))
			must_write = TRUE;
		if (quota->throttle_rate == 0) {
			finish_without_lease(quota, result, state, must_write);
			*reply_r = pop3_quota_denial_to_text(&denial);
		} else if (slow_down(quota, result, state, must_write, now,
				     reserve)) {
			answer = SESSION_QUOTA_SLOWED;
		}
		log_denial(quota, &denial);
	}
	end_return(quota, &state);
	return answer;
}

enum session_quota_answer
session_quota_request(struct session_quota *quota, uoff_t size,
		      uoff_t max_size, const char **reply_r)
{
	const struct pop3_quota_amount need = { .n = { size, 1 } };
	const struct pop3_quota_amount reserve = { .n = { max_size, 1 } };
	enum session_quota_answer answer;
	time_t now = time(NULL);

	if (!quota->failed) {
		if (pop3_quota_lease_covers(&quota->lease, now, &need,
					    &reserve))
			return SESSION_QUOTA_GRANTED;
		answer = request_new_lease(quota, now, &need, &reserve,
					   reply_r);
		if (!quota->failed)
			return answer;
	}
	*reply_r = STATE_FAILED_REPLY;
	return quota->ignore_errors ? SESSION_QUOTA_GRANTED :
		SESSION_QUOTA_REFUSED;
}

static void
force_lease(struct session_quota *quota, time_t now, uint64_t bytes,
	    uint64_t messages)
{
	const struct pop3_quota_amount reserve = { .n = { bytes, messages } };
	struct policy_state *state;
	enum policy_store_result result;
	bool must_write;

	result = begin_return(quota, now, &state, &must_write);
	if (result == POLICY_STORE_UNUSABLE)
		return;
	(void)find_warnings(quota, result, state, NULL);
	(void)take_commit(quota, result, state, now, &reserve);
	end_return(quota, &state);
}

void session_quota_reserve(struct session_quota *quota, uoff_t max_size)
{
	const struct pop3_quota_lease *lease = &quota->lease;
	time_t now = time(NULL);

	if (!quota->failed &&
	    (now >= lease->expires ||
	     pop3_quota_add(lease->spent.n[POP3_QUOTA_BYTES], max_size) >
	     lease->granted.n[POP3_QUOTA_BYTES]))
		force_lease(quota, now, I_MAX(max_size, LEASE_STEP_BYTES), 0);
}

void session_quota_spend(struct session_quota *quota, uoff_t bytes,
			 bool download)
{
	time_t now = time(NULL);

	if (!quota->failed && now >= quota->lease.expires) {
		/* It began in a window that has ended meanwhile, and counts
		   there by its lease. What of it was sent in this one is not
		   known, so it counts here too. */
		force_lease(quota, now, bytes, download ? 1 : 0);
	}
	quota->lease.spent.n[POP3_QUOTA_BYTES] += bytes;
	quota->total.n[POP3_QUOTA_BYTES] += bytes;
	if (download) {
		quota->lease.spent.n[POP3_QUOTA_MESSAGES]++;
		quota->total.n[POP3_QUOTA_MESSAGES]++;
	}
}

const struct pop3_quota_amount *
session_quota_total(const struct session_quota *quota)
{
	return &quota->total;
}

const char *session_quota_finish(struct session_quota *quota)
{
	struct policy_state *state;
	enum policy_store_result result;
	bool must_write;

	if (quota->lease.expires != 0 ||
	    quota->lease.spent.n[POP3_QUOTA_BYTES] > 0) {
		result = begin_return(quota, time(NULL), &state, &must_write);
		if (result != POLICY_STORE_UNUSABLE) {
			(void)find_warnings(quota, result, state, NULL);
			(void)commit(quota, result, state);
			end_return(quota, &state);
		}
		i_zero(&quota->lease);
	}
	return !quota->counters_known ? NULL :
		pop3_quota_left_to_text(quota->limits, &quota->counters);
}
