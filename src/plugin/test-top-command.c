/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "buffer.h"
#include "istream.h"
#include "istream-concat.h"
#include "strnum.h"
#include "test-common.h"
#include "top-command.h"

#include <ctype.h>
#include <unistd.h>

/* what the pop3 process reads at once */
#define INPUT_MAX 8192

/* How the octets that a client sent come to the pop3 process. */
enum arrival {
	/* all at once, in memory that cannot be written to */
	ARRIVE_AS_DATA,
	ARRIVE_AT_ONCE,
	ARRIVE_ONE_BY_ONE,
	/* the login process has read the first half already */
	ARRIVE_FROM_LOGIN,

	ARRIVAL_COUNT
};

struct connection {
	struct istream *input;
	int fd;
	const unsigned char *data;
	/* what the client has not sent yet, and how much it sends at once */
	size_t left, step;
};

static void
connection_init(struct connection *conn, enum arrival arrival,
		const void *data, size_t size)
{
	struct istream *inputs[3] = { NULL, NULL, NULL };
	size_t first = arrival == ARRIVE_FROM_LOGIN ? size / 2 : 0;
	int fd[2];

	i_zero(conn);
	conn->fd = -1;
	if (arrival == ARRIVE_AS_DATA) {
		conn->input = i_stream_create_from_data(data, size);
		return;
	}
	if (pipe(fd) < 0)
		i_fatal("pipe() failed: %m");
	conn->input = i_stream_create_fd_autoclose(&fd[0], INPUT_MAX);
	conn->fd = fd[1];
	conn->data = CONST_PTR_OFFSET(data, first);
	conn->left = size - first;
	conn->step = arrival == ARRIVE_ONE_BY_ONE ? 1 : I_MAX(size, 1);
	if (arrival == ARRIVE_FROM_LOGIN) {
		inputs[0] = i_stream_create_copy_from_data(data, first);
		inputs[1] = conn->input;
		conn->input = i_stream_create_concat(inputs);
		i_stream_unref(&inputs[0]);
		i_stream_unref(&inputs[1]);
	}
}

static void connection_deinit(struct connection *conn)
{
	i_close_fd(&conn->fd);
	i_stream_unref(&conn->input);
}

/* The next line, or NULL when there will be none. */
static char *connection_read_line(struct connection *conn)
{
	char *line;

	while ((line = i_stream_next_line(conn->input)) == NULL) {
		size_t size = I_MIN(conn->left, conn->step);

		if (size > 0 && write(conn->fd, conn->data, size) !=
		    (ssize_t)size)
			i_fatal("write() failed: %m");
		conn->data += size;
		conn->left -= size;
		if (conn->left == 0)
			i_close_fd(&conn->fd);
		if (i_stream_read(conn->input) == -1)
			return i_stream_next_line(conn->input);
	}
	return line;
}

/* What the pop3 process does with a line before it opens the message. Returns
   TRUE and the arguments if it does. */
static bool process_line(char *line, uint32_t *msn_r, uoff_t *lines_r)
{
	char *args = strchr(line, ' ');
	const char *p;

	if (args == NULL)
		return FALSE;
	*args++ = '\0';
	if (strcasecmp(line, "TOP") != 0 || !i_isdigit(*args) ||
	    str_parse_uint32(args, msn_r, &p) < 0 || *p != ' ')
		return FALSE;
	while (*p == ' ') p++;
	return i_isdigit(*p) && str_parse_uoff(p, lines_r, &p) == 0 &&
		*p == '\0';
}

struct lines_test {
	const char *data;
	size_t size;
	/* of the commands that get to opening a message */
	uoff_t lines[4];
};
#define DATA(text) text, sizeof(text) - 1

/* With remember, as a session that knows where the command before has ended. */
static void
assert_lines(const struct lines_test *test, enum arrival arrival, bool remember,
	     unsigned int idx)
{
	struct connection conn;
	unsigned int n = 0;
	uoff_t lines, offset = 0;
	uint32_t msn;
	char *line;

	connection_init(&conn, arrival, test->data, test->size);
	while ((line = connection_read_line(&conn)) != NULL) {
		if (!process_line(line, &msn, &lines))
			continue;
		test_assert_idx(n < N_ELEMENTS(test->lines) &&
				top_command_lines(conn.input, offset, msn) ==
				test->lines[n], idx);
		if (remember)
			offset = conn.input->v_offset;
		n++;
	}
	test_assert_idx(n > 0, idx);
	connection_deinit(&conn);
}

