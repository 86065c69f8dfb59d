#ifndef POP3_POLICY_TEST_THROTTLE_USE_H
#define POP3_POLICY_TEST_THROTTLE_USE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "pop3-symbols.h"
#include "throttle-ostream.h"

/* What tests of throttle-ostream need: a client, and a clock of its stream. */

#define K 1024ULL
#define SEC 1000000000ULL
#define MSEC (SEC / 1000)
#define FULL POP3_OUTBUF_THROTTLE_SIZE

/* The clock of the stream, in nanoseconds; 0 is the true one. */
extern uint64_t fake_nsecs;
extern unsigned int clock_calls;

/* What it writes to, and what that is laid over. */
extern struct client client;
extern struct ostream *base;
extern struct throttle_ostream *throttle;

#endif
