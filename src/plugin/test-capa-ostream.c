/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "ostream-private.h"
#include "test-common.h"
#include "pop3-symbols.h"
#include "capa-ostream.h"

static struct client client;
static struct ostream *base;
static struct capa_ostream *capa;
/* what was sent */
static string_t *wire;
static unsigned int lines_asked;

static const char *get_line(void *context)
{
	test_assert(context == &client);
	lines_asked++;
	return t_strdup_printf("EXPIRE %u", 14);
}

static void fixture_begin(void)
{
	i_zero(&client);
	lines_asked = 0;
	wire = t_str_new(1024);
	base = o_stream_create_buffer(wire);
	o_stream_set_no_error_handling(base, TRUE);
	client.output = base;
	capa = capa_ostream_init(&client, get_line, &client);
	test_assert(client.output != base);
}

static void fixture_end(void)
{
	capa_ostream_deinit(&capa);
	test_assert(capa == NULL);
	/* the client owns this one only */
	test_assert(client.output == base);
	test_assert(base->real_stream->iostream.refcount == 1);
	o_stream_destroy(&client.output);
}

/* What the caller sees of a send must not depend on what became of it. */
static void send_some(const char *data, const char *expected, unsigned int i)
{
	size_t size = strlen(data);

	str_truncate(wire, 0);
	test_assert_idx(o_stream_send(client.output, data, size) ==
			(ssize_t)size, i);
	test_assert_strcmp_idx(str_c(wire), expected, i);
	test_assert_idx(client.output->offset == base->offset, i);
}

#define CAPA_LINES "CAPA\r\nTOP\r\nUIDL\r\n"

static const struct {
	const char *data;
	/* NULL if it is not the reply to CAPA */
	const char *expected;
} tests[] = {
	{ "+OK\r\n" CAPA_LINES ".\r\n",
	  "+OK\r\n" CAPA_LINES "EXPIRE 14\r\n.\r\n" },
	{ "+OK\r\nCAPA\r\n.\r\n", "+OK\r\nCAPA\r\nEXPIRE 14\r\n.\r\n" },
	{ "+OK\r\nCAPA\r\n\r\n.\r\n",
	  "+OK\r\nCAPA\r\n\r\nEXPIRE 14\r\n.\r\n" },
	/* each octet of its beginning and its end matters */
	{ "-OK\r\n" CAPA_LINES ".\r\n", NULL },
	{ "+OK CAPA\r\n" CAPA_LINES ".\r\n", NULL },
	{ "+OK\r\ncapa\r\nTOP\r\n.\r\n", NULL },
	{ "+OK\r\nCAPA \r\nTOP\r\n.\r\n", NULL },
	{ "+OK\r\nCAPAX\r\nTOP\r\n.\r\n", NULL },
	{ "\r\n+OK\r\n" CAPA_LINES ".\r\n", NULL },
	{ "OK\r\n" CAPA_LINES ".\r\n", NULL },
	{ "+OK\n" CAPA_LINES ".\r\n", NULL },
	{ "+OK\r\n" CAPA_LINES ".", NULL },
	{ "+OK\r\n" CAPA_LINES ".\r", NULL },
	{ "+OK\r\n" CAPA_LINES "..\r\n", NULL },
	{ "+OK\r\n" CAPA_LINES ".\r\n\r\n", NULL },
	{ "+OK\r\n" CAPA_LINES ".\r\nx", NULL },
	{ "+OK\r\n" CAPA_LINES "\n.\r\n", NULL },
	{ "+OK\r\nCAPA\r\n", NULL },
	{ "+OK\r\nCAPA\r\n.", NULL },
	{ "+OK\r\nCAPA\r\n.\r", NULL },
	{ "+OK\r\n.\r\n", NULL },
	{ "+OK\r\n", NULL },
	{ ".\r\n", NULL },
	{ "\r\n.\r\n", NULL },
	{ "+", NULL },
};

static void test_reply(void)
{
	unsigned int i, asked = 0;

	test_begin("capa ostream: what is the reply");
	fixture_begin();
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		if (tests[i].expected != NULL) {
			send_some(tests[i].data, tests[i].expected, i);
			asked++;
		} else {
			send_some(tests[i].data, tests[i].data, i);
		}
		test_assert_idx(lines_asked == asked, i);
	}
	fixture_end();
	test_end();
}

/* The pop3 process sends it in one piece, and nothing else in several. */
static void test_pieces(void)
{
	const char *reply = "+OK\r\n" CAPA_LINES ".\r\n";
	const struct const_iovec iov[] = {
		{ reply, strlen(reply) },
		{ reply, strlen(reply) },
	};

	test_begin("capa ostream: pieces");
	fixture_begin();
	test_assert(o_stream_sendv(client.output, iov, 2) ==
		    2 * (ssize_t)strlen(reply));
	test_assert_strcmp(str_c(wire), t_strconcat(reply, reply, NULL));
	send_some("+OK\r\nCAPA\r\n", "+OK\r\nCAPA\r\n", 0);
	send_some("TOP\r\n.\r\n", "TOP\r\n.\r\n", 1);
	test_assert(lines_asked == 0);
	fixture_end();
	test_end();
}

