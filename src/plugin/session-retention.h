#ifndef POP3_POLICY_SESSION_RETENTION_H
#define POP3_POLICY_SESSION_RETENTION_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct client;
struct policy_store;
struct retention_policy;
struct session_uidls;

/* Remove what has stayed long enough, when the session is over and written
   down, if it has ended with QUIT. downloaded tells whether a message was
   downloaded in it for good. If nothing is due this looks at no message. */
void session_retention_finish(struct client *client,
			      const struct retention_policy *policy,
			      struct policy_store *store,
			      struct session_uidls *uidls, bool downloaded,
			      struct event *event);

#endif
