/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "ostream-private.h"
#include "ostream-null.h"
#include "test-common.h"
#include "test-throttle-use.h"

/* On an output that takes all, with a clock that stands still. */

static void base_init(void)
{
	i_zero(&client);
	fake_nsecs = 1000 * SEC;
	base = client.output = o_stream_create_null();
	o_stream_set_no_error_handling(base, TRUE);
	base->blocking = FALSE;
}

static void fixture_begin(uint64_t rate)
{
	base_init();
	throttle = throttle_ostream_init(&client, rate);
	test_assert(client.output != base);
}

static void fixture_end(void)
{
	o_stream_destroy(&client.output);
	fake_nsecs = 0;
}

static void send_size(size_t size)
{
	static const unsigned char data[8192];
	size_t part;

	for (; size > 0; size -= part) {
		part = I_MIN(size, sizeof(data));
		test_assert(o_stream_send(client.output, data, part) ==
			    (ssize_t)part);
	}
	test_assert(client.output->offset == base->offset);
}

static bool is_full(void)
{
	bool full = o_stream_get_buffer_used_size(client.output) >= FULL;

	test_assert(o_stream_flush(client.output) == (full ? 0 : 1));
	return full;
}

/* It stays full for exactly so long. */
static void assert_full_for(uint64_t nsecs, unsigned int i)
{
	test_assert_idx(is_full(), i);
	fake_nsecs += nsecs - 1;
	test_assert_idx(is_full(), i);
	fake_nsecs++;
	test_assert_idx(!is_full(), i);
}

static void test_rates(void)
{
	/* what 3 s take, and what 1 s does */
	static const struct {
		uint64_t rate, size, second;
	} tests[] = {
		{ 1 * K, 3 * K, K },
		{ 1000000, 3000000, 1000000 },
		{ 64 * K, 192 * K, 64 * K },
		{ 2 * K * K, 6 * K * K, 2 * K * K },
	};
	unsigned int i;

	test_begin("throttle ostream: rates");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		fixture_begin(tests[i].rate);
		/* the first second was saved */
		send_size(tests[i].second);
		test_assert_idx(!is_full(), i);
		send_size(tests[i].size);
		assert_full_for(3 * SEC + 125 * MSEC, i);
		/* it has what it opened with */
		send_size(tests[i].second / 8);
		test_assert_idx(!is_full(), i);
		send_size(tests[i].second);
		assert_full_for(SEC + 125 * MSEC, i);
		fixture_end();
	}
	test_end();
}

/* In many small pieces, as the lines of a message are sent. */
static void test_pieces(void)
{
	unsigned int i;

	test_begin("throttle ostream: pieces");
	fixture_begin(64 * K);
	for (i = 0; i < 512; i++) {
		test_assert_idx(!is_full(), i);
		send_size(128);
	}
	test_assert(!is_full());
	send_size(128);
	assert_full_for(SEC / 512 + 125 * MSEC, 0);
	fixture_end();

	/* a part of a nanosecond is not for nothing */
	fixture_begin(0);
	throttle_ostream_set_rate(throttle, K * K * K * K);
	send_size(1);
	assert_full_for(1 + 125 * MSEC, 1);
	fixture_end();
	test_end();
}

static void test_saved(void)
{
	test_begin("throttle ostream: what is saved");
	fixture_begin(64 * K);
	send_size(64 * K);
	test_assert(!is_full());
	/* half a second gives half of it, an hour no more than all */
	fake_nsecs += SEC / 2;
	/* the same rate once more takes nothing away */
	throttle_ostream_set_rate(throttle, 64 * K);
	send_size(32 * K);
	test_assert(!is_full());
	send_size(32 * K);
	assert_full_for(SEC / 2 + 125 * MSEC, 0);
	fake_nsecs += 3600 * SEC;
	send_size(64 * K);
	test_assert(!is_full());
	send_size(64 * K);
	assert_full_for(SEC + 125 * MSEC, 1);
	fixture_end();
	test_end();
}

/* The machine was started a moment ago. */
static void test_young_clock(void)
{
	test_begin("throttle ostream: young clock");
	base_init();
	fake_nsecs = 1;
	throttle = throttle_ostream_init(&client, 64 * K);
	send_size(64 * K);
	assert_full_for(SEC + 125 * MSEC - 1, 0);
	fixture_end();
	test_end();
}

