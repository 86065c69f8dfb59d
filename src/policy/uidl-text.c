/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "uidl-text-private.h"

/* NAME_MAX of every file system that matters */
#define FILENAME_MAX_LEN 255
#define QUOTE_MAX_LEN 80

const char *pop3_uidl_text_quote(const char *text)
{
	string_t *str = t_str_new(QUOTE_MAX_LEN + 8);
	unsigned int i;

	str_append_c(str, '"');
	for (i = 0; i < QUOTE_MAX_LEN && text[i] != '\0'; i++) {
		str_append_c(str, text[i] >= 0x20 && text[i] <= 0x7e ?
			     text[i] : '?');
	}
	if (text[i] != '\0')
		str_append(str, "...");
	str_append_c(str, '"');
	return str_c(str);
}

bool pop3_uidl_text_filename_is_valid(const char *filename,
				      const char **error_r)
{
	const char *p;

	for (p = filename; *p != '\0'; p++) {
		if (*p == '/' || *p == ':' || *p == 0x7f ||
		    (unsigned char)*p < 0x20)
			break;
	}
	if (*p == '\0' && *filename != '\0' && *filename != '.' &&
	    p - filename <= FILENAME_MAX_LEN)
		return TRUE;
	*error_r = t_strdup_printf("bad file name %s, expected that of a "
		"maildir file: 1 to %u octets, without slash, colon and "
		"control characters, not beginning with a dot",
		pop3_uidl_text_quote(filename), FILENAME_MAX_LEN);
	return FALSE;
}

const char *pop3_uidl_text_courier(const char *filename, uint64_t n,
				   uint64_t v)
{
	string_t *str;

	if (n != 0 && v != 0)
		return t_strdup_printf("UID%"PRIu64"-%"PRIu64, n, v);
	if (n != 0)
		return t_strdup_printf("UID%"PRIu64, n);

	str = t_str_new(128);
	for (; *filename != '\0'; filename++) {
		if (*filename < 0x21 || *filename > 0x7e ||
		    strchr("'\"+", *filename) != NULL)
			str_printfa(str, "+%02X", (unsigned char)*filename);
		else
			str_append_c(str, *filename);
	}
	return str_c(str);
}

int pop3_uidl_text_format_parse(const char *name,
				enum pop3_uidl_text_format *format_r)
{
	static const char *const names[POP3_UIDL_TEXT_FORMAT_COUNT] = {
		[POP3_UIDL_TEXT_MSGNO] = "msgno",
		[POP3_UIDL_TEXT_COURIER] = "courier",
		[POP3_UIDL_TEXT_UIDLIST] = "uidlist",
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(names); i++) {
		if (strcmp(names[i], name) == 0) {
			*format_r = i;
			return 0;
		}
	}
	return -1;
}
