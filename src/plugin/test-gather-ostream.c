/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "ioloop.h"
#include "net.h"
#include "str.h"
#include "ostream-private.h"
#include "test-common.h"
#include "pop3-symbols.h"
#include "gather-ostream.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST (16 * 1024)

static struct client client;
static struct ostream *base;
/* what the stream below was given, and in how many sends */
static string_t *wire;
static unsigned int sends;
static ssize_t (*base_sendv)(struct ostream_private *,
			     const struct const_iovec *, unsigned int);

static ssize_t
counted_sendv(struct ostream_private *stream, const struct const_iovec *iov,
	      unsigned int iov_count)
{
	sends++;
	return base_sendv(stream, iov, iov_count);
}

static void fixture_begin(void)
{
	i_zero(&client);
	sends = 0;
	wire = t_str_new(1024);
	base = client.output = o_stream_create_buffer(wire);
	o_stream_set_no_error_handling(base, TRUE);
	base->blocking = FALSE;
	base_sendv = base->real_stream->sendv;
	base->real_stream->sendv = counted_sendv;
	o_stream_nsend_str(base, "+OK Hello.\r\n");
	gather_ostream_init(&client);
	test_assert(client.output != base);
	test_assert(client.output->offset == base->offset);
	str_truncate(wire, 0);
	sends = 0;
}

static void send_size(char octet, size_t size)
{
	string_t *data = t_str_new(size + 1);
	uoff_t offset = client.output->offset;

	while (str_len(data) < size)
		str_append_c(data, octet);
	test_assert(o_stream_send(client.output, str_data(data), size) ==
		    (ssize_t)size);
	test_assert(client.output->offset == offset + size);
}

static void send_text(const char *text)
{
	test_assert(o_stream_send_str(client.output, text) ==
		    (ssize_t)strlen(text));
}

static void test_corked(void)
{
	struct const_iovec iov[] = { { "ta", 2 }, { "il", 2 }, { "", 0 } };

	test_begin("gather ostream: corked");
	fixture_begin();
	o_stream_cork(client.output);
	send_text("+OK\r\n");
	test_assert(o_stream_sendv(client.output, iov, 3) == 4);
	test_assert(str_len(wire) == 0);
	test_assert(o_stream_get_buffer_used_size(client.output) == 0);
	o_stream_uncork(client.output);
	test_assert_strcmp(str_c(wire), "+OK\r\ntail");
	test_assert(sends == 1);
	/* nothing was sent again, or for nothing */
	o_stream_uncork(client.output);
	o_stream_cork(client.output);
	o_stream_uncork(client.output);
	test_assert(sends == 1);
	test_assert(client.output->offset == base->offset);
	o_stream_destroy(&client.output);
	test_end();
}

static void test_uncorked(void)
{
	test_begin("gather ostream: not corked");
	fixture_begin();
	send_text("a");
	test_assert_strcmp(str_c(wire), "a");
	send_text("b");
	test_assert_strcmp(str_c(wire), "ab");
	o_stream_cork(client.output);
	send_text("c");
	test_assert_strcmp(str_c(wire), "ab");
	test_assert(o_stream_flush(client.output) == 1);
	test_assert_strcmp(str_c(wire), "abc");
	send_text("d");
	test_assert_strcmp(str_c(wire), "abc");
	o_stream_uncork(client.output);
	send_text("e");
	test_assert_strcmp(str_c(wire), "abcde");
	o_stream_destroy(&client.output);
	test_end();
}

/* Sizes sent one after the other while it is corked, and what has left then, in how
   many sends. */
static const struct {
	size_t sizes[3], left;
	unsigned int sends;
} limits[] = {
	{ { MOST, 0, 0 }, 0, 0 },
	{ { 1, MOST - 1, 0 }, 0, 0 },
	{ { 1, MOST, 0 }, 1, 1 },
	{ { MOST, 1, 0 }, MOST, 1 },
	{ { MOST - 1, 1, 1 }, MOST, 1 },
	{ { MOST + 1, 0, 0 }, MOST + 1, 1 },
	{ { MOST + 1, 1, 1 }, MOST + 1, 1 },
	{ { 1, MOST + 1, 1 }, MOST + 2, 2 },
	{ { MOST, MOST, MOST }, 2 * MOST, 2 },
};

