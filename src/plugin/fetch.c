/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "istream.h"
#include "ostream.h"
#include "pop3-symbols.h"
#include "fetch.h"

void fetch_begin(struct fetch *fetch, struct istream *stream, uint32_t uid,
		 bool retr)
{
	i_zero(fetch);
	fetch->phase = FETCH_OPENED;
	fetch->stream = stream;
	fetch->uid = uid;
	fetch->retr = retr;
}

bool fetch_sending(struct fetch *fetch, struct client *client)
{
	switch (fetch->phase) {
	case FETCH_NONE:
		return FALSE;
	case FETCH_OPENED:
		/* the status line, sent before client->cmd is set */
		fetch->phase = FETCH_SENDING;
		return TRUE;
	case FETCH_SENDING:
		break;
	}
	/* client->cmd is reset after the final dot was sent */
	if (client->cmd == NULL)
		return FALSE;
	fetch->read_whole = fetch->stream->eof &&
		fetch->stream->stream_errno == 0 &&
		i_stream_get_data_size(fetch->stream) == 0;
	return TRUE;
}

bool fetch_end(struct fetch *fetch, struct client *client, uint32_t *uid_r)
{
	bool sent_whole;

	sent_whole = fetch->phase == FETCH_SENDING && fetch->retr &&
		fetch->read_whole && client->cmd == NULL &&
		client->output->stream_errno == 0;
	*uid_r = fetch->uid;
	i_zero(fetch);
	return sent_whole;
}
