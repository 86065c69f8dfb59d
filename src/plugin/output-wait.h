#ifndef POP3_POLICY_OUTPUT_WAIT_H
#define POP3_POLICY_OUTPUT_WAIT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct client;

/* A client that reads nothing for so long is gone, as for the pop3 process. */
#define OUTPUT_WAIT_MSECS (10 * 60 * 1000)
/* While others are in the same process. */
#define OUTPUT_WAIT_SHARED_MSECS (10 * 1000)

/* Wait until the system has taken all that was sent to the client. Meanwhile no
   other client of the process is served. Returns 0, or -1 if nothing can be sent
   any more; the client is disconnected if it took nothing for so many
   milliseconds, and when the process is told to end. */
int output_wait_until_sent(struct client *client, unsigned int msecs);

#endif
