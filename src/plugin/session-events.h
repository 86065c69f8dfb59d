#ifndef POP3_POLICY_SESSION_EVENTS_H
#define POP3_POLICY_SESSION_EVENTS_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct client;
struct mail_user;
struct pop3_quota_warning;

/* The device of all events below this one; NULL has no name. */
void session_event_set_device(struct event *event, const char *device);

/* How a session has ended, by the event that began with it. messages is how
   many were sent whole, bytes what was sent of messages at all; refused, that
   it had to end before its maildrop was listed. Nothing is sent below the event
   afterwards: it would have these fields, too. */
void session_event_finished(struct event *event, const struct client *client,
			    const char *device, unsigned int messages,
			    uoff_t bytes, bool refused);

/* Tell of a quota, and start the script behind that socket, if it is not
   NULL. */
void session_event_warning(const struct pop3_quota_warning *warning,
			   const struct mail_user *user,
			   const char *socket_name, struct event *event);

#endif
