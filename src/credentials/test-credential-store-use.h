#ifndef POP3_POLICY_TEST_CREDENTIAL_STORE_USE_H
#define POP3_POLICY_TEST_CREDENTIAL_STORE_USE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* A store of credential files in a home. Strings are returned in the data
   stack. */

#define NAME "credentials.json"
#define A "\"a\":{\"password\":\"$1$a\"}"
#define B "\"b\":{\"password\":\"$1$b\"}"
#define MAX_SIZE (1024 * 1024)

/* The error for users of whom nothing can be said begins so. */
#define TEMPORARY "the file cannot be used now: "

extern struct test_store {
	struct credential_store *store;
	/* what the store is told */
	time_t now;
	/* what the last call to find a user did */
	unsigned int log_count, read_count;
	/* what was logged last, or NULL */
	char *log_text;
} test_store;

bool test_begins(const char *text, const char *words);

void test_store_begin(size_t max_size);
void test_store_end(void);

/* What is found of the user, "none", or the error; the folder is below the
   home, or NULL. */
const char *
test_store_find_below(const char *users_folder, const char *file,
		      const char *name);
/* Likewise; if each user has a file, all are in the home. */
const char *
test_store_find_in(const char *file, bool own_file, const char *name);
/* In the file NAME, which is for all users. */
const char *test_store_find(const char *name);
/* Leave out the path of the home. */
const char *test_store_shorten(const char *text);

/* What follows is about the file NAME. */

/* It is now this many seconds since the file changed. */
void test_store_set_age(int secs);
/* These make it old enough to be read but once. */
void test_store_write(const char *text);
void test_store_set_mode(unsigned int mode);
/* It has the user "a". */
void test_store_make_good(void);
void test_store_make_torn(void);
/* Also what is there in place of the file. */
void test_store_remove(void);

#endif
