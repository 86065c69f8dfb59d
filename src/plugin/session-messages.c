/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "istream.h"
#include "ostream.h"
#include "mail-storage.h"
#include "pop3-policy-settings.h"
#include "capa-ostream.h"
#include "rate-text.h"
#include "reply-ostream.h"
#include "session-quota.h"
#include "session-uidls.h"
#include "throttle-ostream.h"
#include "top-command.h"
#include "session-private.h"

/* POP3 numbers are message indexes unless a POP3 order is stored; then they
   are looked up from where the last one was found, as clients go through the
   mailbox in order. */
static uint32_t session_msgnum(struct pop3_policy_session *session, uint32_t seq)
{
	const struct client *client = session->client;
	uint32_t i, count = client->msgnum_to_seq_map_count;

	for (i = 0; i < count; i++) {
		uint32_t msgnum = (session->last_msgnum + i) % count;

		if (client->msgnum_to_seq_map[msgnum] == seq) {
			session->last_msgnum = msgnum;
			return msgnum;
		}
	}
	return seq - 1;
}

/* What a reply may have at the most. If the size is wrong (it comes from a file
   name or a cache), what was sent still counts, but only afterwards. */
static uoff_t max_wire_size(const struct client *client, uoff_t size)
{
	/* status line, missing end of the last line, final dot */
	const uoff_t overhead = 1024;

	if (client->set->pop3_fast_size_lookups) {
		/* the size may be that on disk: a line of LF becomes CR LF */
		return size * 2 + overhead;
	}
	/* a line of a dot alone gets a second one */
	return size + size / 3 + overhead;
}

/* How fast replies are from now on. Our other streams must be off the output,
   and the throttle goes below them. */
static void
session_set_rate(struct pop3_policy_session *session, uint64_t rate)
{
	if (session->throttle == NULL && rate != 0) {
		session->throttle = throttle_ostream_init(session->client, 0);
		reply_ostream_deinit(&session->reply);
		capa_ostream_rise(&session->capa);
	}
	throttle_ostream_set_rate(session->throttle, rate);
}

static bool
session_request(struct pop3_policy_session *session, uoff_t size,
		uoff_t max_size)
{
	const struct pop3_policy_settings *set = session->set;
	struct client *client = session->client;
	const char *reply;

	switch (session_quota_request(session->quota, size, max_size, &reply)) {
	case SESSION_QUOTA_GRANTED:
		session_set_rate(session, set->rate);
		return TRUE;
	case SESSION_QUOTA_SLOWED:
		session_set_rate(session,
				 pop3_rate_slower(set->quota_throttle_rate,
						  set->rate));
		return TRUE;
	case SESSION_QUOTA_REFUSED:
		break;
	}
	/* The pop3 process takes a message that cannot be opened for a bad
	   command when it is asked for again, or downwards, and 20 of these end
	   the session: DELEs would be lost. It adds one to this, or sets it to
	   0, as for a message that is sent. */
	client->bad_counter = UINT_MAX;
	if (session->reply == NULL)
		session->reply = reply_ostream_init(client);
	reply_ostream_replace_next(session->reply,
				   t_strconcat("-ERR ", reply, NULL));
	return FALSE;
}

bool pop3_policy_session_allow_open(struct pop3_policy_session *session,
				    struct mail *mail,
				    enum session_command command)
{
	uint32_t msgnum;
	uoff_t size;

	session->opened = mail;
	capa_ostream_pause(session->capa);
	if (command != SESSION_RETR || session->quota == NULL)
		return TRUE;
	msgnum = session_msgnum(session, mail->seq);
	size = session->client->message_sizes[msgnum];
	return session_request(session, size,
			       max_wire_size(session->client, size));
}

/* Measure in a message of our own: if reading it fails, the client still gets
   what it would get without us. */
static int
measure_top(struct mail *mail, uoff_t lines, struct top_reply_size *size_r)
{
	struct mail *copy;
	struct istream *stream;
	int ret = -1;

	copy = mail_alloc(mail->transaction, MAIL_FETCH_STREAM_HEADER |
			  MAIL_FETCH_STREAM_BODY, NULL);
	mail_set_seq(copy, mail->seq);
	if (mail_get_stream_because(copy, NULL, NULL, "size of TOP",
				    &stream) >= 0)
		ret = top_command_measure(stream, lines, size_r);
	mail_free(&copy);
	return ret;
}

static bool
session_allow_top(struct pop3_policy_session *session, struct mail *mail,
		  uint32_t msgnum, uoff_t lines, bool *download_r)
{
	uoff_t size = session->client->message_sizes[msgnum];
	struct top_reply_size reply_size;

	/* no message has more lines than octets */
	if (lines >= size || measure_top(mail, lines, &reply_size) < 0) {
		reply_size.max_size = max_wire_size(session->client, size);
		reply_size.is_whole = TRUE;
	}
	*download_r = lines > 0 &&
		(reply_size.is_whole || session->set->quota_top_deny);
	if (*download_r) {
		return session_request(session, I_MIN(size, reply_size.max_size),
				       reply_size.max_size);
	}
	session_quota_reserve(session->quota, reply_size.max_size);
	return TRUE;
}

bool pop3_policy_session_allow_send(struct pop3_policy_session *session,
				    struct mail *mail,
				    enum session_command command,
				    struct istream *stream)
{
	bool download = TRUE, allowed = TRUE, wants_whole = TRUE;

	if (command == SESSION_TOP) {
		uint32_t msgnum = session_msgnum(session, mail->seq);
		uoff_t lines = top_command_lines(session->client->input,
			session->last_command_offset, msgnum + 1);

		wants_whole = lines >= TOP_DOWNLOAD_LINES &&
			lines != UOFF_T_MAX;
		if (session->quota != NULL) {
			allowed = session_allow_top(session, mail, msgnum,
						    lines, &download);
		}
	}
	session->last_command_offset = session->client->input->v_offset;
	if (!allowed)
		return FALSE;
	fetch_begin(&session->fetch, session->client, mail, stream,
		    wants_whole, download);
	return TRUE;
}

void session_fetch_end(struct pop3_policy_session *session)
{
	struct fetch *fetch = &session->fetch;
	uoff_t bytes = fetch_sent_bytes(fetch, session->client);

	session->sent_bytes += bytes;
	session->fetched_offset = session->client->output->offset;
	if (session->quota != NULL)
		session_quota_spend(session->quota, bytes, fetch->download);
	session_uidls_add_seen(session->uidls, fetch->uid);
	i_zero(fetch);
}

void pop3_policy_session_mail_freed(struct pop3_policy_session *session,
				    struct mail *mail)
{
	struct fetch *fetch = &session->fetch;

	if (fetch->mail == mail) {
		if (fetch_sent_whole(fetch, session->client))
			fetched_uids_add(&session->sent_whole, fetch->uid);
		session_fetch_end(session);
	}
	if (session->opened == mail) {
		session->opened = NULL;
		capa_ostream_resume(session->capa);
	}
}
