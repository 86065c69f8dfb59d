/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "policy-event.h"

struct event_passthrough *
policy_event(struct event *parent, const char *name)
{
	struct event_passthrough *e =
		event_create_passthrough(parent)->set_name(name);

	if (event_find_field_recursive(parent, POLICY_EVENT_DEVICE) == NULL)
		e = e->add_str(POLICY_EVENT_DEVICE, POLICY_EVENT_NO_DEVICE);
	return e;
}

struct event *
policy_event_state_failed(struct event *parent, const char *reason,
			  const char *effect)
{
	return policy_event(parent, POLICY_EVENT_STATE_FAILED)->
		add_str("reason", reason)->
		add_str("effect", effect)->
		event();
}
