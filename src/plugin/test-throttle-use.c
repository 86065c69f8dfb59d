/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-throttle-use.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

uint64_t fake_nsecs;
unsigned int clock_calls;

struct client client;
struct ostream *base;
struct throttle_ostream *throttle;

int clock_gettime(clockid_t id, struct timespec *ts)
{
	if (id == CLOCK_MONOTONIC)
		clock_calls++;
	if (id != CLOCK_MONOTONIC || fake_nsecs == 0)
		return syscall(SYS_clock_gettime, id, ts);
	ts->tv_sec = fake_nsecs / SEC;
	ts->tv_nsec = fake_nsecs % SEC;
	return 0;
}
