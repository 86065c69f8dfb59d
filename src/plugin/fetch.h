#ifndef POP3_POLICY_FETCH_H
#define POP3_POLICY_FETCH_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct client;
struct istream;

enum fetch_phase {
	FETCH_NONE,
	/* the message is open, its reply is about to begin */
	FETCH_OPENED,
	FETCH_SENDING
};

/* The reply to one RETR or TOP, from the opening of the message to the final
   dot. The pop3 process does not tell when a reply ends, nor whether reading the
   message failed in the middle (it sends the final dot all the same), so both
   are seen from what is sent and what the message's stream looks like then. */
struct fetch {
	enum fetch_phase phase;
	/* valid until the reply is complete */
	struct istream *stream;
	uint32_t uid;
	bool retr;
	/* nothing was left of the message when something was last sent */
	bool read_whole;
};

void fetch_begin(struct fetch *fetch, struct istream *stream, uint32_t uid,
		 bool retr);
/* Something is about to be sent. Returns TRUE if it belongs to the reply; FALSE
   ends the fetch. */
bool fetch_sending(struct fetch *fetch, struct client *client);
/* The session looks at something else or ends. Returns TRUE and the UID if the
   fetch was that of a RETR and everything of it was sent. */
bool fetch_end(struct fetch *fetch, struct client *client, uint32_t *uid_r);

#endif
