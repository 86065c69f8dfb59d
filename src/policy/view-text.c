/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "view-text.h"

const char *pop3_view_query(const char *text)
{
	const char *word = t_str_trim(text, " \t");

	return *word == '\0' || strcasecmp(word, "ALL") == 0 ? NULL : text;
}
