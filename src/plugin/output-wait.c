/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "ostream.h"
#include "pop3-symbols.h"
#include "output-wait.h"

#include <poll.h>

int output_wait_until_sent(struct client *client, unsigned int msecs)
{
	struct pollfd pfd = { .fd = client->fd_out, .events = POLLOUT };
	int ret;

	while ((ret = o_stream_flush(client->output)) == 0) {
		if (poll(&pfd, 1, msecs) == 0) {
			client_disconnect(client, "Disconnected for "
				"inactivity in reading our output");
			return -1;
		}
	}
	return ret < 0 ? -1 : 0;
}
