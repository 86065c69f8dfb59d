#ifndef POP3_POLICY_THROTTLE_OSTREAM_H
#define POP3_POLICY_THROTTLE_OSTREAM_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct client;

/* A limit of how fast replies are sent: a stream on top of client->output.

   It holds nothing back itself, as the pop3 process does not expect a send to
   be taken in part. All is passed on at once and counted; while more was sent
   than the rate allows, the stream says that it is full, and calls the process
   when it is not any more. Up to a second's worth that was not used can be sent
   later at once.

   The offset of the stream is always that of what it lies on. */
struct throttle_ostream;

/* client->output must be complete. The client owns the stream and with it the
   output it had before. The rate is in octets a second; 0 is no limit yet.
   Returns NULL if the output takes all at any time, as a file does. */
struct throttle_ostream *
throttle_ostream_init(struct client *client, uint64_t rate);

/* What was sent until now is still paid at the rate that it was sent under. Of
   a new rate nothing was saved yet. Does nothing with NULL. */
void throttle_ostream_set_rate(struct throttle_ostream *throttle,
			       uint64_t rate);
/* The session ends: what is left is sent at once. Does nothing with NULL. */
void throttle_ostream_finish(struct throttle_ostream *throttle);

#endif