static void test_pause(void)
{
	const char *reply = "+OK\r\n" CAPA_LINES ".\r\n";
	const char *with_line = "+OK\r\n" CAPA_LINES "EXPIRE 14\r\n.\r\n";
	struct ostream *stream;
	uoff_t offset;

	test_begin("capa ostream: pause and resume");
	fixture_begin();
	stream = client.output;
	offset = stream->offset;
	send_some(reply, with_line, 0);
	/* what the line takes was sent too */
	test_assert(client.output->offset - offset == strlen(with_line));

	capa_ostream_pause(capa);
	capa_ostream_pause(capa);
	test_assert(client.output == base);
	offset = base->offset;
	test_assert(offset == stream->offset);
	send_some(reply, reply, 1);
	capa_ostream_resume(capa);
	capa_ostream_resume(capa);
	test_assert(client.output == stream);
	test_assert(stream->offset - offset == strlen(reply));
	send_some(reply, with_line, 2);

	/* as a session ends that is not on it */
	capa_ostream_pause(capa);
	fixture_end();
	capa_ostream_pause(NULL);
	capa_ostream_resume(NULL);
	capa_ostream_deinit(&capa);
	test_end();
}

/* A reply of ours lies on the output for one send, while this does not. */
static void test_other_stream(void)
{
	struct ostream *other;

	test_begin("capa ostream: another stream on the output");
	fixture_begin();
	capa_ostream_pause(capa);
	other = client.output = o_stream_create_passthrough(base);
	capa_ostream_resume(capa);
	test_assert(client.output == other);
	capa_ostream_pause(capa);
	test_assert(client.output == other);
	client.output = base;
	o_stream_unref(&other);
	capa_ostream_resume(capa);
	test_assert(client.output != base);
	fixture_end();
	test_end();
}

/* Something that stays goes below it. */
static void test_rise(void)
{
	const char *reply = "+OK\r\n" CAPA_LINES ".\r\n";
	struct ostream *below;

	test_begin("capa ostream: rise above another stream");
	fixture_begin();
	send_some("+OK\r\n", "+OK\r\n", 0);
	capa_ostream_pause(capa);
	below = base;
	client.output = base = o_stream_create_passthrough(below);
	base->offset = below->offset;
	o_stream_unref(&below);
	capa_ostream_rise(&capa);
	test_assert(client.output == base);
	send_some(reply, reply, 1);
	capa_ostream_resume(capa);
	test_assert(client.output->real_stream->parent == base);
	send_some(reply, "+OK\r\n" CAPA_LINES "EXPIRE 14\r\n.\r\n", 2);
	fixture_end();

	capa = NULL;
	capa_ostream_rise(&capa);
	test_assert(capa == NULL);
	test_end();
}

static void test_parent_errors(void)
{
	static const char *const data[] = {
		"+OK\r\n" CAPA_LINES ".\r\n",
		"+OK\r\n",
	};
	unsigned int i;

	test_begin("capa ostream: errors of the parent");
	for (i = 0; i < N_ELEMENTS(data); i++) {
		fixture_begin();
		base->stream_errno = ENOSPC;
		test_assert_idx(o_stream_send_str(client.output, data[i]) < 0,
				i);
		test_assert_idx(client.output->stream_errno == ENOSPC, i);
		test_assert_idx(!client.output->closed, i);
		test_assert_idx(wire->used == 0, i);
		/* the pop3 process ends the session when it sees this */
		o_stream_close(base);
		test_assert_idx(o_stream_flush(client.output) < 0, i);
		fixture_end();

		fixture_begin();
		o_stream_close(base);
		test_assert_idx(o_stream_send_str(client.output, data[i]) < 0,
				i);
		test_assert_idx(client.output->closed, i);
		fixture_end();
	}
	test_end();
}

/* A command must not run when the line broke in the message before it. */
static void test_resume_after_error(void)
{
	test_begin("capa ostream: no resume after an error");
	fixture_begin();
	capa_ostream_pause(capa);
	o_stream_close(base);
	capa_ostream_resume(capa);
	test_assert(client.output == base);
	fixture_end();

	fixture_begin();
	capa_ostream_pause(capa);
	base->stream_errno = EPIPE;
	capa_ostream_resume(capa);
	test_assert(client.output == base);
	fixture_end();

	/* closing it closes what it lies on */
	fixture_begin();
	o_stream_close(client.output);
	test_assert(client.output->closed && base->closed);
	fixture_end();
	test_end();
}

static int flushed(unsigned int *count)
{
	(*count)++;
	return 1;
}

static void test_passed_on(void)
{
	unsigned int count = 0;

	test_begin("capa ostream: corking and flushing");
	fixture_begin();
	o_stream_cork(client.output);
	test_assert(o_stream_is_corked(base));
	capa_ostream_pause(capa);
	o_stream_uncork(client.output);
	test_assert(!o_stream_is_corked(base));
	o_stream_cork(client.output);
	capa_ostream_resume(capa);
	o_stream_uncork(client.output);
	test_assert(!o_stream_is_corked(base));

	o_stream_set_flush_callback(client.output, flushed, &count);
	test_assert(base->real_stream->callback ==
		    client.output->real_stream->callback);
	test_assert(base->real_stream->callback(&count) == 1 && count == 1);
	test_assert(o_stream_flush(client.output) == 1);
	test_assert(o_stream_get_buffer_used_size(client.output) ==
		    o_stream_get_buffer_used_size(base));
	fixture_end();
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_reply,
		test_pieces,
		test_pause,
		test_other_stream,
		test_rise,
		test_parent_errors,
		test_resume_after_error,
		test_passed_on,
		NULL
	};
	return test_run(test_functions);
}