static void test_limits(void)
{
	unsigned int i, n;
	size_t all;

	test_begin("gather ostream: limits");
	for (i = 0; i < N_ELEMENTS(limits); i++) {
		fixture_begin();
		o_stream_cork(client.output);
		for (n = 0, all = 0; n < 3; n++) {
			if (limits[i].sizes[n] > 0)
				send_size('a' + n, limits[i].sizes[n]);
			all += limits[i].sizes[n];
		}
		test_assert_idx(str_len(wire) == limits[i].left, i);
		test_assert_idx(sends == limits[i].sends, i);
		o_stream_uncork(client.output);
		test_assert_idx(str_len(wire) == all, i);
		for (n = 0, all = 0; n < 3; n++) {
			test_assert_idx(strspn(str_c(wire) + all,
					(const char[]){ 'a' + n, '\0' }) ==
					limits[i].sizes[n], i);
			all += limits[i].sizes[n];
		}
		o_stream_destroy(&client.output);
	}
	test_end();
}

static void test_close(void)
{
	test_begin("gather ostream: closed with something gathered");
	fixture_begin();
	o_stream_cork(client.output);
	send_text("+OK Logging out.\r\n");
	o_stream_close(client.output);
	test_assert_strcmp(str_c(wire), "+OK Logging out.\r\n");
	test_assert(base->closed);
	o_stream_uncork(client.output);
	test_assert(sends == 1);
	o_stream_destroy(&client.output);
	test_end();
}

static ssize_t
failing_sendv(struct ostream_private *stream,
	      const struct const_iovec *iov ATTR_UNUSED,
	      unsigned int iov_count ATTR_UNUSED)
{
	stream->ostream.stream_errno = EPIPE;
	return -1;
}

static void test_errors(void)
{
	unsigned int i;

	test_begin("gather ostream: errors");
	for (i = 0; i < 4; i++) {
		fixture_begin();
		base->real_stream->sendv = failing_sendv;
		if (i > 0) {
			o_stream_cork(client.output);
			send_text("+OK\r\n");
			test_assert_idx(client.output->stream_errno == 0, i);
		}
		switch (i) {
		case 0:
			test_assert(o_stream_send_str(client.output, "a") < 0);
			break;
		case 1:
			o_stream_uncork(client.output);
			break;
		case 2:
			test_assert(o_stream_flush(client.output) < 0);
			break;
		case 3:
			send_size('a', MOST - 5);
			test_assert(o_stream_send_str(client.output, "a") < 0);
			break;
		}
		test_assert_idx(client.output->stream_errno == EPIPE, i);
		o_stream_destroy(&client.output);
	}
	test_end();
}

/* -- on sockets */

static void tcp_pair(int *ours_r, int *theirs_r)
{
	struct ip_addr ip;
	in_port_t port = 0;
	int fd;

	test_assert(net_addr2ip("127.0.0.1", &ip) == 0);
	fd = net_listen(&ip, &port, 1);
	*theirs_r = net_connect_ip_blocking(&ip, port, NULL);
	*ours_r = net_accept(fd, NULL, NULL);
	test_assert(fd != -1 && *theirs_r != -1 && *ours_r >= 0);
	net_set_nonblock(*ours_r, TRUE);
	i_close_fd(&fd);
}

static void unix_pair(int *ours_r, int *theirs_r)
{
	int fds[2];

	test_assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	*ours_r = fds[0];
	*theirs_r = fds[1];
	net_set_nonblock(*ours_r, TRUE);
}

static int has_option(int fd, int option)
{
	socklen_t size = sizeof(int);
	int value;

	return getsockopt(fd, IPPROTO_TCP, option, &value, &size) < 0 ? -1 :
		value;
}

