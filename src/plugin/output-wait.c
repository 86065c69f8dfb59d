/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "file-dotlock.h"
#include "ostream.h"
#include "pop3-symbols.h"
#include "output-wait.h"

#include <poll.h>
#include <signal.h>

#define LOOK_AROUND_MSECS 1000

/* Other sessions take the lock of pop3_lock_session when it is five minutes old, and
   no timer of the process runs meanwhile. */
static void keep_session_lock(struct client *client)
{
	if (client->session_dotlock != NULL)
		(void)file_dotlock_touch(client->session_dotlock);
}

static bool is_pending(int signo)
{
	sigset_t pending;

	if (sigpending(&pending) < 0)
		i_fatal("sigpending() failed: %m");
	return sigismember(&pending, signo) == 1;
}

/* Returns NULL when there is some, or why it is no use to wait any longer. */
static const char *wait_for_room(struct client *client, unsigned int msecs)
{
	struct pollfd pfd = { .fd = client->fd_out, .events = POLLOUT };
	unsigned int waited;

	for (waited = 0; waited < msecs; waited += LOOK_AROUND_MSECS) {
		if (is_pending(SIGTERM))
			return "Server shutting down.";
		keep_session_lock(client);
		if (poll(&pfd, 1, LOOK_AROUND_MSECS) != 0)
			return NULL;
	}
	return "Disconnected for inactivity in reading our output";
}

int output_wait_until_sent(struct client *client, unsigned int msecs)
{
	const char *reason;
	sigset_t ends, old;
	int ret = o_stream_flush(client->output);

	if (ret != 0)
		return ret < 0 ? -1 : 0;
	/* the event loop, which does not run, would handle it */
	if (sigemptyset(&ends) < 0 || sigaddset(&ends, SIGTERM) < 0 ||
	    sigprocmask(SIG_BLOCK, &ends, &old) < 0)
		i_fatal("sigprocmask() failed: %m");
	do {
		reason = wait_for_room(client, msecs);
		if (reason == NULL)
			ret = o_stream_flush(client->output);
	} while (reason == NULL && ret == 0);
	if (sigprocmask(SIG_SETMASK, &old, NULL) < 0)
		i_fatal("sigprocmask() failed: %m");
	if (reason != NULL)
		client_disconnect(client, reason);
	return ret <= 0 ? -1 : 0;
}
