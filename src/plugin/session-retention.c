/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "mail-storage.h"
#include "pop3-symbols.h"
#include "retention-policy.h"
#include "retention-due.h"
#include "run.h"
#include "session.h"
#include "session-uidls.h"
#include "session-retention.h"

#include <time.h>

/* What the maildrop has. The session knows only what the client is shown: if
   some is hidden, that much is there at least. */
static void
get_amount(const struct client *client, const struct retention_policy *policy,
	   uint64_t *messages_r, uint64_t *bytes_r)
{
	struct mailbox_status status;

	*messages_r = client->messages_count - client->deleted_count;
	*bytes_r = client->total_size - client->deleted_size;
	if (policy->view == NULL && client->deleted_kw == NULL)
		return;
	mailbox_get_open_status(client->mailbox, STATUS_MESSAGES, &status);
	*messages_r = status.messages;
	if (*bytes_r <= policy->rules.max_bytes)
		*bytes_r = UINT64_MAX;
}

static bool
is_due(const struct client *client, const struct retention_policy *policy,
       const struct session_uidls *uidls, bool downloaded, time_t now,
       uint64_t *bytes_r)
{
	struct pop3_retention_bounds bounds;
	uint64_t messages;

	if (!session_uidls_get_retention(uidls, &bounds))
		return FALSE;
	if (downloaded)
		pop3_retention_bounds_add_download(&bounds, now);
	get_amount(client, policy, &messages, bytes_r);
	return retention_policy_is_due(policy, &bounds, messages, *bytes_r,
				       now) != POP3_RETENTION_NOT_DUE;
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
	uint64_t bytes;
	unsigned int runs = 1;

	/* what the client has not ended as it should is not to be trusted, and
	   holds the mailbox still */
	if (!client->quit_seen || !client->delete_success ||
	    !is_due(client, policy, uidls, downloaded, time(NULL), &bytes))
		return;
	session_hang_up(client);
	while (run(policy, store, uidls, event, bytes) &&
	       runs++ < RETENTION_MAX_RUNS)
		bytes = UINT64_MAX;
}
