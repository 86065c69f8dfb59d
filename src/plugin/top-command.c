/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "istream-private.h"
#include "strnum.h"
#include "top-command.h"

#define TOP_COMMAND "TOP"

/* status line, missing end of the last line, final dot */
#define REPLY_OVERHEAD 64

/* Read the line as the pop3 process does, up to the first NUL of its
   arguments. */
static bool
line_parse(const unsigned char *line, const unsigned char *end,
	   uint32_t pop3_msn, uoff_t *lines_r)
{
	const size_t name_len = strlen(TOP_COMMAND);
	const char *args;
	uint32_t number;

	/* the process has put a NUL in place of the space behind the name, in
	   this buffer or in a copy of it */
	if ((size_t)(end - line) <= name_len ||
	    strncasecmp((const char *)line, TOP_COMMAND, name_len) != 0 ||
	    (line[name_len] != '\0' && line[name_len] != ' '))
		return FALSE;
	args = t_strdup_until(line + name_len + 1, end);
	while (*args == ' ') args++;
	if (str_parse_uint32(args, &number, &args) < 0 || number != pop3_msn ||
	    *args != ' ')
		return FALSE;
	while (*args == ' ') args++;
	return str_parse_uint64(args, lines_r, &args) == 0 && *args == '\0';
}

/* Without what ends the line: CRLF or LF, the first octet of which may have
   become a NUL. */
static const unsigned char *
line_end(const unsigned char *begin, const unsigned char *end)
{
	if (end > begin && end[-1] == '\n') {
		end--;
		if (end > begin && (end[-1] == '\r' || end[-1] == '\0'))
			end--;
	} else if (end > begin && end[-1] == '\0') {
		end--;
	}
	return end;
}

uoff_t top_command_lines(struct istream *input, uoff_t earlier_offset,
			 uint32_t pop3_msn)
{
	const struct istream_private *stream = input->real_stream;
	size_t i, size = I_MIN(input->v_offset - earlier_offset, stream->skip);
	const unsigned char *buffer = stream->buffer + stream->skip - size;
	const unsigned char *end = line_end(buffer, buffer + size);
	uoff_t lines, max_lines = 0;
	bool found = FALSE;

	/* A line may begin with the buffer, behind a LF, or behind a NUL that
	   was a LF. That the last kind could also be one that the client has
	   sent must not let it have more than it is taken to ask for. */
	for (i = end - buffer; i > 0 && buffer[i - 1] != '\n'; i--) {
		if (buffer[i - 1] == '\0' &&
		    line_parse(buffer + i, end, pop3_msn, &lines)) {
			found = TRUE;
			max_lines = I_MAX(max_lines, lines);
		}
	}
	if (line_parse(buffer + i, end, pop3_msn, &lines)) {
		found = TRUE;
		max_lines = I_MAX(max_lines, lines);
	}
	return found ? max_lines : UOFF_T_MAX;
}

struct top_scan {
	/* line ends that are still to be sent, with that of the empty line
	   before the body */
	uoff_t lines_left;
	uoff_t size;
	bool line_start, last_was_cr, in_body, more;
};

static void top_scan_octet(struct top_scan *scan, unsigned char c)
{
	if (!scan->in_body && scan->line_start && (c == '\r' || c == '\n'))
		scan->in_body = TRUE;
	if (scan->in_body && scan->lines_left == 0) {
		scan->more = TRUE;
		return;
	}
	scan->size++;
	if (c == '\n') {
		if (scan->in_body)
			scan->lines_left--;
		if (!scan->last_was_cr) {
			/* CR is added */
			scan->size++;
		}
	} else if (c == '.' && scan->line_start) {
		/* another dot is added */
		scan->size++;
	}
	scan->line_start = c == '\n';
	scan->last_was_cr = c == '\r';
}

int top_command_measure(struct istream *message, uoff_t lines,
			struct top_reply_size *size_r)
{
	struct top_scan scan;
	const unsigned char *data;
	size_t size, i;

	i_zero(&scan);
	scan.line_start = TRUE;
	scan.lines_left = lines < UOFF_T_MAX ? lines + 1 : lines;
	while (!scan.more && i_stream_read_more(message, &data, &size) > 0) {
		for (i = 0; i < size && !scan.more; i++)
			top_scan_octet(&scan, data[i]);
		i_stream_skip(message, size);
	}
	if (message->stream_errno != 0)
		return -1;
	i_stream_seek(message, 0);
	size_r->max_size = scan.size + REPLY_OVERHEAD;
	size_r->is_whole = !scan.more;
	return 0;
}