static void socket_begin(int fd)
{
	i_zero(&client);
	client.output = o_stream_create_fd(fd, SIZE_MAX);
	o_stream_set_no_error_handling(client.output, TRUE);
	/* as it is in the beginning of a session */
	base = client.output;
	o_stream_cork(base);
	gather_ostream_init(&client);
	send_text("+OK Logged in.\r\n");
	o_stream_uncork(base);
}

static void assert_read(int fd, const char *expected)
{
	char buf[64];
	ssize_t ret = read(fd, buf, sizeof(buf) - 1);

	buf[I_MAX(ret, 0)] = '\0';
	test_assert_strcmp(buf, expected);
}

static void test_tcp(void)
{
	unsigned int i;
	int ours, theirs;

	test_begin("gather ostream: TCP");
	tcp_pair(&ours, &theirs);
	socket_begin(ours);
	assert_read(theirs, "+OK Logged in.\r\n");
	for (i = 0; i < 3; i++) {
		o_stream_cork(client.output);
		send_text("+OK");
		send_text("\r\n");
		if (i % 2 == 0)
			test_assert(o_stream_flush(client.output) == 1);
		o_stream_uncork(client.output);
		assert_read(theirs, "+OK\r\n");
		test_assert_idx(has_option(ours, TCP_NODELAY) == 1, i);
		test_assert_idx(has_option(ours, TCP_CORK) == 0, i);
		/* as when the socket can take data again */
		o_stream_cork(base);
		o_stream_uncork(base);
	}
	o_stream_destroy(&client.output);
	i_close_fd(&ours);
	i_close_fd(&theirs);
	test_end();
}

struct reading {
	struct ioloop *ioloop;
	struct io *io;
	int fd;
	size_t octets, wanted;
	unsigned int calls;
};

static void read_some(struct reading *reading)
{
	char buf[65536];
	ssize_t ret = read(reading->fd, buf, sizeof(buf));

	test_assert(ret > 0);
	reading->octets += I_MAX(ret, 0);
	if (reading->octets == reading->wanted || ret <= 0)
		io_loop_stop(reading->ioloop);
}

static int flushed(struct reading *reading)
{
	reading->calls++;
	return o_stream_flush(client.output);
}

/* What the socket does not take goes when it does, and the pop3 process hears of
   it. */
static void test_slow_client(void)
{
	struct reading reading = { .ioloop = io_loop_create() };
	int ours;

	test_begin("gather ostream: slow client");
	unix_pair(&ours, &reading.fd);
	socket_begin(ours);
	assert_read(reading.fd, "+OK Logged in.\r\n");
	o_stream_set_flush_callback(client.output, flushed, &reading);
	o_stream_cork(client.output);
	while (o_stream_get_buffer_used_size(client.output) < 4096) {
		send_size('x', 100);
		reading.wanted += 100;
	}
	test_assert(o_stream_flush(client.output) == 0);
	send_size('y', 100);
	reading.wanted += 100;
	o_stream_uncork(client.output);
	test_assert(reading.calls == 0);
	reading.io = io_add(reading.fd, IO_READ, read_some, &reading);
	io_loop_run(reading.ioloop);
	test_assert(reading.octets == reading.wanted);
	test_assert(reading.calls > 0);
	test_assert(o_stream_flush(client.output) == 1);
	io_remove(&reading.io);
	o_stream_destroy(&client.output);
	i_close_fd(&ours);
	i_close_fd(&reading.fd);
	io_loop_destroy(&reading.ioloop);
	test_end();
}

static void test_blocking(void)
{
	test_begin("gather ostream: not for a file");
	i_zero(&client);
	wire = t_str_new(64);
	base = client.output = o_stream_create_buffer(wire);
	base->blocking = TRUE;
	gather_ostream_init(&client);
	test_assert(client.output == base);
	o_stream_destroy(&client.output);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_corked,
		test_uncorked,
		test_limits,
		test_close,
		test_errors,
		test_tcp,
		test_slow_client,
		test_blocking,
		NULL
	};

	return test_run(test_functions);
}
