/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "uidl.h"
#include "uidl-text-private.h"

#define COURIER_MAX_VERSION 3

struct pop3_uidl_text_parser {
	enum pop3_uidl_text_format format;
	/* a line that is not empty was seen */
	bool begun;
	/* its first line says nothing of use, so that the lines after it would
	   be taken for something else */
	bool broken;
	/* the "." after a list of numbers was seen */
	bool ended;
	/* of a list of Courier's */
	unsigned int version;
};

struct pop3_uidl_text_parser *
pop3_uidl_text_parser_init(enum pop3_uidl_text_format format)
{
	struct pop3_uidl_text_parser *parser;

	parser = i_new(struct pop3_uidl_text_parser, 1);
	parser->format = format;
	return parser;
}

void pop3_uidl_text_parser_deinit(struct pop3_uidl_text_parser **parser)
{
	i_free(*parser);
}

static int
error_expected(const char **error_r, const char *what, const char *text,
	       const char *expected)
{
	*error_r = t_strdup_printf("bad %s %s, expected %s", what,
				   pop3_uidl_text_quote(text), expected);
	return -1;
}

/* The name may have flags behind it. */
static int
entry_init(const char *name, struct pop3_uidl_entry *entry_r,
	   const char **error_r)
{
	i_zero(entry_r);
	entry_r->filename = t_strcut(name, ':');
	return pop3_uidl_text_filename_is_valid(entry_r->filename, error_r) ?
		0 : -1;
}

static int
msgno_parse(struct pop3_uidl_text_parser *parser, bool first, const char *line,
	    struct pop3_uidl_entry *entry, const char **error_r)
{
	const char *p;

	if (*line == '\0' || (first && strncmp(line, "+OK", 3) == 0))
		return 0;
	if (parser->ended) {
		return error_expected(error_r, "line after the last dot", line,
				      "no more lines");
	}
	if (strcmp(line, ".") == 0) {
		parser->ended = TRUE;
		return 0;
	}
	i_zero(entry);
	if (str_parse_uint32(line, &entry->msgno, &p) < 0 ||
	    entry->msgno == 0 || *p != ' ') {
		return error_expected(error_r, "line", line,
			"a message number (1 to 4294967295), a space and a "
			"UIDL");
	}
	entry->uidl = t_strdup(p + 1);
	return 1;
}

/* "/3 NEXT V": V may be missing. */
static int
courier_begin(struct pop3_uidl_text_parser *parser, const char *line,
	      const char **error_r)
{
	const char *const *numbers = t_strsplit(line + 1, " ");
	unsigned int i, count = str_array_length(numbers);
	uint64_t n;
	bool valid = count == 2 || count == 3;

	for (i = 0; i < count && valid; i++)
		valid = str_to_uint64(numbers[i], &n) == 0;
	if (!valid || str_to_uint(numbers[0], &parser->version) < 0 ||
	    parser->version == 0 || parser->version > COURIER_MAX_VERSION) {
		parser->broken = TRUE;
		return error_expected(error_r, "first line", line,
			"\"/1 NUMBER NUMBER\", or version 2 or 3");
	}
	return 0;
}

/* N, N:V or N:V:UTF8, as the version has it; like Courier, take versions 2 and
   3 for the same. V stays as it is where it is missing. */
static int
courier_numbers_parse(unsigned int version, const char *text, uint64_t *n_r,
		      uint64_t *v_r, const char **error_r)
{
	const char *const *numbers = t_strsplit(text, ":");
	unsigned int count = str_array_length(numbers);
	unsigned int utf8;

	if (version == 1) {
		if (str_to_uint64(text, n_r) < 0) {
			return error_expected(error_r, "UIDL", text,
					      "a number");
		}
		return 0;
	}
	if (count < 2 || count > 3 ||
	    str_to_uint64(numbers[0], n_r) < 0 ||
	    str_to_uint64(numbers[1], v_r) < 0 ||
	    (count == 3 && str_to_uint(numbers[2], &utf8) < 0)) {
		return error_expected(error_r, "UIDL", text,
			"NUMBER:NUMBER or NUMBER:NUMBER:NUMBER");
	}
	return 0;
}

/* Cut the last word off. Returns it, or NULL if there is no space before it. */
static const char *last_word_cut(char *line)
{
	char *space = strrchr(line, ' ');

	if (space == NULL)
		return NULL;
	*space = '\0';
	return space + 1;
}

