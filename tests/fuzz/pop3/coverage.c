/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What clang asks of a module that counts how often it was where
   (-fsanitize-coverage=inline-8bit-counters): when the module is unloaded, the
   counters go to the file that FUZZ_COVERAGE names. */

void __sanitizer_cov_8bit_counters_init(const uint8_t *start,
					const uint8_t *stop);

static const uint8_t *begin, *end;
static char *path;

void __sanitizer_cov_8bit_counters_init(const uint8_t *start,
					const uint8_t *stop)
{
	const char *value = getenv("FUZZ_COVERAGE");

	begin = start;
	end = stop;
	/* the title of the process is written over the environment */
	if (path == NULL && value != NULL)
		path = strdup(value);
}

static void __attribute__((destructor)) coverage_write(void)
{
	int fd = path == NULL ? -1 :
		open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd == -1)
		return;
	if (write(fd, begin, (size_t)(end - begin)) < 0)
		abort();
	(void)close(fd);
}
