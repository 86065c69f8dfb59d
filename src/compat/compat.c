/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "compat.h"

#if DOVECOT_PREREQ(2, 4, 0)
#  include "str-parse.h"
#  define compat_get_size str_parse_get_size
#  define compat_get_time str_parse_get_interval
#else
#  include "settings-parser.h"
#  define compat_get_size settings_get_size
#  define compat_get_time settings_get_time
#endif

int compat_str_parse_size(const char *text, uint64_t *size_r)
{
	const char *error;
	uoff_t size;

	if (compat_get_size(text, &size, &error) < 0)
		return -1;
	*size_r = size;
	return 0;
}

int compat_str_parse_time(const char *text, unsigned int *seconds_r)
{
	const char *error;

	return compat_get_time(text, seconds_r, &error);
}
