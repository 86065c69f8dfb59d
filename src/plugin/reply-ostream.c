/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "ioloop.h"
#include "istream.h"
#include "ostream-private.h"
#include "pop3-symbols.h"
#include "reply-ostream.h"

struct reply_ostream {
	struct ostream_private ostream;
	struct client *client;

	/* with its line end; NULL when it was sent */
	char *replacement;
	/* the session ends with the replacement */
	char *refuse_reason;
};

static void reply_ostream_destroy(struct iostream_private *stream)
{
	struct reply_ostream *reply =
		container_of(stream, struct reply_ostream, ostream.iostream);

	i_free(reply->replacement);
	i_free(reply->refuse_reason);
	o_stream_unref(&reply->ostream.parent);
}

static void refuse_timeout(struct reply_ostream *reply)
{
	client_disconnect(reply->client, reply->refuse_reason);
}

static void session_end(struct reply_ostream *reply)
{
	struct client *client = reply->client;

	/* commands that the client has sent already must not run */
	i_stream_close(client->input);
	/* the client cannot be freed here, amid of a reply; the idle timeout
	   goes with the client, whoever ends it first */
	timeout_remove(&client->to_idle);
	client->to_idle = timeout_add_short(0, refuse_timeout, reply);
}

static int send_replacement(struct reply_ostream *reply)
{
	struct ostream *parent = reply->ostream.parent;
	ssize_t ret = o_stream_send_str(parent, reply->replacement);

	/* what does not fit in the socket stays in the parent's buffer, which
	   is unlimited: all of it was taken */
	i_free(reply->replacement);
	if (reply->refuse_reason != NULL)
		session_end(reply);
	else
		reply->client->output = parent;
	if (ret < 0)
		o_stream_copy_error_from_parent(&reply->ostream);
	return ret < 0 ? -1 : 0;
}

static ssize_t
reply_ostream_sendv(struct ostream_private *stream,
		    const struct const_iovec *iov, unsigned int iov_count)
{
	struct reply_ostream *reply =
		container_of(stream, struct reply_ostream, ostream);
	size_t size = 0;
	unsigned int i;

	if (reply->replacement != NULL && send_replacement(reply) < 0)
		return -1;
	/* the caller must not notice that something else was sent, or nothing */
	for (i = 0; i < iov_count; i++)
		size += iov[i].iov_len;
	stream->ostream.offset += size;
	return size;
}

struct reply_ostream *reply_ostream_init(struct client *client)
{
	struct reply_ostream *reply = i_new(struct reply_ostream, 1);

	reply->client = client;
	reply->ostream.iostream.destroy = reply_ostream_destroy;
	reply->ostream.sendv = reply_ostream_sendv;
	(void)o_stream_create(&reply->ostream, client->output,
			      o_stream_get_fd(client->output));
	return reply;
}

void reply_ostream_deinit(struct reply_ostream **_reply)
{
	struct reply_ostream *reply = *_reply;
	struct ostream *stream;

	if (reply == NULL)
		return;
	*_reply = NULL;
	stream = &reply->ostream.ostream;
	if (reply->client->output == stream)
		reply->client->output = reply->ostream.parent;
	o_stream_unref(&stream);
}

void reply_ostream_replace_next(struct reply_ostream *reply, const char *line)
{
	i_free(reply->replacement);
	reply->replacement = i_strdup(t_strconcat(line, "\r\n", NULL));
	reply->client->output = &reply->ostream.ostream;
}

void reply_ostream_refuse_session(struct client *client, const char *line,
				  const char *reason)
{
	struct reply_ostream *reply = reply_ostream_init(client);
	struct ostream *parent = client->output;

	reply->refuse_reason = i_strdup(reason);
	reply_ostream_replace_next(reply, line);
	/* now the client owns this stream, and this stream the other one */
	o_stream_unref(&parent);
}
