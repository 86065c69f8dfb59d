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
	const struct reply_ostream_callbacks *callbacks;
	void *context;

	/* with its line end; NULL to send what comes */
	char *replacement;
	/* the session ends with the replacement */
	char *refuse_reason;
	bool drop:1;
};

static void reply_ostream_destroy(struct iostream_private *stream)
{
	struct reply_ostream *reply =
		container_of(stream, struct reply_ostream, ostream.iostream);

	i_free(reply->replacement);
	i_free(reply->refuse_reason);
	o_stream_unref(&reply->ostream.parent);
}

static int
send_to_parent(struct reply_ostream *reply, const struct const_iovec *iov,
	       unsigned int iov_count)
{
	/* what does not fit in the socket stays in the parent's buffer, which
	   is unlimited: all of it is taken */
	if (o_stream_sendv(reply->ostream.parent, iov, iov_count) >= 0)
		return 0;
	o_stream_copy_error_from_parent(&reply->ostream);
	return -1;
}

static int send_replacement(struct reply_ostream *reply)
{
	const struct const_iovec iov = {
		.iov_base = reply->replacement,
		.iov_len = strlen(reply->replacement)
	};
	int ret = send_to_parent(reply, &iov, 1);

	i_free(reply->replacement);
	return ret;
}

static void refuse_timeout(struct reply_ostream *reply)
{
	client_disconnect(reply->client, reply->refuse_reason);
}

static void session_end(struct reply_ostream *reply)
{
	struct client *client = reply->client;

	reply->drop = TRUE;
	/* commands that the client has sent already must not run */
	i_stream_close(client->input);
	/* the client cannot be freed here, amid of a reply; the idle timeout
	   goes with the client, whoever ends it first */
	timeout_remove(&client->to_idle);
	client->to_idle = timeout_add_short(0, refuse_timeout, reply);
}

static ssize_t
reply_ostream_sendv(struct ostream_private *stream,
		    const struct const_iovec *iov, unsigned int iov_count)
{
	struct reply_ostream *reply =
		container_of(stream, struct reply_ostream, ostream);
	size_t size = 0;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < iov_count; i++)
		size += iov[i].iov_len;
	if (reply->callbacks != NULL)
		reply->callbacks->sending(reply->context, size);
	if (reply->drop) {
		/* the client was told that the session is over */
	} else if (reply->replacement != NULL) {
		ret = send_replacement(reply);
		if (reply->refuse_reason != NULL)
			session_end(reply);
	} else {
		ret = send_to_parent(reply, iov, iov_count);
	}
	if (ret < 0)
		return -1;
	/* the caller must not notice that something else was sent */
	stream->ostream.offset += size;
	return size;
}

struct reply_ostream *
reply_ostream_push(struct client *client,
		   const struct reply_ostream_callbacks *callbacks,
		   void *context)
{
	struct reply_ostream *reply = i_new(struct reply_ostream, 1);
	struct ostream *parent = client->output;

	reply->client = client;
	reply->callbacks = callbacks;
	reply->context = context;
	reply->ostream.iostream.destroy = reply_ostream_destroy;
	reply->ostream.sendv = reply_ostream_sendv;
	client->output = o_stream_create(&reply->ostream, parent,
					 o_stream_get_fd(parent));
	o_stream_unref(&parent);
	return reply;
}

void reply_ostream_detach(struct reply_ostream *reply)
{
	reply->callbacks = NULL;
}

void reply_ostream_replace_next(struct reply_ostream *reply, const char *line)
{
	i_free(reply->replacement);
	reply->replacement = i_strconcat(line, "\r\n", NULL);
}

void reply_ostream_refuse_session(struct reply_ostream *reply, const char *line,
				  const char *reason)
{
	i_assert(reply->refuse_reason == NULL);
	reply_ostream_replace_next(reply, line);
	reply->refuse_reason = i_strdup(reason);
}
