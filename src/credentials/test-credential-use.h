#ifndef POP3_POLICY_TEST_CREDENTIAL_USE_H
#define POP3_POLICY_TEST_CREDENTIAL_USE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "credentials.h"

#define TEST_HASH "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA"
/* What our printer makes of users, without the comma behind the last one. */
#define TEST_FILE(users) "{\"version\":1,\"users\":{\n" users "}}\n"
#define TEST_JANE \
	"\"jane\":{\"password\":\"" TEST_HASH "\",\"enabled\":true," \
	"\"protocols\":[\"imap\",\"pop3\"]," \
	"\"fields\":{\"userdb_uid\":\"1000\",\"userdb_gid\":\"8\"}," \
	"\"app_passwords\":[{\"id\":\"k7qmx3\",\"hash\":\"" TEST_HASH "\"," \
	"\"label\":\"phone\",\"created\":1795446000,\"expires\":1803222000," \
	"\"networks\":[\"192.0.2.0/24\",\"2001:db8::/32\"]," \
	"\"protocols\":[\"pop3\"]," \
	"\"settings\":{\"pop3_policy_quota\":\"100M/day\"}}]}"
#define TEST_JOE "\"joe\":{\"password\":\"{SHA256-CRYPT}$5$x\"}"

/* Load a copy of the text, of which nothing behind its end may be read. Returns
   NULL and an error. */
struct credentials *
test_credentials_load(const void *text, size_t size, const char **error_r);
/* What is found of the user in a form that shows all of it, "none", or the
   error. It lives in the data stack. */
const char *
test_credentials_show(const struct credentials *credentials, const char *name);
const char *test_credential_user_show(const struct credential_user *user);

#endif
