/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "mail-user.h"
#include "pop3-symbols.h"
#include "compat-program.h"
#include "quota-text.h"
#include "quota-warning.h"
#include "socket-name.h"
#include "policy-event.h"
#include "session-events.h"

void session_event_set_device(struct event *event, const char *device)
{
	const struct event_add_field fields[] = {
		{ .key = POLICY_EVENT_DEVICE, .value = device },
		{ .key = NULL }
	};

	/* without one, those that tell of it say so themselves */
	if (device != NULL)
		event_add_fields(event, fields);
}

static const char *outcome(const struct client *client, bool refused)
{
	if (refused)
		return "refused";
	return client->quit_seen ? "quit" : "dropped";
}

void session_event_finished(struct event *event, const struct client *client,
			    const char *device, unsigned int messages,
			    uoff_t bytes, bool refused)
{
	unsigned int deleted = client->quit_seen && client->delete_success ?
		client->deleted_count : 0;
	const struct event_add_field fields[] = {
		{ .key = POLICY_EVENT_DEVICE, .value = device != NULL ? device :
		  POLICY_EVENT_NO_DEVICE },
		{ .key = "outcome", .value = outcome(client, refused) },
		{ .key = "messages", .value_intmax = messages },
		{ .key = "bytes", .value_intmax = (intmax_t)bytes },
		{ .key = "deleted", .value_intmax = deleted },
		{ .key = NULL }
	};

	/* not a passthrough event: this one knows how long the session took */
	event_add_fields(event_set_name(event, POLICY_EVENT_SESSION_FINISHED),
			 fields);
	e_debug(event, "session has ended: %s", outcome(client, refused));
}

static void
start_script(const struct pop3_quota_warning *warning,
	     const struct mail_user *user, const char *socket_name,
	     struct event *event)
{
	const char *const args[] = {
		dec2str(warning->percent),
		user->username,
		pop3_quota_window_name(warning->window),
		pop3_quota_resource_name(warning->resource),
		dec2str(warning->used),
		dec2str(warning->limit),
		NULL
	};

	compat_program_start(event, pop3_socket_path(socket_name,
						     user->set->base_dir),
			     args, user->username);
}

void session_event_warning(const struct pop3_quota_warning *warning,
			   const struct mail_user *user,
			   const char *socket_name, struct event *event)
{
	struct event_passthrough *e =
		policy_event(event, POLICY_EVENT_QUOTA_THRESHOLD)->
		add_int("percent", warning->percent)->
		add_str("window", pop3_quota_window_name(warning->window))->
		add_str("resource",
			pop3_quota_resource_name(warning->resource))->
		add_int("used", (intmax_t)I_MIN(warning->used, INTMAX_MAX))->
		add_int("limit", (intmax_t)I_MIN(warning->limit, INTMAX_MAX));

	e_debug(e->event(), "quota has reached %u%% of %s", warning->percent,
		pop3_quota_limit_to_text(warning->window, warning->resource,
					 warning->limit));
	if (socket_name != NULL)
		start_script(warning, user, socket_name, event);
}
