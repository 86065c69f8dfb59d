/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "istream.h"
#include "ostream.h"
#include "mail-storage.h"
#include "pop3-symbols.h"
#include "fetch.h"

void fetch_begin(struct fetch *fetch, struct client *client, struct mail *mail,
		 struct istream *stream, bool wants_whole, bool download)
{
	fetch->mail = mail;
	fetch->stream = stream;
	fetch->uid = mail->uid;
	fetch->start_offset = client->output->offset;
	fetch->wants_whole = wants_whole;
	fetch->download = download;
}

uoff_t fetch_sent_bytes(const struct fetch *fetch, const struct client *client)
{
	return client->output->offset - fetch->start_offset;
}

bool fetch_sent_whole(const struct fetch *fetch, const struct client *client)
{
	const struct istream *stream = fetch->stream;

	return fetch->wants_whole && stream->eof && stream->stream_errno == 0 &&
		i_stream_get_data_size(fetch->stream) == 0 &&
		!client->output->closed && client->output->stream_errno == 0;
}

void fetched_uids_init(struct fetched_uids *fetched)
{
	i_zero(fetched);
	i_array_init(&fetched->uids, 8);
}

void fetched_uids_deinit(struct fetched_uids *fetched)
{
	array_free(&fetched->uids);
}

static void add_run(struct fetched_uids *fetched)
{
	if (fetched->run.seq1 != 0) {
		seq_range_array_add_range(&fetched->uids, fetched->run.seq1,
					  fetched->run.seq2);
	}
}

void fetched_uids_add(struct fetched_uids *fetched, uint32_t uid)
{
	if (fetched->run.seq1 == 0 || uid != fetched->run.seq2 + 1) {
		add_run(fetched);
		fetched->run.seq1 = uid;
	}
	fetched->run.seq2 = uid;
}

ARRAY_TYPE(seq_range) *fetched_uids_get(struct fetched_uids *fetched)
{
	add_run(fetched);
	i_zero(&fetched->run);
	return &fetched->uids;
}
