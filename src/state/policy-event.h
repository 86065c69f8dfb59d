#ifndef POP3_POLICY_POLICY_EVENT_H
#define POP3_POLICY_POLICY_EVENT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* What Dovecot's event system is told, as doc/events.md says it for admins.
   Each event has the field "device", and those that stand below its name. Fields are
   always there, and the words that they may have are few: they may be labels of
   metrics. */

#define POLICY_EVENT_DEVICE "device"
/* of a session without a device, and of what doveadm does */
#define POLICY_EVENT_NO_DEVICE "none"

/* outcome: "quit", "dropped" or "refused"; bytes, messages, deleted */
#define POLICY_EVENT_SESSION_FINISHED "pop3_policy_session_finished"
/* window, resource, action: "deny" or "throttle"; left */
#define POLICY_EVENT_QUOTA_DENIED "pop3_policy_quota_denied"
/* percent: 80 or 100; window, resource, used, limit */
#define POLICY_EVENT_QUOTA_THRESHOLD "pop3_policy_quota_threshold"
/* rule, action: "expunge" or "move"; count, bytes */
#define POLICY_EVENT_EXPIRED "pop3_policy_expired"
/* kept, new, ambiguous, gone */
#define POLICY_EVENT_UIDL_RECOVERED "pop3_policy_uidl_recovered"
/* reason, effect */
#define POLICY_EVENT_STATE_FAILED "pop3_policy_state_failed"

/* Reasons: what a session needs to know could not be known... */
#define POLICY_EVENT_UNAVAILABLE "unavailable"
/* ...what it has to remember could not be written... */
#define POLICY_EVENT_UNWRITABLE "unwritable"
/* ...the state was not what a state looks like, and was set aside... */
#define POLICY_EVENT_CORRUPT "corrupt"
/* ...the mailbox is not the one that is known. */
#define POLICY_EVENT_ALARM "alarm"

/* Effects: the session was refused or ended... */
#define POLICY_EVENT_REFUSED "refused"
/* ...messages were... */
#define POLICY_EVENT_DENIED "denied"
/* ...it went on as if there were no policy... */
#define POLICY_EVENT_IGNORED "ignored"
/* ...it went on, without what could not be read or written. */
#define POLICY_EVENT_CONTINUED "continued"

/* An event of that name, to be given fields and sent by e_debug() or the like
   at once. */
struct event_passthrough *
policy_event(struct event *parent, const char *name);
/* POLICY_EVENT_STATE_FAILED, complete. */
struct event *
policy_event_state_failed(struct event *parent, const char *reason,
			  const char *effect);

#endif
