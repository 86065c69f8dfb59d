#ifndef POP3_POLICY_GATHER_OSTREAM_H
#define POP3_POLICY_GATHER_OSTREAM_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct client;
struct gather_ostream;

/* Puts a stream on top of client->output, which must be complete. While the pop3
   process has it corked, as it has during commands, what is sent is gathered, up to
   16 KB, and leaves in one write. Dovecot's own stream writes 4 KB at a time, and
   tells the socket with four calls to wait and to go on, for each command.

   What was gathered counts as sent: it is in the offset of the stream, and is not
   in its used buffer, as the pop3 process would wait for the socket to take it.

   The client owns the stream and with it the output it had before. Returns NULL
   if the output takes all at any time, as a file does. */
struct gather_ostream *gather_ostream_init(struct client *client);

/* How many octets are gathered, and have not left yet. 0 for NULL. */
size_t gather_ostream_get_size(const struct gather_ostream *gather);

#endif
