#ifndef POP3_POLICY_TEST_KV_H
#define POP3_POLICY_TEST_KV_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "dict-kv.h"

/* A dict in memory in the place of dict-kv.c, and a clock that only sleeping
   moves in the place of dict-clock.c: what other hosts do between two steps is
   what the test does. */

enum test_kv_op {
	TEST_KV_GET,
	TEST_KV_COMMIT
};

/* As SQL: what is not there is not added to. */
extern bool test_kv_is_sql;
/* Called before each operation, with the key of what is read. */
extern void (*test_kv_hook)(enum test_kv_op op, const char *key);
/* Called for each sleep. */
extern void (*test_kv_sleep_hook)(void);
/* From this operation on, counted from 0, all fail; UINT_MAX is never. */
extern unsigned int test_kv_fail_at;
/* With the one above: that one is done, but it is not told. */
extern bool test_kv_fail_after;
extern bool test_kv_read_only;
extern unsigned int test_kv_ops;
extern uint64_t test_kv_msecs;

void test_kv_begin(void);
void test_kv_end(void);
struct dict_kv *test_kv(void);
/* What cannot be given back is logged, which some tests do not count. */
void test_kv_ignore_errors(bool ignore);

/* name is what follows "priv/pop3_policy/". */
const char *test_kv_value(const char *name);
void test_kv_put(const char *name, const char *value);
/* NULL if there is none. */
void test_kv_remove(const char *name);
/* All names that begin so, sorted, with "=" and their values, in one text. */
const char *test_kv_all(const char *begin);

#endif
