#ifndef POP3_POLICY_TEST_LAST_USED_USE_H
#define POP3_POLICY_TEST_LAST_USED_USE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "last-used-private.h"

#define TEST_LAST_USED_NAME "credentials.json"
#define TEST_LAST_USED_FILE TEST_LAST_USED_NAME".used"

/* Of the file in the home of test-home.h. */
struct last_used *test_last_used_init(void);
/* What is returned. An error has "HOME/" taken out; it is "" if there is
   none. */
int test_last_used_note(struct last_used *used, const char *name,
			const char *id, const char *address, time_t now,
			const char **error_r);
/* All uses of the user as "id@time/address", or the error likewise. */
const char *test_last_used_show(struct last_used *used, const char *name);
/* The same as somebody shows it who has nothing in memory. */
const char *test_last_used_show_new(const char *name);
/* How many lines the file has in which this stands. */
unsigned int test_last_used_count(const char *words);

#endif
