/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "istream.h"
#include "ostream.h"
#include "mail-storage.h"
#include "pop3-symbols.h"
#include "fetch.h"

void fetch_begin(struct fetch *fetch, struct client *client, struct mail *mail,
		 struct istream *stream, bool retr, bool download)
{
	fetch->mail = mail;
	fetch->stream = stream;
	fetch->uid = mail->uid;
	fetch->start_offset = client->output->offset;
	fetch->retr = retr;
	fetch->download = download;
}

uoff_t fetch_sent_bytes(const struct fetch *fetch, const struct client *client)
{
	return client->output->offset - fetch->start_offset;
}

bool fetch_sent_whole(const struct fetch *fetch, const struct client *client)
{
	const struct istream *stream = fetch->stream;

	return fetch->retr && stream->eof && stream->stream_errno == 0 &&
		i_stream_get_data_size(fetch->stream) == 0 &&
		!client->output->closed && client->output->stream_errno == 0;
}
