#ifndef POP3_POLICY_REPLY_OSTREAM_H
#define POP3_POLICY_REPLY_OSTREAM_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct client;

/* Our word in what the pop3 process sends: a stream on top of client->output
   that sees each send, and can put another line in the place of one. The stream
   is freed with client->output. */
struct reply_ostream;

struct reply_ostream_callbacks {
	/* size octets are about to be sent, or another line in their place */
	void (*sending)(void *context, size_t size);
};

struct reply_ostream *
reply_ostream_push(struct client *client,
		   const struct reply_ostream_callbacks *callbacks,
		   void *context);
/* Call back no more. */
void reply_ostream_detach(struct reply_ostream *reply);

/* Send this line, given without its line end, in place of the next send. */
void reply_ostream_replace_next(struct reply_ostream *reply, const char *line);
/* Send this line in place of the next send, nothing from then on, read no more
   commands, and disconnect the client with this reason as soon as the pop3
   process has returned to its loop. */
void reply_ostream_refuse_session(struct reply_ostream *reply, const char *line,
				  const char *reason);

#endif