static void test_lines(void)
{
	static const struct lines_test tests[] = {
		{ DATA("TOP 1 0\r\n"), { 0 } },
		{ DATA("TOP 1 5\r\n"), { 5 } },
		{ DATA("TOP 1 5\n"), { 5 } },
		{ DATA("tOp 1 5\r\n"), { 5 } },
		{ DATA("TOP 001 005\r\n"), { 5 } },
		{ DATA("TOP 4294967295 5\r\n"), { 5 } },
		{ DATA("TOP 1 4294967297\r\n"), { 4294967297 } },
		{ DATA("TOP 1 18446744073709551614\r\n"), { UOFF_T_MAX - 1 } },
		{ DATA("TOP 1 18446744073709551615\r\n"), { UOFF_T_MAX } },
		{ DATA("TOP 1      7\r\n"), { 7 } },
		/* pipelined */
		{ DATA("STAT\r\nLIST\r\nRETR 1\r\nTOP 3 12\r\nQUIT\r\n"), { 12 } },
		{ DATA("STAT\nLIST\nRETR 1\nTOP 3 12\nQUIT\n"), { 12 } },
		{ DATA("TOP 1 9\r\nTOP 1 5\r\nTOP 2 0\r\nTOP 2 1\r\n"),
		  { 9, 5, 0, 1 } },
		{ DATA("TOP 1 9\nTOP 2 5\nTOP 3 0\nTOP 4 1\n"), { 9, 5, 0, 1 } },
		{ DATA("\r\n\n\r\r\nNOOP TOP 1 9\r\nTOP 1 5\r\n"), { 5 } },
		{ DATA("TOP 1\r\nTOP 1 x\r\nTOP  1 9\r\nTOP 1 5 \r\nTOP\r\n"
		       "TOP 1 -9\r\nTOP 1 18446744073709551616\r\n"
		       "TOP 4294967297 9\r\nTOP 1 2\r\n"), { 2 } },
		{ DATA("TOP 1 2\rTOP 1 9\r\nTOP 1 3\r\r\nTOP 1 4\r\n"), { 4 } },
		/* the process takes a NUL for the end of the line */
		{ DATA("TOP 1 5\0\r\n"), { 5 } },
		{ DATA("TOP 1 5\0\n"), { 5 } },
		{ DATA("TOP 1 5\0 9\r\n"), { 5 } },
		{ DATA("TOP 1 5\0\0\0TOP 2 9\0\r\n"), { 5 } },
		{ DATA("TOP 1 9\0TOP 1 5\r\n"), { 9 } },
		{ DATA("TOP\0 1 9\r\nTOP 1\0 9\r\nTOP 1 \0" "9\r\nTOP 1 5\r\n"),
		  { 5 } },
		{ DATA("\0TOP 1 9\r\nTOP 1 5\r\n"), { 5 } },
		/* two readings: the larger one */
		{ DATA("TOP 1 5\0TOP 1 9\r\n"), { 9 } },
		{ DATA("TOP 1 5\0TOP 1 2\0TOP 1 9\0TOP 1 3\r\n"), { 9 } },
		/* a line that only looks like one */
		{ DATA("XTOP 1 9\nTOP 1 5\n"), { 5 } },
		{ DATA("TOPX 1 9\nTOP 1 5\n"), { 5 } },
	};
	/* two readings if the process has put a NUL between them */
	static const struct lines_test tests_forgotten[] = {
		{ DATA("TOP 1 9\nTOP 1 5\n"), { 9, 9 } },
		{ DATA("TOP 1 5\nTOP 1 9\n"), { 5, 9 } },
	};
	static const struct lines_test tests_remembered[] = {
		{ DATA("TOP 1 9\nTOP 1 5\n"), { 9, 5 } },
		{ DATA("TOP 1 5\nTOP 1 9\n"), { 5, 9 } },
		{ DATA("TOP 1 9\nSTAT\nTOP 1 5\nTOP 1 0\r\nTOP 1 7\n"),
		  { 9, 5, 0, 7 } },
	};
	unsigned int i, arrival, idx;

	test_begin("top command: lines");
	for (arrival = 0; arrival < ARRIVAL_COUNT; arrival++) {
		for (i = 0; i < N_ELEMENTS(tests); i++) {
			idx = i * 10 + arrival;
			assert_lines(&tests[i], arrival, FALSE, idx);
			assert_lines(&tests[i], arrival, TRUE, idx);
		}
		for (i = 0; i < N_ELEMENTS(tests_remembered); i++) {
			assert_lines(&tests_remembered[i], arrival, TRUE,
				     1000 + i * 10 + arrival);
		}
	}
	for (i = 0; i < N_ELEMENTS(tests_forgotten); i++) {
		assert_lines(&tests_forgotten[i], ARRIVE_AT_ONCE, FALSE,
			     2000 + i);
	}
	test_end();
}

