/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "ostream-private.h"
#include "pop3-symbols.h"
#include "capa-ostream.h"

#define REPLY_BEGIN "+OK\r\nCAPA\r\n"
#define REPLY_END "\r\n.\r\n"
#define LAST_LINE ".\r\n"

struct capa_ostream {
	struct ostream_private ostream;
	struct client *client;

	capa_lines_callback_t *get_lines;
	void *context;
};

/* The line end of REPLY_BEGIN may be that of REPLY_END. */
static bool is_capa_reply(const struct const_iovec *iov, unsigned int iov_count)
{
	const char *data = iov->iov_base;
	size_t size = iov->iov_len;

	return iov_count == 1 &&
		size >= strlen(REPLY_BEGIN) + strlen(LAST_LINE) &&
		memcmp(data, REPLY_BEGIN, strlen(REPLY_BEGIN)) == 0 &&
		memcmp(data + size - strlen(REPLY_END), REPLY_END,
		       strlen(REPLY_END)) == 0;
}

static ssize_t
send_with_lines(struct capa_ostream *capa, const struct const_iovec *reply)
{
	const char *lines = capa->get_lines(capa->context);
	const char *data = reply->iov_base;
	size_t last_size = strlen(LAST_LINE);
	size_t first_size = reply->iov_len - last_size;
	struct const_iovec iov[] = {
		{ data, first_size },
		{ lines, strlen(lines) },
		{ "\r\n", 2 },
		{ data + first_size, last_size },
	};

	/* the parent's buffer is unlimited: it takes all or fails */
	if (o_stream_sendv(capa->ostream.parent, iov, N_ELEMENTS(iov)) < 0)
		return -1;
	return reply->iov_len;
}

static ssize_t
capa_ostream_sendv(struct ostream_private *stream,
		   const struct const_iovec *iov, unsigned int iov_count)
{
	struct capa_ostream *capa =
		container_of(stream, struct capa_ostream, ostream);
	ssize_t ret;

	if (!is_capa_reply(iov, iov_count))
		ret = o_stream_sendv(stream->parent, iov, iov_count);
	else T_BEGIN {
		ret = send_with_lines(capa, iov);
	} T_END;
	stream->ostream.offset = stream->parent->offset;
	if (ret < 0)
		o_stream_copy_error_from_parent(stream);
	return ret;
}

struct capa_ostream *
capa_ostream_init(struct client *client, capa_lines_callback_t *get_lines,
		  void *context)
{
	struct capa_ostream *capa = i_new(struct capa_ostream, 1);

	capa->client = client;
	capa->get_lines = get_lines;
	capa->context = context;
	capa->ostream.sendv = capa_ostream_sendv;
	(void)o_stream_create(&capa->ostream, client->output,
			      o_stream_get_fd(client->output));
	capa_ostream_resume(capa);
	return capa;
}

void capa_ostream_deinit(struct capa_ostream **_capa)
{
	struct capa_ostream *capa = *_capa;
	struct ostream *stream;

	if (capa == NULL)
		return;
	*_capa = NULL;
	capa_ostream_pause(capa);
	stream = &capa->ostream.ostream;
	o_stream_unref(&stream);
}

void capa_ostream_rise(struct capa_ostream **_capa)
{
	struct capa_ostream *old = *_capa;

	if (old == NULL)
		return;
	i_assert(old->client->output != &old->ostream.ostream);
	*_capa = capa_ostream_init(old->client, old->get_lines,
				    old->context);
	capa_ostream_pause(*_capa);
	capa_ostream_deinit(&old);
}

void capa_ostream_pause(struct capa_ostream *capa)
{
	if (capa != NULL && capa->client->output == &capa->ostream.ostream)
		capa->client->output = capa->ostream.parent;
}

void capa_ostream_resume(struct capa_ostream *capa)
{
	struct ostream *parent;

	if (capa == NULL)
		return;
	parent = capa->ostream.parent;
	if (capa->client->output != parent || parent->closed ||
	    parent->stream_errno != 0)
		return;
	capa->ostream.ostream.offset = parent->offset;
	capa->client->output = &capa->ostream.ostream;
}