static void test_set_rate(void)
{
	test_begin("throttle ostream: another rate");
	fixture_begin(0);
	clock_calls = 0;
	send_size(1000 * K);
	test_assert(!is_full());
	test_assert(clock_calls == 0);

	/* what was sent before is not counted, and nothing was saved */
	throttle_ostream_set_rate(throttle, 64 * K);
	test_assert(!is_full());
	send_size(128);
	test_assert(is_full());
	send_size(64 * K - 128);
	fake_nsecs += SEC / 2;
	assert_full_for(SEC / 2 + 125 * MSEC, 0);

	/* what was sent is paid as it was sent */
	send_size(8 * K);
	send_size(128 * K);
	throttle_ostream_set_rate(throttle, 1 * K);
	assert_full_for(2 * SEC + 125 * MSEC, 1);
	send_size(128);
	test_assert(!is_full());
	send_size(1 * K);
	throttle_ostream_set_rate(throttle, 64 * K);
	assert_full_for(SEC + 125 * MSEC, 2);

	/* also if there is no rate any more */
	send_size(64 * K + 8 * K);
	throttle_ostream_set_rate(throttle, 0);
	send_size(1000 * K);
	assert_full_for(SEC + 125 * MSEC, 3);
	clock_calls = 0;
	send_size(1000 * K);
	test_assert(!is_full());
	test_assert(clock_calls == 0);
	fixture_end();

	throttle_ostream_set_rate(NULL, 64 * K);
	test_end();
}

static void test_limits_of_rates(void)
{
	test_begin("throttle ostream: slowest and fastest");
	fixture_begin(1 * K);
	send_size(1 * K + 4096);
	assert_full_for(4 * SEC + 125 * MSEC, 0);
	fixture_end();

	fixture_begin(0);
	throttle_ostream_set_rate(throttle, K * K * K * K);
	base->offset = client.output->offset = 8 * K * K * K;
	assert_full_for(SEC / 128 + 125 * MSEC, 1);
	fixture_end();
	test_end();
}

/* What the client fetches is measured across the moment when it comes in. */
static void test_offset(void)
{
	test_begin("throttle ostream: offset");
	base_init();
	send_size(200 * K);
	throttle = throttle_ostream_init(&client, 64 * K);
	test_assert(client.output->offset == 200 * K);
	send_size(10);
	test_assert(client.output->offset == 200 * K + 10);
	/* what came before is not paid */
	test_assert(!is_full());
	/* the client owns this one, and this one the other */
	test_assert(client.output->real_stream->iostream.refcount == 1);
	test_assert(base->real_stream->iostream.refcount == 1);
	fixture_end();
	test_end();
}

static void test_broken(void)
{
	test_begin("throttle ostream: errors of the parent");
	fixture_begin(64 * K);
	send_size(200 * K);
	test_assert(is_full());
	base->stream_errno = EPIPE;
	/* else nobody would look any more */
	test_assert(o_stream_get_buffer_used_size(client.output) == 0);
	o_stream_set_flush_pending(client.output, TRUE);
	test_assert(o_stream_flush(client.output) < 0);
	test_assert(client.output->stream_errno == EPIPE);
	test_assert(o_stream_send(client.output, "x", 1) < 0);
	fixture_end();

	fixture_begin(64 * K);
	send_size(200 * K);
	o_stream_close(base);
	test_assert(o_stream_get_buffer_used_size(client.output) == 0);
	test_assert(o_stream_send(client.output, "x", 1) < 0);
	test_assert(client.output->closed);
	fixture_end();

	/* closing it closes what it lies on, whatever is still to be paid */
	fixture_begin(64 * K);
	send_size(200 * K);
	o_stream_close(client.output);
	test_assert(client.output->closed && base->closed);
	fixture_end();
	test_end();
}

static void test_blocking(void)
{
	test_begin("throttle ostream: output that blocks");
	base_init();
	base->blocking = TRUE;
	test_assert(throttle_ostream_init(&client, 64 * K) == NULL);
	test_assert(client.output == base);
	fixture_end();
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_rates,
		test_pieces,
		test_saved,
		test_young_clock,
		test_set_rate,
		test_limits_of_rates,
		test_offset,
		test_broken,
		test_blocking,
		NULL
	};
	return test_run(test_functions);
}
