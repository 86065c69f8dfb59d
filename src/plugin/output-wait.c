/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "file-dotlock.h"
#include "lib-signals.h"
#include "ostream.h"
#include "pop3-symbols.h"
#include "output-wait.h"

#include <poll.h>

#define LOOK_AROUND_MSECS 1000

/* Other sessions take the lock of pop3_lock_session when it is five minutes old, and
   no timer of the process runs meanwhile. */
static void keep_session_lock(struct client *client)
{
	if (client->session_dotlock != NULL)
		(void)file_dotlock_touch(client->session_dotlock);
}

/* Returns NULL when there is some, or why it is no use to wait any longer. */
static const char *
wait_for_room(struct client *client, unsigned int msecs, unsigned int ends_before)
{
	struct pollfd pfd = { .fd = client->fd_out, .events = POLLOUT };
	unsigned int waited;

	for (waited = 0; waited < msecs; waited += LOOK_AROUND_MSECS) {
		/* the event loop, which does not run, would handle it */
		if (signal_term_counter != ends_before)
			return "Server shutting down.";
		keep_session_lock(client);
		if (poll(&pfd, 1, LOOK_AROUND_MSECS) != 0)
			return NULL;
	}
	return "Disconnected for inactivity in reading our output";
}

int output_wait_until_sent(struct client *client, unsigned int msecs)
{
	/* an idle process goes on after one of these when a client has just come */
	const unsigned int ends_before = signal_term_counter;
	const char *reason;
	int ret = o_stream_flush(client->output);

	if (ret != 0)
		return ret < 0 ? -1 : 0;
	do {
		reason = wait_for_room(client, msecs, ends_before);
		if (reason == NULL)
			ret = o_stream_flush(client->output);
	} while (reason == NULL && ret == 0);
	if (reason != NULL)
		client_disconnect(client, reason);
	return ret <= 0 ? -1 : 0;
}
