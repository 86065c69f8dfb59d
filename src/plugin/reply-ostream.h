#ifndef POP3_POLICY_REPLY_OSTREAM_H
#define POP3_POLICY_REPLY_OSTREAM_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct client;

/* Our word in what the pop3 process sends: a stream on top of client->output
   that sends another line in the place of one. It is there only for that one
   send: messages are sent line by line, and each would pay for it. */
struct reply_ostream;

/* client->output must be complete, which it is not yet when the client is
   created. */
struct reply_ostream *reply_ostream_init(struct client *client);
void reply_ostream_deinit(struct reply_ostream **reply);

/* Send this line, given without its line end, in place of the next send. */
void reply_ostream_replace_next(struct reply_ostream *reply, const char *line);

/* For a client that was just created: send this line in place of the first send,
   nothing from then on, read no commands, and disconnect with this reason as
   soon as the pop3 process has returned to its loop. */
void reply_ostream_refuse_session(struct client *client, const char *line,
				  const char *reason);

#endif
