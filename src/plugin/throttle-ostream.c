/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "ioloop.h"
#include "ostream-private.h"
#include "pop3-symbols.h"
#include "throttle-ostream.h"

#include <time.h>

/* All times are in nanoseconds: a line takes less than a microsecond at high
   rates. */
#define SECOND 1000000000ULL
#define MSEC (SECOND / 1000)
/* What can be saved while nothing is sent. */
#define BURST_TIME SECOND
/* Once the stream is full it stays so until it may send this much: else it
   would wake for each line. */
#define OPEN_TIME (SECOND / 8)

struct throttle_ostream {
	struct ostream_private ostream;
	/* until the stream is not full any more, and somebody waits for that */
	struct timeout *to;

	uint64_t rate;
	/* the time, on clock_now(), until which all that was sent would have
	   taken at the rate */
	uint64_t paid_until;
	/* of the parent: up to where that is in paid_until */
	uoff_t counted_offset;
	bool full;
};

/* A clock that nobody sets. */
static uint64_t clock_now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) < 0)
		i_unreached();
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

static void throttle_count(struct throttle_ostream *throttle, uint64_t now)
{
	uoff_t offset = throttle->ostream.parent->offset;
	uint64_t sent = offset - throttle->counted_offset;

	if (throttle->paid_until + BURST_TIME < now)
		throttle->paid_until = now - BURST_TIME;
	if (throttle->rate != 0) {
		throttle->paid_until += (sent * SECOND + throttle->rate - 1) /
			throttle->rate;
	}
	throttle->counted_offset = offset;
	if (throttle->paid_until > now)
		throttle->full = TRUE;
	else if (throttle->paid_until + OPEN_TIME <= now)
		throttle->full = FALSE;
}

/* Each symbol of Dovecot that the plugin needs costs all sessions, also those
   without a limit: the streams below are called by their methods. */
static bool parent_is_broken(const struct throttle_ostream *throttle)
{
	const struct ostream *parent = throttle->ostream.parent;

	return parent->closed || parent->stream_errno != 0;
}

static bool throttle_is_full(struct throttle_ostream *throttle)
{
	if (throttle->full || throttle->rate != 0)
		throttle_count(throttle, clock_now());
	return throttle->full;
}

/* The pop3 process is called only when the client takes data too: it resets its
   idle timer then. */
static void throttle_timeout(struct throttle_ostream *throttle)
{
	struct ostream_private *parent = throttle->ostream.parent->real_stream;

	timeout_remove(&throttle->to);
	if (!parent_is_broken(throttle))
		parent->flush_pending(parent, TRUE);
}

static void throttle_wait(struct throttle_ostream *throttle)
{
	uint64_t now = clock_now(), end = throttle->paid_until + OPEN_TIME;
	uint64_t wait = end - I_MIN(end, now);

	if (throttle->to == NULL) {
		throttle->to = timeout_add_short((wait + MSEC - 1) / MSEC,
						 throttle_timeout, throttle);
	}
}

/* Called by the parent in the place of the pop3 process. While this returns 0,
   it is called again whenever the socket can take data: not what is wanted
   while it could. */
static int throttle_parent_flushed(void *context)
{
	struct throttle_ostream *throttle = context;
	struct ostream *stream = &throttle->ostream.ostream;
	int ret = o_stream_flush(throttle->ostream.parent);

	if (ret >= 0 && throttle_is_full(throttle)) {
		throttle_wait(throttle);
		return 1;
	}
	if (throttle->ostream.callback == NULL)
		return ret;
	/* the client may end in there, and the stream with it */
	o_stream_ref(stream);
	ret = throttle->ostream.callback(throttle->ostream.context);
	if (ret == 0 && throttle_is_full(throttle)) {
		throttle_wait(throttle);
		ret = 1;
	}
	o_stream_unref(&stream);
	return ret;
}

static int throttle_ostream_flush(struct ostream_private *stream)
{
	struct throttle_ostream *throttle =
		container_of(stream, struct throttle_ostream, ostream);
	int ret = o_stream_flush(stream->parent);

	if (ret < 0)
		o_stream_copy_error_from_parent(stream);
	return ret > 0 && throttle_is_full(throttle) ? 0 : ret;
}

static size_t
throttle_ostream_get_buffer_used_size(const struct ostream_private *stream)
{
	const struct ostream_private *parent = stream->parent->real_stream;
	struct throttle_ostream *throttle =
		container_of(stream->ostream.real_stream,
			     struct throttle_ostream, ostream);
	size_t used;

	if (parent_is_broken(throttle)) {
		/* else the pop3 process would not read on, and not notice the
		   end */
		return 0;
	}
	used = parent->get_buffer_used_size(parent);
	return used < POP3_OUTBUF_THROTTLE_SIZE && throttle_is_full(throttle) ?
		POP3_OUTBUF_THROTTLE_SIZE : used;
}

static void
throttle_ostream_set_flush_callback(struct ostream_private *stream,
				    stream_flush_callback_t *callback,
				    void *context)
{
	stream->callback = callback;
	stream->context = context;
}

static void throttle_ostream_destroy(struct iostream_private *stream)
{
	struct throttle_ostream *throttle =
		container_of(stream, struct throttle_ostream, ostream.iostream);
	struct ostream_private *parent = throttle->ostream.parent->real_stream;

	timeout_remove(&throttle->to);
	parent->set_flush_callback(parent, NULL, NULL);
	o_stream_unref(&throttle->ostream.parent);
}

struct throttle_ostream *
throttle_ostream_init(struct client *client, uint64_t rate)
{
	struct ostream *parent = client->output;
	struct throttle_ostream *throttle;

	/* it cannot be waited for */
	if (parent->blocking)
		return NULL;
	throttle = i_new(struct throttle_ostream, 1);
	throttle->rate = rate;
	throttle->counted_offset = parent->offset;
	throttle->ostream.iostream.destroy = throttle_ostream_destroy;
	throttle->ostream.flush = throttle_ostream_flush;
	throttle->ostream.get_buffer_used_size =
		throttle_ostream_get_buffer_used_size;
	throttle->ostream.set_flush_callback =
		throttle_ostream_set_flush_callback;
	client->output = o_stream_create(&throttle->ostream, parent,
					 o_stream_get_fd(parent));
	client->output->offset = parent->offset;
	parent->real_stream->set_flush_callback(parent->real_stream,
						throttle_parent_flushed,
						throttle);
	o_stream_unref(&parent);
	return throttle;
}

void throttle_ostream_set_rate(struct throttle_ostream *throttle,
			       uint64_t rate)
{
	uint64_t now;

	if (throttle == NULL || throttle->rate == rate)
		return;
	now = clock_now();
	throttle_count(throttle, now);
	throttle->rate = rate;
	throttle->paid_until = I_MAX(throttle->paid_until, now);
}

void throttle_ostream_finish(struct throttle_ostream *throttle)
{
	if (throttle == NULL)
		return;
	timeout_remove(&throttle->to);
	throttle->rate = 0;
	throttle->paid_until = 0;
	throttle->full = FALSE;
}
