/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "istream.h"
#include "str.h"
#include "journal-line.h"
#include "printable.h"
#include "uidl.h"
#include "uidl-format-option.h"
#include "uidl-list-file.h"

struct list_reader {
	struct uidl_list_file *list;
	pool_t pool;
	/* NULL for lines of the journal */
	struct pop3_uidl_text_parser *parser;
	unsigned int number;
};

static void
add_line(struct list_reader *reader, uint32_t msgno,
	 const struct pop3_message *message)
{
	struct uidl_list_line *line = array_append_space(&reader->list->lines);

	line->number = reader->number;
	line->result = UIDL_LIST_UNKNOWN;
	line->msgno = msgno;
	array_push_back(&reader->list->messages, message);
}

static void add_invalid(struct list_reader *reader, const char *reason)
{
	static const struct pop3_message nothing = {
		.guid = "", .hash = "", .uidl = ""
	};
	struct uidl_list_line *line;

	add_line(reader, 0, &nothing);
	line = array_back_modifiable(&reader->list->lines);
	line->result = UIDL_LIST_INVALID;
	/* it may quote the line */
	line->reason = p_strdup(reader->pool, pop3_printable(reason));
}

static void
read_journal_line(struct list_reader *reader, const char *text, size_t len)
{
	struct policy_journal_header header;
	struct pop3_message message;
	const char *error;

	if (len == 0)
		return;
	/* a whole journal will do as well */
	if (reader->number == 1 &&
	    policy_journal_header_parse(text, len, &header, &error) ==
	    POLICY_JOURNAL_HEADER_OK)
		return;
	if (policy_journal_line_parse(text, len, reader->pool, &message,
				      &error) < 0) {
		add_invalid(reader, error);
		return;
	}
	/* it is one of another mailbox */
	message.uid = 0;
	add_line(reader, 0, &message);
}

static void read_text_line(struct list_reader *reader, const char *text)
{
	struct pop3_message message = { .guid = "", .hash = "" };
	struct pop3_uidl_entry entry;
	const char *error;
	int ret;

	ret = pop3_uidl_text_parse_line(reader->parser, text, &entry, &error);
	if (ret < 0) {
		add_invalid(reader, error);
	} else if (ret > 0) {
		message.uidl = p_strdup(reader->pool, entry.uidl);
		if (entry.filename != NULL) {
			message.guid = p_strdup(reader->pool,
				pop3_guid_normalize(entry.filename));
		}
		add_line(reader, entry.msgno, &message);
	}
}

static void read_line(struct list_reader *reader, const string_t *line)
{
	const char *text;
	size_t len = str_len(line);

	reader->number++;
	if (len > UIDL_LIST_MAX_LINE_LEN) {
		add_invalid(reader, t_strdup_printf(
			"line is too long, expected at most %u octets",
			UIDL_LIST_MAX_LINE_LEN));
		return;
	}
	if (memchr(str_data(line), '\0', len) != NULL) {
		add_invalid(reader, "line has a NUL, expected text");
		return;
	}
	if (len > 0 && str_data(line)[len - 1] == '\r')
		len--;
	text = t_strndup(str_data(line), len);
	if (reader->parser == NULL)
		read_journal_line(reader, text, len);
	else
		read_text_line(reader, text);
}

/* Of a line that is too long no more is kept than tells this. */
static void append_part(string_t *line, const unsigned char *data, size_t size)
{
	size_t space = UIDL_LIST_MAX_LINE_LEN + 1 - str_len(line);

	str_append_data(line, data, I_MIN(size, space));
}

static int
read_lines(struct list_reader *reader, struct istream *input,
	   const char **error_r)
{
	string_t *line = t_str_new(UIDL_LIST_MAX_LINE_LEN + 1);
	const unsigned char *data, *end;
	size_t size;

	while (i_stream_read_more(input, &data, &size) > 0) {
		end = memchr(data, '\n', size);
		append_part(line, data, end == NULL ? size :
			    (size_t)(end - data));
		i_stream_skip(input, end == NULL ? size :
			      (size_t)(end - data) + 1);
		if (end == NULL)
			continue;
		T_BEGIN {
			read_line(reader, line);
		} T_END;
		str_truncate(line, 0);
		if (reader->number == UIDL_LIST_MAX_LINES) {
			*error_r = t_strdup_printf("list is too long, expected "
				"less than %u lines", UIDL_LIST_MAX_LINES);
			return -1;
		}
	}
	/* the last one may have no line end */
	if (str_len(line) > 0)
		read_line(reader, line);
	return 0;
}

int uidl_list_file_read(struct uidl_list_file *list_r, struct istream *input,
			const struct uidl_format_option *option, pool_t pool,
			const char **error_r)
{
	struct list_reader reader = { .list = list_r, .pool = pool };
	int ret;

	p_array_init(&list_r->lines, pool, 128);
	p_array_init(&list_r->messages, pool, 128);
	if (!option->jsonl)
		reader.parser = pop3_uidl_text_parser_init(option->format);
	ret = read_lines(&reader, input, error_r);
	if (reader.parser != NULL)
		pop3_uidl_text_parser_deinit(&reader.parser);
	if (ret == 0 && (input->stream_errno != 0 || !input->eof)) {
		*error_r = t_strdup_printf("list cannot be read: %s",
					   i_stream_get_error(input));
		ret = -1;
	}
	return ret;
}
