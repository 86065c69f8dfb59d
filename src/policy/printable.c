/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "unichar.h"
#include "printable.h"

/* Returns how many octets the character has, or 0 if it must not be printed. */
static int printable_len(const char *text)
{
	unichar_t chr;
	int len = uni_utf8_get_char(text, &chr);

	return len <= 0 || chr < 0x20 || (chr >= 0x7f && chr < 0xa0) ? 0 : len;
}

const char *pop3_printable(const char *text)
{
	const char *p = text;
	string_t *str;
	int len;

	while (*p != '\0' && (len = printable_len(p)) > 0)
		p += len;
	if (*p == '\0')
		return text;
	str = t_str_new(256);
	for (p = text; *p != '\0'; p += len) {
		len = printable_len(p);
		if (len > 0) {
			str_append_data(str, p, len);
		} else {
			str_append_c(str, '?');
			len = 1;
		}
	}
	return str_c(str);
}
