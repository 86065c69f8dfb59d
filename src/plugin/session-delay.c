/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "pop3-symbols.h"
#include "pop3-policy-settings.h"
#include "login-delay-text.h"
#include "login-stamp.h"
#include "policy-event.h"
#include "session-delay.h"

#include <time.h>

/* How often others may log in while this session does: as many as the largest
   burst lets in, and some more. */
#define MAX_TRIES (2 * POP3_LOGIN_BURST_MAX)

bool session_has_delay(const struct client *client,
		       const struct pop3_policy_settings *set)
{
	/* the login process hands over a socket, a shell has two ends */
	return set->login_delay.seconds > 0 && client->fd_in == client->fd_out;
}

/* Returns POLICY_STORE_OK and *done_r, with a reply if the user must wait. */
static enum policy_store_result
try_login(const struct pop3_login_delay *rule, struct policy_store *store,
	  bool *done_r, const char **reply_r, const char **error_r)
{
	enum policy_store_result result;
	uint64_t number, next;
	unsigned int wait;

	result = policy_login_stamp_read(store, &number, error_r);
	if (result != POLICY_STORE_OK)
		return result;
	if (pop3_login_delay_admits(rule, time(NULL), number, &next, &wait)) {
		return policy_login_stamp_set(store, number, next, done_r,
					      error_r);
	}
	*reply_r = t_strconcat("-ERR ", pop3_login_delay_to_text(rule, wait),
			       NULL);
	*done_r = TRUE;
	return POLICY_STORE_OK;
}

int session_delay_login(const struct pop3_policy_settings *set,
			struct policy_store *store, struct event *event,
			const char **reply_r, const char **error_r)
{
	enum policy_store_result result = POLICY_STORE_OK;
	unsigned int tries;
	bool done = FALSE;

	*reply_r = NULL;
	for (tries = 0; tries < MAX_TRIES && result == POLICY_STORE_OK;
	     tries++) {
		result = try_login(&set->login_delay, store, &done, reply_r,
				   error_r);
		if (result == POLICY_STORE_OK && done)
			return *reply_r == NULL ? 1 : 0;
	}
	if (result == POLICY_STORE_UNWRITABLE) {
		e_warning(policy_event_state_failed(event,
				POLICY_EVENT_UNWRITABLE,
				POLICY_EVENT_CONTINUED),
			  "login is not counted: %s", *error_r);
		return 1;
	}
	if (result == POLICY_STORE_OK)
		*error_r = "login.json changes all the time";
	if (!set->ignore_errors)
		return -1;
	e_error(policy_event_state_failed(event, POLICY_EVENT_UNAVAILABLE,
					  POLICY_EVENT_IGNORED),
		"login delay is not known, went on without it: %s", *error_r);
	return 1;
}
