/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "ioloop.h"
#include "net.h"
#include "ostream-private.h"
#include "test-common.h"
#include "test-throttle-use.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* On a socket, with a client that reads from the other end. */

static struct ioloop *ioloop;
static int client_fd;
static struct io *client_io;
/* what is still to be sent, in pieces of at most 4096 octets */
static size_t left;
static size_t received;
/* calls of the pop3 process, and how it ended */
static unsigned int output_calls;
static bool output_failed;

static int output_fail(struct client *c)
{
	output_failed = TRUE;
	/* else the process would not read on, and not see the end */
	test_assert(o_stream_get_buffer_used_size(c->output) == 0);
	o_stream_destroy(&c->output);
	io_loop_stop(ioloop);
	return 1;
}

/* As the pop3 process does it. */
static int client_output(struct client *c)
{
	static const unsigned char data[4096];
	size_t size;
	int ret;

	output_calls++;
	if (o_stream_flush(c->output) < 0)
		return output_fail(c);
	while (left > 0) {
		size = I_MIN(left, sizeof(data));
		if (o_stream_send(c->output, data, size) < 0)
			return output_fail(c);
		left -= size;
		if (o_stream_get_buffer_used_size(c->output) < FULL)
			continue;
		ret = o_stream_flush(c->output);
		if (ret < 0)
			return output_fail(c);
		if (ret == 0)
			return 0;
	}
	return 1;
}

static void client_input(void *context ATTR_UNUSED)
{
	unsigned char data[65536];
	ssize_t ret = read(client_fd, data, sizeof(data));

	if (ret > 0)
		received += ret;
	if (ret == 0 || left == 0)
		io_loop_stop(ioloop);
}

static void client_reads(void)
{
	client_io = io_add(client_fd, IO_READ, client_input, NULL);
}

static void socket_begin(uint64_t rate, int size)
{
	int fd[2];

	i_zero(&client);
	ioloop = io_loop_create();
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) < 0 ||
	    setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0)
		i_fatal("socketpair() failed: %m");
	client_fd = fd[1];
	net_set_nonblock(fd[0], TRUE);
	net_set_nonblock(client_fd, TRUE);
	base = client.output = o_stream_create_fd_autoclose(&fd[0], SIZE_MAX);
	o_stream_set_no_error_handling(base, TRUE);
	o_stream_set_flush_callback(base, client_output, &client);
	throttle = throttle_ostream_init(&client, rate);
	left = received = 0;
	output_calls = clock_calls = 0;
	output_failed = FALSE;
}

static void socket_end(void)
{
	io_remove(&client_io);
	o_stream_destroy(&client.output);
	i_close_fd(&client_fd);
	/* no timer is left */
	test_assert(io_loop_is_empty(ioloop));
	io_loop_destroy(&ioloop);
	fake_nsecs = 0;
}

static void command(size_t size)
{
	left = size;
	o_stream_cork(client.output);
	if (client_output(&client) == 0)
		o_stream_set_flush_pending(client.output, TRUE);
	o_stream_uncork(client.output);
}

static void stop(void *context ATTR_UNUSED)
{
	io_loop_stop(ioloop);
}

/* Let everything happen that does so by itself. */
static void run_msecs(unsigned int msecs)
{
	struct timeout *to = timeout_add_short(msecs, stop, NULL);

	io_loop_run(ioloop);
	timeout_remove(&to);
}

/* At the true speed of time: never too fast, and it wakes as often as it opens,
   however slow this machine is. */
static void test_speed(void)
{
	const uint64_t rate = 256 * K, size = 512 * K;
	struct timespec begin, end;
	uint64_t nsecs;

	test_begin("throttle ostream: speed and wakes");
	socket_begin(rate, 1024 * 1024);
	client_reads();
	(void)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &begin);
	command(size);
	while (left > 0)
		io_loop_run(ioloop);
	(void)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &end);
	nsecs = (end.tv_sec - begin.tv_sec) * SEC +
		end.tv_nsec - begin.tv_nsec;
	/* a second's worth was saved */
	test_assert(size - rate - 2 * 4096 <= rate * nsecs / SEC);
	test_assert(output_calls <= nsecs / (125 * MSEC) + 10);
	/* some looks for each wake, one for each piece while it is full */
	test_assert(clock_calls < 20 * output_calls + size / 4096);
	socket_end();
	test_end();
}

