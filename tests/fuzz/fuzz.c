/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
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
