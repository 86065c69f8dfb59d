#ifndef POP3_POLICY_TEST_DICT_LOCK_USE_H
#define POP3_POLICY_TEST_DICT_LOCK_USE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "dict-lock.h"

/* What tests of dict-lock need: the locks of two hosts, on the dict of
   test-kv.h. Each of these functions acts as the host that the lock is of. */

/* Of the other lock that this host holds. */
#define PLACE "1:2"

extern struct event *event;
extern struct dict_lock here, there;

void begin(const char *name);
void end(void);

/* As dict_lock_take(); *error_r is NULL if there is none. */
enum dict_lock_result take_lock(struct dict_lock *lock, const char *place,
				const char **error_r);
void release(struct dict_lock *lock);
/* Write nothing but what gives the lock back. */
void write_with(struct dict_lock *lock);

/* What an owner of version 0 says; in the data stack. */
const char *owner_at(unsigned int turn, time_t when, const char *host);

#endif
