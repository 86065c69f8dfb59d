/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "mail-search.h"
#include "pop3-symbols.h"
#include "pop3-policy-settings.h"
#include "pop3-policy-store.h"
#include "exempt.h"
#include "policy-event.h"
#include "search-query.h"
#include "store.h"
#include "refused-mailbox.h"
#include "reply-ostream.h"
#include "session.h"
#include "session-begin.h"
#include "session-delay.h"
#include "session-events.h"
#include "session-uidls.h"

#define MISCONFIGURED_REPLY \
	"-ERR [SYS/PERM] POP3 policy of this account is misconfigured."
#define NO_STATE_REPLY \
	"-ERR [SYS/TEMP] POP3 policy state is not available, try again later."
#define REFUSE_REASON "Refused by POP3 policy"
#define DELAY_REASON "Refused by POP3 policy: logged in again too soon"

static void
refuse(struct client *client, const char *reply, const char *reason)
{
	reply_ostream_refuse_session(client, reply, reason);
	refused_mailbox_mark(client->user);
}

static void
refuse_failed(struct client *client, struct event *event, const char *error)
{
	e_error(policy_event_state_failed(event, POLICY_EVENT_UNAVAILABLE,
					  POLICY_EVENT_REFUSED),
		"session is refused: %s", error);
	refuse(client, NO_STATE_REPLY, REFUSE_REASON);
}

/* Open the state, so that a session that cannot have it ends before the
   maildrop is listed. */
static int
session_open_state(struct client *client, const struct pop3_policy_settings *set,
		   struct event *event, struct policy_store **store_r,
		   struct session_uidls **uidls_r, const char **error_r)
{
	/* it syncs until the settings of the mailbox are there */
	if (pop3_policy_store_open(set, client->user, TRUE, event, store_r,
				   error_r) < 0)
		return -1;
	if (session_uidls_init(client, set, *store_r, event, uidls_r,
			       error_r) < 0) {
		policy_store_deinit(store_r);
		return -1;
	}
	return 0;
}

static bool
session_try_begin(struct client *client, const struct pop3_policy_settings *set,
		  struct mail_search_args *view, struct event *event)
{
	struct policy_store *store;
	struct session_uidls *uidls;
	const char *reply, *error;
	int ret = 1;

	session_event_set_device(event, set->device);
	if (session_open_state(client, set, event, &store, &uidls,
			       &error) < 0) {
		if (!set->ignore_errors)
			refuse_failed(client, event, error);
		else {
			e_error(policy_event_state_failed(event,
					POLICY_EVENT_UNAVAILABLE,
					POLICY_EVENT_IGNORED),
				"session goes on without policy: %s", error);
		}
		return FALSE;
	}
	/* the last thing that can refuse it here, as it counts then */
	if (session_has_delay(client, set))
		ret = session_delay_login(set, store, event, &reply, &error);
	if (ret > 0) {
		pop3_policy_session_init(client, set, store, uidls, view,
					 event);
		return TRUE;
	}
	session_uidls_deinit(&uidls);
	policy_store_deinit(&store);
	if (ret < 0)
		refuse_failed(client, event, error);
	else
		refuse(client, reply, DELAY_REASON);
	return FALSE;
}

/* A query can only be checked where there is mail storage. *view_r is NULL if
   clients are shown everything. */
static int
check_queries(const struct pop3_policy_settings *set,
	      struct mail_search_args **view_r, const char **error_r)
{
	const struct retention_policy *policy = &set->retention;
	const char *error;

	*view_r = NULL;
	if (!pop3_retention_is_forever(&policy->rules) &&
	    retention_exempt_check(policy->exempt, &error) < 0) {
		*error_r = t_strdup_printf("pop3_policy_exempt: %s", error);
		return -1;
	}
	if (set->view != NULL) {
		*view_r = search_query_parse_view(set->view, &error);
		if (*view_r == NULL) {
			*error_r = t_strdup_printf("pop3_policy_view: %s",
						   error);
			return -1;
		}
		mail_search_args_simplify(*view_r);
	}
	return 0;
}

static int
get_settings(struct client *client, const struct pop3_policy_settings **set_r,
	     struct mail_search_args **view_r, const char **error_r)
{
	if (pop3_policy_settings_get(client->user, set_r, error_r) < 0)
		return -1;
	if (check_queries(*set_r, view_r, error_r) < 0) {
		pop3_policy_settings_free(set_r);
		return -1;
	}
	return 0;
}

void pop3_policy_session_begin(struct client *client)
{
	const struct pop3_policy_settings *set;
	struct mail_search_args *view;
	struct event *event;
	const char *error;

	event = event_create(client->user->event);
	event_set_append_log_prefix(event, "pop3_policy: ");
	if (get_settings(client, &set, &view, &error) < 0) {
		e_error(event, "%s", error);
		refuse(client, MISCONFIGURED_REPLY, REFUSE_REASON);
	} else if (!session_try_begin(client, set, view, event)) {
		if (view != NULL)
			mail_search_args_unref(&view);
		pop3_policy_settings_free(&set);
	} else {
		/* the session has taken all three */
		return;
	}
	event_unref(&event);
}