static int
courier_parse(struct pop3_uidl_text_parser *parser, bool first,
	      const char *line, struct pop3_uidl_entry *entry,
	      const char **error_r)
{
	char *name = t_strdup_noconst(line);
	const char *size_text, *numbers = "";
	uint64_t size, n = 0, v = 0;

	if (first && *line == '/')
		return courier_begin(parser, line, error_r);
	if (parser->version > 0)
		numbers = last_word_cut(name);
	size_text = numbers == NULL ? NULL : last_word_cut(name);
	if (size_text == NULL) {
		return error_expected(error_r, "line", line,
			parser->version > 0 ? "FILENAME SIZE UIDL" :
			"FILENAME SIZE, or a first line \"/3 NUMBER NUMBER\"");
	}
	if (str_to_uint64(size_text, &size) < 0)
		return error_expected(error_r, "size", size_text, "a number");
	if (parser->version > 0 &&
	    courier_numbers_parse(parser->version, numbers, &n, &v,
				  error_r) < 0)
		return -1;
	if (entry_init(name, entry, error_r) < 0)
		return -1;
	entry->uidl = pop3_uidl_text_courier(entry->filename, n, v);
	return 1;
}

static int
uidlist_begin(struct pop3_uidl_text_parser *parser, const char *line,
	      const char **error_r)
{
	const char *const *fields;
	uint32_t uidvalidity = 0, uidnext = 0;
	bool valid = strncmp(line, "3 ", 2) == 0;

	fields = t_strsplit_spaces(valid ? line + 2 : "", " ");
	for (; *fields != NULL && valid; fields++) {
		if (**fields == 'V')
			valid = str_to_uint32(*fields + 1, &uidvalidity) == 0;
		else if (**fields == 'N')
			valid = str_to_uint32(*fields + 1, &uidnext) == 0;
	}
	if (!valid || uidvalidity == 0 || uidnext == 0) {
		parser->broken = TRUE;
		return error_expected(error_r, "first line", line,
			"\"3 V<uidvalidity> N<uidnext> G<guid>\" "
			"(older versions have no UIDLs)");
	}
	return 0;
}

static int
uidlist_parse(struct pop3_uidl_text_parser *parser, bool first,
	      const char *line, struct pop3_uidl_entry *entry,
	      const char **error_r)
{
	const char *p, *uidl = NULL;
	uint32_t uid;

	if (first)
		return uidlist_begin(parser, line, error_r);
	if (str_parse_uint32(line, &uid, &p) < 0 || uid == 0 ||
	    uid == UINT32_MAX || *p != ' ') {
		return error_expected(error_r, "line", line,
			"a UID (1 to 4294967294), fields and :FILENAME");
	}
	while (*p == ' ')
		p++;
	while (*p != ':' && *p != '\0') {
		size_t len = strcspn(p, " ");

		if (*p == 'P' && uidl == NULL)
			uidl = t_strndup(p + 1, len - 1);
		p += len;
		while (*p == ' ')
			p++;
	}
	if (*p == '\0') {
		return error_expected(error_r, "line", line,
				      ":FILENAME at its end");
	}
	if (entry_init(p + 1, entry, error_r) < 0)
		return -1;
	if (uidl == NULL)
		return 0;
	entry->uidl = *uidl == '\0' ? entry->filename : uidl;
	return 1;
}

static int
line_parse(struct pop3_uidl_text_parser *parser, bool first, const char *line,
	   struct pop3_uidl_entry *entry_r, const char **error_r)
{
	switch (parser->format) {
	case POP3_UIDL_TEXT_MSGNO:
		return msgno_parse(parser, first, line, entry_r, error_r);
	case POP3_UIDL_TEXT_COURIER:
		return courier_parse(parser, first, line, entry_r, error_r);
	case POP3_UIDL_TEXT_UIDLIST:
		return uidlist_parse(parser, first, line, entry_r, error_r);
	case POP3_UIDL_TEXT_FORMAT_COUNT:
		break;
	}
	i_unreached();
}

int pop3_uidl_text_parse_line(struct pop3_uidl_text_parser *parser,
			      const char *line, struct pop3_uidl_entry *entry_r,
			      const char **error_r)
{
	struct pop3_uidl_entry entry;
	bool first = !parser->begun;
	int ret;

	if (parser->broken) {
		*error_r = "the first line was bad, expected no more lines "
			"after it";
		return -1;
	}
	if (*line != '\0' || parser->format != POP3_UIDL_TEXT_MSGNO)
		parser->begun = TRUE;
	ret = line_parse(parser, first, line, &entry, error_r);
	if (ret > 0 && !pop3_uidl_is_valid(entry.uidl, error_r))
		return -1;
	if (ret > 0)
		*entry_r = entry;
	return ret;
}
