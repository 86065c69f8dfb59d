/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "retention-due.h"

#define DAY_SECS ((time_t)24 * 3600)
/* There is a look at least so often, which tells a jump of the clock from a
   maildrop that nobody has used. */
#define MAX_UNCHECKED_SECS (7 * DAY_SECS)
#define MAX_JUMP_SECS (30 * DAY_SECS)
/* When a jump need not be confirmed any more. */
#define JUMP_STANDS_SECS (7 * DAY_SECS)
#define RECHECK_SECS DAY_SECS

static bool has_limits(const struct pop3_retention_rules *rules)
{
	return rules->max_messages != POP3_KEEP_UNLIMITED ||
		rules->max_bytes != POP3_KEEP_UNLIMITED;
}

/* Whether a message of this time (0 for none) may have to go. */
static bool time_is_due(time_t oldest, uint64_t keep, time_t now)
{
	return oldest != 0 && oldest <= now &&
		(uint64_t)(now - oldest) >= keep;
}

/* What was not there at the last look was delivered after it. */
static time_t oldest_undownloaded(const struct pop3_retention_bounds *bounds)
{
	return bounds->oldest_undownloaded == 0 ? bounds->checked :
		I_MIN(bounds->oldest_undownloaded, bounds->checked);
}

static bool
limits_are_due(const struct pop3_retention_rules *rules,
	       const struct pop3_retention_bounds *bounds,
	       uint64_t messages, uint64_t bytes, time_t now)
{
	/* these take only what was downloaded, and not in the future */
	if (!has_limits(rules) || bounds->oldest_downloaded == 0 ||
	    bounds->oldest_downloaded > now)
		return FALSE;
	if ((messages != UINT64_MAX && messages > rules->max_messages) ||
	    (bytes != UINT64_MAX && bytes > rules->max_bytes))
		return TRUE;
	return (messages == UINT64_MAX || bytes == UINT64_MAX) &&
		now - bounds->checked >= DAY_SECS;
}

static bool
look_is_due(const struct pop3_retention_rules *rules,
	    const struct pop3_retention_bounds *bounds,
	    uint64_t messages, uint64_t bytes, time_t now)
{
	return bounds->checked == 0 ||
		now - bounds->checked >= MAX_UNCHECKED_SECS ||
		/* the clock is right again: a look forgets the jump */
		bounds->clock_jumped != 0 ||
		time_is_due(bounds->oldest_downloaded, rules->keep_downloaded,
			    now) ||
		time_is_due(oldest_undownloaded(bounds),
			    rules->keep_undownloaded, now) ||
		(bounds->recheck != 0 && bounds->recheck <= now) ||
		limits_are_due(rules, bounds, messages, bytes, now);
}

static bool clock_has_jumped(const struct pop3_retention_bounds *bounds,
			     time_t now)
{
	if (bounds->checked == 0 || now - bounds->checked <= MAX_JUMP_SECS)
		return FALSE;
	return bounds->clock_jumped == 0 ||
		now - bounds->clock_jumped < JUMP_STANDS_SECS;
}

enum pop3_retention_due
pop3_retention_is_due(const struct pop3_retention_rules *rules,
		      const struct pop3_retention_bounds *bounds,
		      uint64_t messages, uint64_t bytes, time_t now)
{
	/* while the clock is behind nothing goes */
	if (pop3_retention_is_forever(rules) || now < bounds->checked)
		return POP3_RETENTION_NOT_DUE;
	if (!look_is_due(rules, bounds, messages, bytes, now))
		return POP3_RETENTION_NOT_DUE;
	return clock_has_jumped(bounds, now) ? POP3_RETENTION_CLOCK_JUMPED :
		POP3_RETENTION_DUE;
}

enum pop3_retention_due
retention_policy_is_due(const struct retention_policy *policy,
			const struct pop3_retention_bounds *bounds,
			uint64_t messages, uint64_t bytes, time_t now)
{
	if (policy->report_only && bounds->recheck > now)
		return POP3_RETENTION_NOT_DUE;
	return pop3_retention_is_due(&policy->rules, bounds, messages, bytes,
				     now);
}

/* 0 stands for none: a time that is not known is as old as can be. */
static void set_oldest(time_t *oldest, time_t value)
{
	value = I_MAX(value, 1);
	if (*oldest == 0 || value < *oldest)
		*oldest = value;
}

time_t pop3_retention_next_due(const struct pop3_retention_rules *rules,
			       const struct pop3_retention_bounds *bounds)
{
	const struct pop3_retention_message oldest[] = {
		{ .downloaded = bounds->oldest_downloaded },
		{ .delivered = oldest_undownloaded(bounds) },
	};
	time_t next = 0, due;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(oldest); i++) {
		due = pop3_retention_due(rules, &oldest[i]);
		if (due != 0)
			set_oldest(&next, due);
	}
	if (bounds->recheck != 0 && !pop3_retention_is_forever(rules))
		set_oldest(&next, bounds->recheck);
	return next;
}

/* It need not stay exempt. */
static void
add_exempt(struct pop3_retention_bounds *bounds,
	   const struct pop3_retention_rules *rules,
	   const struct pop3_retention_message *message, time_t now)
{
	struct pop3_retention_message plain = *message;
	time_t due;

	plain.exempt = FALSE;
	due = pop3_retention_due(rules, &plain);

	if (message->downloaded != 0 && has_limits(rules))
		set_oldest(&bounds->recheck, now + RECHECK_SECS);
	else if (due != 0)
		set_oldest(&bounds->recheck, I_MAX(due, now + RECHECK_SECS));
}

/* When it was delivered does not say when it is due. */
static void
add_unsure(struct pop3_retention_bounds *bounds,
	   const struct pop3_retention_rules *rules,
	   const struct pop3_retention_message *message)
{
	time_t due = pop3_retention_due(rules, message);

	if (due != 0)
		set_oldest(&bounds->recheck, due);
}

void pop3_retention_bounds_update(struct pop3_retention_bounds *bounds,
	const struct pop3_retention_rules *rules,
	const ARRAY_TYPE(pop3_retention_message) *messages, time_t now)
{
	const struct pop3_retention_message *message;

	i_zero(bounds);
	bounds->checked = now;
	array_foreach(messages, message) {
		if (message->rule != POP3_RETENTION_NONE)
			continue;
		if (message->exempt) {
			add_exempt(bounds, rules, message, now);
		} else if (message->downloaded != 0) {
			set_oldest(&bounds->oldest_downloaded,
				   message->downloaded);
		} else if (message->perhaps_downloaded != 0) {
			add_unsure(bounds, rules, message);
		} else {
			set_oldest(&bounds->oldest_undownloaded,
				   message->delivered);
		}
	}
}

void pop3_retention_bounds_add_report(struct pop3_retention_bounds *bounds,
				      time_t now)
{
	set_oldest(&bounds->recheck, now + RECHECK_SECS);
}

void pop3_retention_bounds_add_download(struct pop3_retention_bounds *bounds,
					time_t downloaded)
{
	set_oldest(&bounds->oldest_downloaded, downloaded);
}
