#ifndef POP3_POLICY_SESSION_DELAY_H
#define POP3_POLICY_SESSION_DELAY_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct client;
struct policy_store;
struct pop3_policy_settings;

/* Whether a client of this user may have to wait. One that runs the pop3
   process by itself has not logged in. */
bool session_has_delay(const struct client *client,
		       const struct pop3_policy_settings *set);

/* The user logs in now, if that may be: then it is written down, in one write.
   Returns 1; 0 and the reply to a user who must wait, for whom nothing is
   written; -1 and an error if it cannot be known. Both are in the data stack.
   What errors must not stop the session is logged. */
int session_delay_login(const struct pop3_policy_settings *set,
			struct policy_store *store, struct event *event,
			const char **reply_r, const char **error_r);

#endif
