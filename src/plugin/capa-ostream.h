#ifndef POP3_POLICY_CAPA_OSTREAM_H
#define POP3_POLICY_CAPA_OSTREAM_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct client;

/* Our lines in the reply to CAPA: a stream on top of client->output that knows
   this reply, which the pop3 process sends in one piece, by its first and last
   octets. It is not there while messages are sent, so that none is taken for
   this reply, and none pays for it.

   The offset of the stream is always that of what it lies on, so that they can
   take turns in the middle of what the pop3 process measures. */
struct capa_ostream;

/* The lines, without the line end of the last one, in the data stack. */
typedef const char *capa_lines_callback_t(void *context);

/* client->output must be complete, and stay where it is as long as this lives.
   The client still owns that and not this stream. */
struct capa_ostream *
capa_ostream_init(struct client *client, capa_lines_callback_t *get_lines,
		  void *context);
/* NULL may be given to all of these, and they do nothing then. */
void capa_ostream_deinit(struct capa_ostream **capa);

/* Something was put on client->output while this was not there: lie on top of
   that from now on. */
void capa_ostream_rise(struct capa_ostream **capa);

/* Take the stream off client->output, if it is there. */
void capa_ostream_pause(struct capa_ostream *capa);
/* Put it there again, if nothing else lies on the output meanwhile and this is
   still in order: the pop3 process must see its errors. */
void capa_ostream_resume(struct capa_ostream *capa);

#endif
