/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "pop3-symbols.h"
#include "retention-policy.h"
#include "retention-due.h"
#include "run.h"
#include "session.h"
#include "session-uidls.h"
#include "session-retention.h"

#include <time.h>

static bool
is_due(const struct client *client, const struct retention_policy *policy,
       const struct session_uidls *uidls, bool downloaded, time_t now)
{
	struct pop3_retention_bounds bounds;

	if (!session_uidls_get_retention(uidls, &bounds))
		return FALSE;
	if (downloaded)
		pop3_retention_bounds_add_download(&bounds, now);
	return pop3_retention_is_due(&policy->rules, &bounds,
		client->messages_count - client->deleted_count,
		client->total_size - client->deleted_size, now) !=
		POP3_RETENTION_NOT_DUE;
}

/* Returns TRUE if it has to run once more. */
static bool
run(const struct retention_policy *policy, struct policy_store *store,
    struct session_uidls *uidls, struct event *event, uint64_t bytes)
{
	const struct retention_run_options options = {
		.after_session = TRUE,
		.bytes = bytes,
	};
	struct retention_counts counts;
	struct maildrop *drop;
	const char *error;

	if (session_uidls_sync_drop(uidls, &drop, &error) < 0) {
		e_error(event, "retention has to wait: %s", error);
		return FALSE;
	}
	i_zero(&counts);
	switch (maildrop_retention_run(drop, store, policy, &options, &counts,
				       &error)) {
	case RETENTION_DONE:
		break;
	case RETENTION_AGAIN:
		return TRUE;
	case RETENTION_LATER:
		e_debug(event, "retention is left to a later run: %s", error);
		break;
	case RETENTION_CLOCK_JUMPED:
		e_warning(event, "retention waits for a confirmation: %s",
			  error);
		break;
	case RETENTION_FAILED:
		e_error(event, "retention has to wait: %s", error);
		break;
	}
	return FALSE;
}

void session_retention_finish(struct client *client,
			      const struct retention_policy *policy,
			      struct policy_store *store,
			      struct session_uidls *uidls, bool downloaded,
			      struct event *event)
{
	uint64_t bytes = client->total_size - client->deleted_size;
	unsigned int runs = 1;

	/* what the client has not ended as it should is not to be trusted, and
	   holds the mailbox still */
	if (!client->quit_seen || !client->delete_success ||
	    !is_due(client, policy, uidls, downloaded, time(NULL)))
		return;
	session_hang_up(client);
	while (run(policy, store, uidls, event, bytes) &&
	       runs++ < RETENTION_MAX_RUNS)
		bytes = UINT64_MAX;
}