static void test_lines_not_there(void)
{
	static const char *const tests[] = {
		"TOP\r\n", "TOP 1\r\n", "TOP 1 \r\n", "TOP 1 x\r\n",
		"TOP 2 5\r\n", "TOP 11 5\r\n", "TOP 1 5x\r\n", "TOP 1 5 5\r\n",
		"TOP 1 -1\r\n", "TOP 1 18446744073709551616\r\n",
		"TOP 4294967297 5\r\n", "RETR 1\r\n", "XTOP 1 5\r\n", "\r\n",
		"TOPS 1 5\r\n", "TO", "T\n",
	};
	struct istream *input;
	unsigned int i;

	test_begin("top command: no lines");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		input = i_stream_create_from_data(tests[i], strlen(tests[i]));
		(void)i_stream_next_line(input);
		test_assert_idx(top_command_lines(input, 0, 1) == UOFF_T_MAX, i);
		i_stream_unref(&input);
	}
	/* nothing was read yet */
	input = i_stream_create_from_data("TOP 1 5\r\n", 9);
	test_assert(top_command_lines(input, 0, 1) == UOFF_T_MAX);
	i_stream_unref(&input);
	test_end();
}

static void test_lines_full_buffer(void)
{
	char *data = i_malloc(INPUT_MAX);
	struct connection conn;
	unsigned int i;
	uoff_t lines;
	uint32_t msn;
	char *line;

	test_begin("top command: lines as long as the buffer");
	for (i = ARRIVE_AT_ONCE; i < ARRIVAL_COUNT; i++) {
		/* "TOP 1      ...      3" */
		memset(data, ' ', INPUT_MAX);
		memcpy(data, "TOP 1", 5);
		memcpy(data + INPUT_MAX - 3, "3\r\n", 3);
		connection_init(&conn, i, data, INPUT_MAX);
		line = connection_read_line(&conn);
		test_assert_idx(line != NULL && process_line(line, &msn, &lines) &&
				top_command_lines(conn.input, 0, 1) == 3, i);
		connection_deinit(&conn);

		/* as many NULs as there is room for, then one more command */
		memset(data, '\0', INPUT_MAX);
		memcpy(data, "TOP 1 4", 7);
		memcpy(data + INPUT_MAX - 12, "\nTOP 2 6\nX\r\n", 12);
		connection_init(&conn, i, data, INPUT_MAX);
		line = connection_read_line(&conn);
		test_assert_idx(line != NULL && process_line(line, &msn, &lines) &&
				top_command_lines(conn.input, 0, 1) == 4, i);
		line = connection_read_line(&conn);
		test_assert_idx(line != NULL && process_line(line, &msn, &lines) &&
				top_command_lines(conn.input, 0, 2) == 6, i);
		connection_deinit(&conn);
	}
	i_free(data);
	test_end();
}

static void test_lines_random(void)
{
	static const char *const words[] = {
		"TOP", "TOP 1 ", "top 2 ", "STAT", " ", " ", "0", "1", "23",
		"\r", "\n", "\n", "\r\n", "\r\n",
	};
	struct connection conn;
	unsigned int i, w;
	buffer_t *data = t_buffer_create(256);
	uoff_t lines, result, offset;
	uint32_t msn;
	bool odd;
	char *line;

	test_begin("top command: random lines");
	for (i = 0; i < 5000; i++) T_BEGIN {
		buffer_set_used_size(data, 0);
		odd = FALSE;
		for (w = i_rand_limit(30); w > 0; w--) {
			const char *word = words[i_rand_limit(N_ELEMENTS(words))];

			if (i % 2 == 0 && (w % 8) == 0) {
				buffer_append_c(data, '\0');
				odd = TRUE;
			}
			/* it and the space before may become NULs, with what
			   looks like a command between them */
			if (strcmp(word, "\n") == 0)
				odd = TRUE;
			buffer_append(data, word, strlen(word));
		}
		buffer_append(data, "\r\nTOP 3 4\r\n", 11);
		connection_init(&conn, i_rand_limit(ARRIVAL_COUNT), data->data,
				data->used);
		offset = 0;
		while ((line = connection_read_line(&conn)) != NULL) {
			if (!process_line(line, &msn, &lines))
				continue;
			/* never less than what is sent, forgotten or not */
			result = top_command_lines(conn.input, 0, msn);
			test_assert_idx(result >= lines &&
					result < UOFF_T_MAX, i);
			result = top_command_lines(conn.input, offset, msn);
			test_assert_idx(odd ? result >= lines :
					result == lines, i);
			offset = conn.input->v_offset;
		}
		connection_deinit(&conn);
	} T_END;
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_lines,
		test_lines_not_there,
		test_lines_full_buffer,
		test_lines_random,
		NULL
	};
	return test_run(test_functions);
}
