#ifndef POP3_POLICY_FETCH_H
#define POP3_POLICY_FETCH_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "seq-range-array.h"

struct client;
struct istream;
struct mail;

/* The reply to one RETR or TOP, from the opening of the message until the pop3
   process frees it, right after the final dot. What was sent is how far the
   output has come meanwhile: looking at each send would cost more than sending
   a small message. */
struct fetch {
	/* NULL when no reply is under way */
	struct mail *mail;
	struct istream *stream;
	uint32_t uid;
	uoff_t start_offset;
	/* the client fetches the message, it does not only look at it */
	bool wants_whole;
	/* counts as a message in the quota */
	bool download;
};

void fetch_begin(struct fetch *fetch, struct client *client, struct mail *mail,
		 struct istream *stream, bool wants_whole, bool download);

/* Octets of the reply that were given to the output until now. */
uoff_t fetch_sent_bytes(const struct fetch *fetch, const struct client *client);
/* Whether all of the message was given to the output, asked when the pop3 process
   frees it. It sends the final dot also when reading the message has failed. */
bool fetch_sent_whole(const struct fetch *fetch, const struct client *client);

/* UIDs of messages that were fetched. Mostly one is the next after the last
   one, and each message pays for this: those are only counted up. */
struct fetched_uids {
	ARRAY_TYPE(seq_range) uids;
	/* not in there yet; seq1 is 0 if there are none */
	struct seq_range run;
};

void fetched_uids_init(struct fetched_uids *fetched);
void fetched_uids_deinit(struct fetched_uids *fetched);
void fetched_uids_add(struct fetched_uids *fetched, uint32_t uid);
/* All of them; valid until the next one is added. */
ARRAY_TYPE(seq_range) *fetched_uids_get(struct fetched_uids *fetched);

#endif