/* The pop3 process resets its idle timer in each call. */
static void test_client_that_does_not_read(void)
{
	test_begin("throttle ostream: client that does not read");
	fake_nsecs = 1000 * SEC;
	socket_begin(64 * K, 4096);
	command(1000 * K);
	test_assert(left > 0);
	test_assert(o_stream_get_buffer_used_size(base) > 0);
	output_calls = 0;
	/* it has paid for all, but nothing can be sent */
	fake_nsecs += 3600 * SEC;
	run_msecs(300);
	test_assert(output_calls == 0);
	test_assert(clock_calls < 200);

	client_reads();
	while (output_calls == 0)
		run_msecs(1);
	test_assert(received > 0);
	socket_end();
	test_end();
}

/* A socket that can take data says so again and again. */
static void test_no_busy_loop(void)
{
	test_begin("throttle ostream: no busy loop");
	fake_nsecs = 1000 * SEC;
	socket_begin(64 * K, 1024 * 1024);
	client_reads();
	/* a small debt on a clock that stands still: the timer comes too early
	   each time */
	command(64 * K + 4096 + 64);
	output_calls = clock_calls = 0;
	run_msecs(400);
	test_assert(received > 64 * K);
	test_assert(output_calls == 0);
	test_assert(clock_calls > 0 && clock_calls < 40);
	fake_nsecs += SEC;
	while (left > 0)
		io_loop_run(ioloop);
	test_assert(output_calls == 1);
	/* nothing more is to be done: no timer, no call */
	clock_calls = 0;
	run_msecs(200);
	test_assert(output_calls == 1);
	test_assert(clock_calls == 0);
	socket_end();
	test_end();
}

static void test_hang_up(void)
{
	test_begin("throttle ostream: client that hangs up");
	fake_nsecs = 1000 * SEC;
	socket_begin(64 * K, 4096);
	client_reads();
	command(1000 * K);
	while (o_stream_get_buffer_used_size(base) > 0)
		run_msecs(1);
	test_assert(o_stream_get_buffer_used_size(client.output) >= FULL);
	io_remove(&client_io);
	i_close_fd(&client_fd);
	/* at the next piece, and the stream ends amid of the call */
	fake_nsecs += 10 * SEC;
	while (!output_failed)
		io_loop_run(ioloop);
	test_assert(client.output == NULL);
	socket_end();
	test_end();
}

/* The process closes the output before it frees it. */
static void test_close_while_waiting(void)
{
	test_begin("throttle ostream: closed amid of a wait");
	fake_nsecs = 1000 * SEC;
	socket_begin(64 * K, 1024 * 1024);
	command(64 * K + 4096);
	test_assert(o_stream_flush(client.output) == 0);
	run_msecs(1);
	output_calls = 0;
	fake_nsecs += 10 * SEC;
	o_stream_close(client.output);
	run_msecs(400);
	test_assert(output_calls == 0);
	socket_end();
	test_end();
}

/* As at QUIT: what was taken is sent, whatever is still to be paid. */
static void test_end_in_debt(void)
{
	test_begin("throttle ostream: end amid of a debt");
	fake_nsecs = 1000 * SEC;
	socket_begin(1 * K, 4096);
	client_reads();
	command(4096);
	test_assert(o_stream_flush(client.output) == 0);
	test_assert(o_stream_send_str(client.output, "+OK bye\r\n") == 9);
	o_stream_set_flush_pending(client.output, TRUE);
	o_stream_ref(base);
	o_stream_destroy(&client.output);
	/* who has it now is not called for us */
	test_assert(base->real_stream->callback == NULL);
	o_stream_destroy(&base);
	while (received < 4096 + 9)
		io_loop_run(ioloop);
	socket_end();
	test_end();
}

static void test_callback(void)
{
	test_begin("throttle ostream: flush callback");
	fake_nsecs = 1000 * SEC;
	socket_begin(64 * K, 4096);
	/* it is the one of what it lies on until there is another one */
	o_stream_set_flush_pending(client.output, TRUE);
	while (output_calls == 0)
		run_msecs(1);
	test_assert(output_calls == 1);
	o_stream_unset_flush_callback(client.output);
	o_stream_set_flush_pending(client.output, TRUE);
	run_msecs(20);
	test_assert(output_calls == 1);
	o_stream_set_flush_callback(client.output, client_output, &client);
	o_stream_set_flush_pending(client.output, TRUE);
	while (output_calls == 1)
		run_msecs(1);
	test_assert(output_calls == 2);
	socket_end();
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_speed,
		test_client_that_does_not_read,
		test_no_busy_loop,
		test_hang_up,
		test_close_while_waiting,
		test_end_in_debt,
		test_callback,
		NULL
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return test_run(test_functions);
}
