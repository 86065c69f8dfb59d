/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "istream-private.h"
#include "strnum.h"
#include "top-command.h"

/* The pop3 process ends command and line with a NUL, in this very buffer or in a
   copy of it. */
static const unsigned char *
skip_until_word(const unsigned char *p, const unsigned char *end)
{
	while (p < end && *p != ' ' && *p != '\0')
		p++;
	while (p < end && (*p == ' ' || *p == '\0'))
		p++;
	return p;
}

uoff_t top_command_lines(struct istream *input, uoff_t line_offset)
{
	const struct istream_private *stream = input->real_stream;
	const unsigned char *line, *end = stream->buffer + stream->skip;
	uoff_t lines, size = input->v_offset - line_offset;
	const char *rest;

	if (size > stream->skip)
		return UOFF_T_MAX;
	line = skip_until_word(end - size, end);
	line = skip_until_word(line, end);
	if (str_parse_uoff(t_strdup_until(line, end), &lines, &rest) < 0)
		return UOFF_T_MAX;
	return lines;
}

bool top_command_sends_whole(struct istream *message, uoff_t lines)
{
	const unsigned char *data;
	bool in_body = FALSE, line_start = TRUE, more = FALSE;
	size_t size, i;

	while (!more && i_stream_read_more(message, &data, &size) > 0) {
		for (i = 0; i < size && !more; i++) {
			/* the empty line before the body is not counted, so one
			   more line end than lines is sent */
			if (!in_body && line_start &&
			    (data[i] == '\r' || data[i] == '\n')) {
				in_body = TRUE;
				if (lines < UOFF_T_MAX)
					lines++;
			}
			line_start = data[i] == '\n';
			if (in_body && lines == 0)
				more = TRUE;
			else if (in_body && line_start)
				lines--;
		}
		i_stream_skip(message, size);
	}
	i_stream_seek(message, 0);
	return !more;
}
