/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "buffer.h"
#include "istream.h"
#include "istream-failure-at.h"
#include "test-common.h"
#include "top-command.h"

/* what the pop3 process sends at once */
#define SEND_MAX 4096

/* What the process adds around a message: status line, missing line ends, dot. */
#define OVERHEAD_MAX 64

/* What the pop3 process does with a message: octets that it reads in chunks of
   some size, in which it looks at the octet before; at the beginning of a chunk
   that is the last one it has sent, which may be one that it has added. */
struct model {
	uoff_t lines_left, sent;
	unsigned char last;
	bool in_body;
};

/* Returns how much of the chunk was taken. */
static size_t
model_chunk(struct model *model, const unsigned char *data, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		unsigned char before = i == 0 ? model->last : data[i - 1];
		bool line_start = before == '\n' || (i == 0 && before == '\0');
		unsigned char add = '\0';

		if (line_start && (data[i] == '\r' || data[i] == '\n'))
			model->in_body = TRUE;
		if (data[i] == '\n' && before != '\r')
			add = '\r';
		else if (data[i] == '.' && before == '\n')
			add = '.';
		if (add != '\0') {
			/* the octet itself is looked at again */
			model->sent += i + 1;
			model->last = add;
			return i;
		}
		if (data[i] == '\n' && model->in_body &&
		    --model->lines_left == 0) {
			i++;
			break;
		}
	}
	if (i > 0)
		model->last = data[i - 1];
	model->sent += i;
	return i;
}

/* Returns TRUE if all of the message is sent. */
static bool
model_send(const unsigned char *data, size_t size, uoff_t lines,
	   size_t chunk_size, uoff_t *sent_r)
{
	struct model model = {
		/* this is how the process counts */
		.lines_left = lines == UOFF_T_MAX ? lines : lines + 1,
	};
	size_t pos = 0;

	while (pos < size && (!model.in_body || model.lines_left > 0)) {
		pos += model_chunk(&model, data + pos,
				   I_MIN(size - pos, chunk_size));
	}
	*sent_r = model.sent;
	return pos == size;
}

static void
assert_measure(const void *data, size_t size, uoff_t lines, size_t buffer_size,
	       unsigned int idx)
{
	static const size_t chunk_sizes[] = { 1, 2, 5, SEND_MAX };
	struct istream *message = test_istream_create_data(data, size);
	bool has_nul = memchr(data, '\0', size) != NULL;
	const unsigned char *again;
	size_t again_size;
	struct top_reply_size reply;
	unsigned int i;
	uoff_t sent;
	bool whole;

	test_istream_set_max_buffer_size(message, buffer_size);
	test_istream_set_allow_eof(message, TRUE);
	test_assert(top_command_measure(message, lines, &reply) == 0);
	for (i = 0; i < N_ELEMENTS(chunk_sizes); i++) {
		whole = model_send(data, size, lines, chunk_sizes[i], &sent);
		/* a chunk that ends with a NUL makes the process take the next
		   line end for the one before the body: it sends less */
		test_assert_idx(has_nul ? reply.is_whole || !whole :
				reply.is_whole == whole, idx);
		test_assert_idx(sent <= reply.max_size, idx);
		if (!has_nul) {
			test_assert_idx(reply.max_size <=
					sent + OVERHEAD_MAX + 1, idx);
		}
	}

	/* the pop3 process finds it as if nobody had been there */
	test_assert_idx(message->v_offset == 0 && message->stream_errno == 0,
			idx);
	if (size > 0) {
		test_assert_idx(i_stream_read_more(message, &again,
						   &again_size) > 0 &&
				memcmp(again, data,
				       I_MIN(again_size, size)) == 0, idx);
	}
	i_stream_unref(&message);
}

