/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "scheme-limits.h"

static const struct {
	const char *scheme, *hash;
	/* NULL if it is allowed */
	const char *error;
} tests[] = {
	{ "SHA512-CRYPT", "$6$salt$hash", NULL },
	{ "SHA512-CRYPT", "$6$rounds=656000$salt$hash", NULL },
	{ "SHA256-CRYPT", "$5$rounds=1000000$salt$hash", NULL },
	{ "SHA256-CRYPT", "$5$rounds=1000001$salt$hash",
	  "a hash of the scheme SHA256-CRYPT asks for 1000001 rounds, allowed "
	  "are 1 to 1000000" },
	{ "crypt", "$6$rounds=3000000$salt$hash",
	  "a hash of the scheme crypt asks for 3000000 rounds, allowed are 1 "
	  "to 1000000" },
	{ "SHA512-CRYPT.b64", "$6$rounds=3000000$salt$hash",
	  "a hash of the scheme SHA512-CRYPT asks for 3000000 rounds, allowed "
	  "are 1 to 1000000" },
	/* crypt() would take the most that it can */
	{ "SHA512-CRYPT", "$6$rounds=99999999999$salt$hash",
	  "a hash of the scheme SHA512-CRYPT has no number of rounds, allowed "
	  "are 1 to 1000000" },
	{ "SHA512-CRYPT", "$6$rounds=5000",
	  "a hash of the scheme SHA512-CRYPT has no number of rounds, allowed "
	  "are 1 to 1000000" },
	{ "SHA512-CRYPT", "$6$rounds=0$salt$hash",
	  "a hash of the scheme SHA512-CRYPT asks for 0 rounds, allowed are 1 "
	  "to 1000000" },

	{ "BLF-CRYPT", "$2y$05$hash", NULL },
	{ "CRYPT", "$2a$14$hash", NULL },
	{ "CRYPT", "$2b$15$hash", "a hash of the scheme CRYPT asks for a cost "
	  "of 15, allowed are at most 14" },
	{ "SHA512-CRYPT", "$2x$31$hash", "a hash of the scheme SHA512-CRYPT "
	  "asks for a cost of 31, allowed are at most 14" },
	{ "CRYPT", "$2", "a hash of the scheme CRYPT has not the form of "
	  "bcrypt's, expected $2y$COST$..." },
	{ "CRYPT", "$2y$", "a hash of the scheme CRYPT has not the form of "
	  "bcrypt's, expected $2y$COST$..." },
	{ "CRYPT", "$2y$5$hash", "a hash of the scheme CRYPT has not the form "
	  "of bcrypt's, expected $2y$COST$..." },
	{ "CRYPT", "$2$31$hash", "a hash of the scheme CRYPT has not the form "
	  "of bcrypt's, expected $2y$COST$..." },

	{ "CRYPT", "$1$salt$hash", NULL },
	{ "DES-CRYPT", "abcdefghijklm", NULL },
	{ "CRYPT", "", NULL },
	{ "CRYPT", "$y$j9T$salt$hash", NULL },
#define NOT_KNOWN "a hash of the scheme CRYPT is of a kind whose cost is not " \
	"known, allowed are $6$, $5$, $2y$, $1$ and $y$j9T$"
	{ "CRYPT", "$y$jFT$salt$hash", NOT_KNOWN },
	{ "CRYPT", "$gy$j9T$salt$hash", NOT_KNOWN },
	{ "CRYPT", "$7$DU..../....salt$hash", NOT_KNOWN },
	{ "CRYPT", "$argon2id$v=19$m=65536,t=2,p=1$salt$hash", NOT_KNOWN },
	{ "CRYPT", "$sha1$9999999$salt$hash", NOT_KNOWN },
	{ "CRYPT", "$md5,rounds=9999999$salt$hash", NOT_KNOWN },
	{ "CRYPT", "_zzzzsalthash", NOT_KNOWN },

	{ "PBKDF2", "$1$salt$5000$hash", NULL },
	{ "PBKDF2", "$1$salt$1000000$hash", NULL },
	{ "PBKDF2", "$1$salt$1000001$hash", "a hash of the scheme PBKDF2 asks "
	  "for 1000001 rounds, allowed are 1 to 1000000" },
	{ "PBKDF2", "$1$salt$x$hash", "a hash of the scheme PBKDF2 has no "
	  "number of rounds, expected $1$SALT$ROUNDS$HASH" },
	{ "PBKDF2", "", "a hash of the scheme PBKDF2 has no number of rounds, "
	  "expected $1$SALT$ROUNDS$HASH" },
	{ "SCRAM-SHA-1", "4096,salt,key,key", NULL },
	{ "SCRAM-SHA-256", "2000000,salt,key,key", "a hash of the scheme "
	  "SCRAM-SHA-256 asks for 2000000 rounds, allowed are 1 to 1000000" },
	{ "SCRAM-SHA-1", "4096", "a hash of the scheme SCRAM-SHA-1 has no "
	  "number of rounds, expected ROUNDS,SALT,KEY,KEY" },

	{ "ARGON2ID", "argon2id", "a hash of the scheme ARGON2ID has not the "
	  "form in which its cost is known, expected {ARGON2ID}$argon2id$... "
	  "or {ARGON2I}$argon2i$..." },
	{ "argon2i.hex", "$argon2i$", "a hash of the scheme argon2i has not "
	  "the form in which its cost is known, expected "
	  "{ARGON2ID}$argon2id$... or {ARGON2I}$argon2i$..." },

	{ "SSHA256", "\x01\x02", NULL },
	{ "CRAM-MD5", "", NULL },
};

static void test_scheme_hash_check(void)
{
	const char *error;
	unsigned int i;
	int ret;

	test_begin("scheme_hash_check()");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		error = NULL;
		ret = scheme_hash_check(tests[i].scheme,
			(const unsigned char *)tests[i].hash,
			strlen(tests[i].hash), &error);
		test_assert_idx(ret == (tests[i].error == NULL ? 0 : -1), i);
		test_assert_idx(null_strcmp(error, tests[i].error) == 0, i);
	}
	test_end();
}

/* What a hash is read from ends where its size says. */
static void test_scheme_hash_size(void)
{
	const char *hash = "$6$rounds=5000$";
	const char *error;

	test_begin("scheme_hash_check(): size");
	test_assert(scheme_hash_check("CRYPT", (const unsigned char *)hash, 15,
				      &error) == 0);
	test_assert(scheme_hash_check("CRYPT", (const unsigned char *)hash, 14,
				      &error) == -1);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_scheme_hash_check,
		test_scheme_hash_size,
		NULL
	};

	return test_run(test_functions);
}
