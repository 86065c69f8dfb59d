/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "buffer.h"
#include "net.h"
#include "ostream-private.h"
#include "pop3-symbols.h"
#include "gather-ostream.h"

#define GATHER_SIZE (16 * 1024)

struct gather_ostream {
	struct ostream_private ostream;
	buffer_t *gathered;
	/* since go_at_once() */
	bool has_passed_on;
	/* not when there is a proxy for TLS in between */
	bool is_tcp;
};

static void gather_ostream_destroy(struct iostream_private *stream)
{
	struct gather_ostream *gather =
		container_of(stream, struct gather_ostream, ostream.iostream);

	buffer_free(&gather->gathered);
	o_stream_unref(&gather->ostream.parent);
}

/* The parent's buffer is unlimited: it takes all or fails. */
static int
pass_on(struct gather_ostream *gather, const struct const_iovec *iov,
	unsigned int iov_count)
{
	gather->has_passed_on = TRUE;
	if (o_stream_sendv(gather->ostream.parent, iov, iov_count) < 0) {
		o_stream_copy_error_from_parent(&gather->ostream);
		return -1;
	}
	return 0;
}

static int pass_on_gathered(struct gather_ostream *gather)
{
	struct const_iovec iov = {
		gather->gathered->data, gather->gathered->used
	};

	if (iov.iov_len == 0)
		return 0;
	buffer_set_used_size(gather->gathered, 0);
	return pass_on(gather, &iov, 1);
}

static ssize_t
gather_ostream_sendv(struct ostream_private *stream,
		     const struct const_iovec *iov, unsigned int iov_count)
{
	struct gather_ostream *gather =
		container_of(stream, struct gather_ostream, ostream);
	size_t size = 0;
	unsigned int i;

	for (i = 0; i < iov_count; i++)
		size += iov[i].iov_len;
	if ((!stream->corked || gather->gathered->used + size > GATHER_SIZE) &&
	    pass_on_gathered(gather) < 0)
		return -1;
	if (!stream->corked || size > GATHER_SIZE) {
		if (pass_on(gather, iov, iov_count) < 0)
			return -1;
	} else {
		for (i = 0; i < iov_count; i++) {
			buffer_append(gather->gathered, iov[i].iov_base,
				      iov[i].iov_len);
		}
	}
	stream->ostream.offset += size;
	return size;
}

static int gather_ostream_flush(struct ostream_private *stream)
{
	struct gather_ostream *gather =
		container_of(stream, struct gather_ostream, ostream);
	int ret;

	if (pass_on_gathered(gather) < 0)
		return -1;
	ret = o_stream_flush(stream->parent);
	if (ret < 0)
		o_stream_copy_error_from_parent(stream);
	return ret;
}

/* Nothing waits for more, on our side or on the client's. Dovecot's stream does the
   same, and takes it back whenever it was corked itself. */
static void go_at_once(struct gather_ostream *gather)
{
	int fd = gather->ostream.fd;

	gather->has_passed_on = FALSE;
	if (gather->is_tcp && (net_set_tcp_nodelay(fd, TRUE) < 0 ||
			       net_set_tcp_quickack(fd, TRUE) < 0))
		gather->is_tcp = FALSE;
}

/* Not passed on: for the stream below each send is all that there is. */
static void gather_ostream_cork(struct ostream_private *stream, bool set)
{
	struct gather_ostream *gather =
		container_of(stream, struct gather_ostream, ostream);

	if (stream->corked == set)
		return;
	stream->corked = set;
	if (set)
		return;
	stream->last_errors_not_checked = TRUE;
	/* a stream on top of this one has flushed it already */
	if (pass_on_gathered(gather) == 0 && gather->has_passed_on)
		go_at_once(gather);
}

struct gather_ostream *gather_ostream_init(struct client *client)
{
	struct ostream *parent = client->output;
	struct gather_ostream *gather;

	if (parent->blocking)
		return NULL;
	gather = i_new(struct gather_ostream, 1);
	gather->gathered = buffer_create_dynamic(default_pool, 1024);
	gather->is_tcp = TRUE;
	gather->ostream.iostream.destroy = gather_ostream_destroy;
	gather->ostream.sendv = gather_ostream_sendv;
	gather->ostream.flush = gather_ostream_flush;
	gather->ostream.cork = gather_ostream_cork;
	client->output = o_stream_create(&gather->ostream, parent,
					 o_stream_get_fd(parent));
	client->output->offset = parent->offset;
	o_stream_unref(&parent);
	return gather;
}

size_t gather_ostream_get_size(const struct gather_ostream *gather)
{
	return gather == NULL ? 0 : gather->gathered->used;
}
