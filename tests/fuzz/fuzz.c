/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "unichar.h"
#include "fuzz.h"

void fuzz_init(void)
{
	if (!lib_is_initialized())
		lib_init();
}

const char *fuzz_text(const uint8_t *data, size_t size)
{
	return t_strndup(data, size);
}

void fuzz_check_error(const char *error)
{
	unichar_t chr;
	int len;

	i_assert(error != NULL && *error != '\0');
	for (; *error != '\0'; error += len) {
		len = uni_utf8_get_char(error, &chr);
		i_assert(len > 0);
		i_assert(chr >= 0x20 && (chr < 0x7f || chr >= 0xa0));
	}
}
