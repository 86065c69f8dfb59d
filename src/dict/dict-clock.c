/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "dict-clock.h"

#include <time.h>
#include <unistd.h>

uint64_t dict_clock_msecs(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) < 0)
		i_fatal("clock_gettime() failed: %m");
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void dict_clock_sleep(unsigned int msecs)
{
	(void)usleep(msecs * 1000);
}
