/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "file-dotlock.h"
#include "ostream.h"
#include "pop3-symbols.h"
#include "output-wait.h"

#include <poll.h>

/* No timer of the process runs meanwhile. */
#define LOCK_REFRESH_MSECS (60 * 1000)

/* Other sessions take the lock of pop3_lock_session when it is five minutes old. */
static void keep_session_lock(struct client *client)
{
	if (client->session_dotlock != NULL)
		(void)file_dotlock_touch(client->session_dotlock);
}

/* Returns FALSE if there was none for so many milliseconds. */
static bool wait_for_room(struct client *client, unsigned int msecs)
{
	struct pollfd pfd = { .fd = client->fd_out, .events = POLLOUT };
	unsigned int next;

	for (; msecs > 0; msecs -= next) {
		keep_session_lock(client);
		next = I_MIN(msecs, LOCK_REFRESH_MSECS);
		if (poll(&pfd, 1, next) != 0)
			return TRUE;
	}
	return FALSE;
}

int output_wait_until_sent(struct client *client, unsigned int msecs)
{
	int ret;

	while ((ret = o_stream_flush(client->output)) == 0) {
		if (!wait_for_room(client, msecs)) {
			client_disconnect(client, "Disconnected for "
				"inactivity in reading our output");
			return -1;
		}
	}
	return ret < 0 ? -1 : 0;
}
