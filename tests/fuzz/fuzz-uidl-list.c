/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "istream.h"
#include "str.h"
#include "test-common.h"
#include "uidl.h"
#include "uidl-format-option.h"
#include "uidl-list-file.h"
#include "fuzz.h"

/* A list of UIDLs for doveadm: the first word is its format. What is read of it
   is valid, and read again when it is printed. */

const char *const fuzz_corpus = "uidl-list";

static int
read_list(struct istream *input, const struct uidl_format_option *option,
	  pool_t pool, struct uidl_list_file *list_r)
{
	const char *error = NULL;
	int ret;

	ret = uidl_list_file_read(list_r, input, option, pool, &error);
	i_assert((ret < 0) == (error != NULL));
	return ret;
}

static void
check_line(const struct uidl_list_line *line,
	   const struct pop3_message *message)
{
	const char *error, *p;

	if (line->result == UIDL_LIST_INVALID) {
		fuzz_check_error(line->reason);
		i_assert(line->msgno == 0 && *message->uidl == '\0');
		return;
	}
	i_assert(line->result == UIDL_LIST_UNKNOWN);
	i_assert(message->uid == 0);
	i_assert(pop3_uidl_is_valid(message->uidl, &error));
	i_assert(strlen(message->guid) <= POP3_GUID_MAX_LEN);
	for (p = message->guid; *p != '\0'; p++)
		i_assert(*p > ' ' && *p <= '~');
}

static void check_list(const struct uidl_list_file *list)
{
	const struct uidl_list_line *lines;
	unsigned int i, count, number = 0;

	lines = array_get(&list->lines, &count);
	i_assert(array_count(&list->messages) == count);
	for (i = 0; i < count; i++) {
		i_assert(lines[i].number > number);
		number = lines[i].number;
		check_line(&lines[i], array_idx(&list->messages, i));
	}
}

static void
assert_same_list(const struct uidl_list_file *a, const struct uidl_list_file *b)
{
	unsigned int i, count = array_count(&a->lines);

	i_assert(array_count(&b->lines) == count);
	for (i = 0; i < count; i++) {
		const struct uidl_list_line *line = array_idx(&a->lines, i);
		const struct uidl_list_line *other = array_idx(&b->lines, i);
		const struct pop3_message *message =
			array_idx(&a->messages, i);
		const struct pop3_message *other_message =
			array_idx(&b->messages, i);

		i_assert(line->number == other->number &&
			 line->result == other->result &&
			 line->msgno == other->msgno);
		i_assert(null_strcmp(line->reason, other->reason) == 0);
		i_assert(strcmp(message->uidl, other_message->uidl) == 0);
		i_assert(strcmp(message->guid, other_message->guid) == 0);
	}
}

/* However it comes, whole or in pieces. */
static void
check_file(const uint8_t *data, size_t size,
	   const struct uidl_format_option *option)
{
	pool_t pool = pool_alloconly_create("fuzz", 4096);
	struct uidl_list_file list, other;
	struct istream *input = i_stream_create_from_data(data, size);
	struct istream *pieces = test_istream_create_data(data, size);

	test_istream_set_max_buffer_size(pieces, 7);
	i_assert(read_list(input, option, pool, &list) == 0);
	check_list(&list);
	i_assert(read_list(pieces, option, pool, &other) == 0);
	assert_same_list(&list, &other);
	i_stream_unref(&pieces);
	i_stream_unref(&input);
	pool_unref(&pool);
}

/* What is printed of this entry says the same when it is read. */
static void
check_printed(enum pop3_uidl_text_format format,
	      const struct pop3_uidl_entry *entry)
{
	const struct pop3_uidl_text_mailbox mailbox = {
		.uidvalidity = 1, .uidnext = 9
	};
	const struct pop3_uidl_text_message message = {
		.msgno = entry->msgno, .uid = 7, .size = 100,
		.filename = entry->filename, .uidl = entry->uidl
	};
	struct pop3_uidl_text_parser *parser;
	struct pop3_uidl_entry again;
	string_t *text = t_str_new(256);
	const char *const *lines, *error;
	int ret = 0;

	pop3_uidl_text_print_begin(text, format, &mailbox);
	if (pop3_uidl_text_print(text, format, &message, &error) < 0)
		return;
	parser = pop3_uidl_text_parser_init(format);
	lines = t_strsplit(str_c(text), "\n");
	for (; lines[1] != NULL; lines++) {
		ret = pop3_uidl_text_parse_line(parser, *lines, &again,
						&error);
	}
	i_assert(**lines == '\0');
	i_assert(ret > 0);
	i_assert(strcmp(again.uidl, entry->uidl) == 0);
	i_assert(again.msgno == 0 ?
		 strcmp(again.filename, entry->filename) == 0 :
		 again.msgno == entry->msgno);
	pop3_uidl_text_parser_deinit(&parser);
}

static void
check_entry(enum pop3_uidl_text_format parsed,
	    const struct pop3_uidl_entry *entry)
{
	enum pop3_uidl_text_format format;
	const char *error;

	i_assert((parsed == POP3_UIDL_TEXT_MSGNO) == (entry->msgno != 0));
	i_assert((entry->msgno == 0) == (entry->filename != NULL));
	i_assert(pop3_uidl_is_valid(entry->uidl, &error));
	for (format = 0; format < POP3_UIDL_TEXT_FORMAT_COUNT; format++)
		check_printed(format, entry);
}

static void
check_lines(const char *text, enum pop3_uidl_text_format format)
{
	struct pop3_uidl_text_parser *parser =
		pop3_uidl_text_parser_init(format);
	const char *const *lines = t_strsplit(text, "\n");

	for (; *lines != NULL; lines++) T_BEGIN {
		struct pop3_uidl_entry entry;
		const char *error = NULL;
		int ret;

		ret = pop3_uidl_text_parse_line(parser, *lines, &entry,
						&error);
		i_assert((ret < 0) == (error != NULL));
		if (ret < 0)
			fuzz_check_error(error);
		else if (ret > 0)
			check_entry(format, &entry);
	} T_END;
	pop3_uidl_text_parser_deinit(&parser);
}

static void check_input(const uint8_t *data, size_t size)
{
	struct uidl_format_option option = { .jsonl = FALSE };
	const uint8_t *end = memchr(data, '\n', size);
	const char *word;

	if (end == NULL)
		return;
	word = t_strdup_until(data, end);
	size -= end + 1 - data;
	data = end + 1;
	option.jsonl = strcmp(word, "jsonl") == 0;
	if (!option.jsonl &&
	    pop3_uidl_text_format_parse(word, &option.format) < 0)
		return;
	check_file(data, size, &option);
	if (!option.jsonl)
		check_lines(fuzz_text(data, size), option.format);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_init();
	T_BEGIN {
		check_input(data, size);
	} T_END;
	return 0;
}