static void test_measure(void)
{
	static const struct {
		const char *message;
		/* the first number of lines that is all of it */
		uoff_t whole;
	} tests[] = {
		{ "", 0 },
		{ "x", 0 },
		{ "\n", 0 },
		{ "\r\n", 0 },
		{ "A: b", 0 },
		{ "A: b\r\n", 0 },
		{ "A: b\r\n c\r\n", 0 },
		{ "A: b\r\n\r\n", 0 },
		{ "A: b\n\n", 0 },
		{ "A: b\r\n\r\nbody", 1 },
		{ "A: b\n\nbody", 1 },
		{ "A: b\r\n\r\nbody\r\n", 1 },
		{ "A: b\r\n\r\n1\r\n2\r\n", 2 },
		{ "A: b\n\n1\n2\n", 2 },
		{ "A: b\n\n1\n2", 2 },
		{ "A: b\r\n\r\n\r\n\r\n\r\n", 3 },
		{ "\r\n1\r\n", 1 },
		{ "\n\n\n", 2 },
		/* a body that begins in a strange way, but does */
		{ "A: b\n\rC: d\ne\n", 1 },
		{ "\rA: b\n\nc\n", 2 },
		/* a line end that is none */
		{ "A: b\r\rc\n", 0 },
		{ "A: b\n\n1\r2\r3\n", 1 },
		/* dots */
		{ ".", 0 },
		{ ".\n", 0 },
		{ ".\r\n.\r\n", 0 },
		{ "A: b\r\n\r\n.\r\n", 1 },
		{ "A: b\r\n\r\n.\r\n.\r\n..\r\n.", 4 },
		{ "A: b\n.\n\n.\n", 1 },
	};
	static const size_t buffer_sizes[] = { 1, 2, 3, 4096 };
	struct top_reply_size reply;
	struct istream *message;
	unsigned int i, b;
	uoff_t lines;

	test_begin("top command: what is all of a message");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		size_t size = strlen(tests[i].message);

		for (lines = 0; lines < 7; lines++) {
			message = test_istream_create(tests[i].message);
			test_assert(top_command_measure(message, lines,
							&reply) == 0);
			test_assert_idx(reply.is_whole ==
					(lines >= tests[i].whole),
					i * 10 + lines);
			i_stream_unref(&message);
			for (b = 0; b < N_ELEMENTS(buffer_sizes); b++) {
				assert_measure(tests[i].message, size, lines,
					       buffer_sizes[b], i * 10 + lines);
			}
		}
		assert_measure(tests[i].message, size, UOFF_T_MAX, 4096, i);
		assert_measure(tests[i].message, size, UOFF_T_MAX - 1, 4096, i);
	}
	test_end();
}

static void test_measure_random(void)
{
	static const char octets[] = { '\r', '\n', '\n', '.', 'a', ':', '\0' };
	unsigned char data[48];
	size_t size;
	unsigned int i, j;

	test_begin("top command: random messages");
	for (i = 0; i < 20000; i++) {
		/* every other one has no NULs */
		unsigned int count = N_ELEMENTS(octets) - i % 2;

		size = i_rand_limit(sizeof(data) + 1);
		for (j = 0; j < size; j++)
			data[j] = octets[i_rand_limit(count)];
		assert_measure(data, size, i_rand_limit(12),
			       i_rand_minmax(1, 8), i);
	}
	test_end();
}

/* Around the sizes at which the process begins a new chunk. */
static void test_measure_large(void)
{
	enum { HEADER_MAX = 2 * SEND_MAX + 8 };
	buffer_t *data = buffer_create_dynamic(default_pool, HEADER_MAX + 64);
	unsigned int header, lines;

	test_begin("top command: large messages");
	for (header = SEND_MAX - 8; header < HEADER_MAX; header++) {
		if (header == SEND_MAX + 8)
			header = HEADER_MAX - 16;
		buffer_set_used_size(data, 0);
		while (data->used < header)
			buffer_append_c(data, 'a');
		buffer_append(data, "\r\n\r\n.1\n.2\r\n3", 13);
		for (lines = 0; lines < 4; lines++) {
			assert_measure(data->data, data->used, lines, 4096,
				       header);
			assert_measure(data->data, data->used, lines, 8192,
				       header);
		}
	}

	/* what is added may be a third, or all of it once more */
	buffer_set_used_size(data, 0);
	while (data->used < 20 * SEND_MAX)
		buffer_append(data, ".\r\n", 3);
	assert_measure(data->data, data->used, UOFF_T_MAX, 4096, 0);
	buffer_set_used_size(data, 0);
	while (data->used < 20 * SEND_MAX)
		buffer_append(data, ".\n", 2);
	assert_measure(data->data, data->used, UOFF_T_MAX, 4096, 0);

	/* it is read as far as it will be sent */
	buffer_append_c(data, '\n');
	while (data->used < 1024 * 1024)
		buffer_append(data, "line\r\n", 6);
	for (lines = 0; lines < 3000; lines += 997)
		assert_measure(data->data, data->used, lines, 4096, lines);
	buffer_free(&data);
	test_end();
}

static void test_measure_failure(void)
{
	static const char *const text = "A: b\r\n\r\n1\r\n2\r\n3\r\n";
	struct istream *message, *broken;
	struct top_reply_size reply;

	test_begin("top command: message that cannot be read");
	message = test_istream_create(text);
	/* behind the first line of the body, and one octet to tell it by */
	broken = i_stream_create_failure_at(message, 12, EIO, "broken disk");
	test_assert(top_command_measure(broken, 1, &reply) == 0);
	test_assert(!reply.is_whole);
	test_assert(broken->v_offset == 0 && broken->stream_errno == 0);
	test_assert(top_command_measure(broken, 5, &reply) == -1);
	test_assert(broken->stream_errno == EIO);
	i_stream_unref(&broken);
	i_stream_unref(&message);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_measure,
		test_measure_random,
		test_measure_large,
		test_measure_failure,
		NULL
	};
	return test_run(test_functions);
}
