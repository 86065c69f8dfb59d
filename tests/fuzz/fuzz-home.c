/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "write-full.h"
#include "test-home.h"
#include "fuzz-home.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool made;

static void end(void)
{
	if (made)
		test_home_end();
	made = FALSE;
}

static void init(void)
{
	test_home_begin();
	/* libFuzzer does not end the library, and after its end all is too
	   late */
	lib_atexit(end);
	if (atexit(end) != 0)
		i_fatal("atexit() failed");
	if (mkdir(fuzz_home_dir(), 0700) < 0)
		i_fatal("mkdir() failed: %m");
}

static void
ignore(const struct failure_context *ctx ATTR_UNUSED,
       const char *format ATTR_UNUSED, va_list args ATTR_UNUSED)
{
}

void fuzz_home_init(void)
{
	if (!made)
		init();
	made = TRUE;
}

const char *fuzz_home_dir(void)
{
	return test_home_path("pop3-policy");
}

void fuzz_home_write(const char *name, const void *data, size_t size)
{
	const char *path = t_strconcat(fuzz_home_dir(), "/", name, NULL);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd == -1 || write_full(fd, data, size) < 0)
		i_fatal("open() or write(%s) failed: %m", path);
	i_close_fd(&fd);
}

void fuzz_ignore_errors(void)
{
	i_set_error_handler(ignore);
}
