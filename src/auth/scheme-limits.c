/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "strnum.h"
#include "scheme-limits.h"

#include <ctype.h>

/* Without it there are 5000. */
#define SHA_CRYPT_ROUNDS_PREFIX "rounds="

/* yescrypt packs its parameters; these are what Debian gives to the passwords
   of accounts, and take 16 MB. */
#define YESCRYPT_USUAL "$y$j9T$"

static bool begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static int
check_rounds(const char *scheme, unsigned int rounds, unsigned int max,
	     const char **error_r)
{
	if (rounds > 0 && rounds <= max)
		return 0;
	*error_r = t_strdup_printf("a hash of the scheme %s asks for %u "
		"rounds, allowed are 1 to %u", scheme, rounds, max);
	return -1;
}

/* What follows "$5$" or "$6$". */
static int
sha_crypt_check(const char *scheme, const char *text, const char **error_r)
{
	unsigned int rounds;

	if (!begins(text, SHA_CRYPT_ROUNDS_PREFIX))
		return 0;
	text += strlen(SHA_CRYPT_ROUNDS_PREFIX);
	if (str_parse_uint(text, &rounds, &text) < 0 || *text != '$') {
		*error_r = t_strdup_printf("a hash of the scheme %s has no "
			"number of rounds, allowed are 1 to %u", scheme,
			SCHEME_SHA_CRYPT_ROUNDS_MAX);
		return -1;
	}
	return check_rounds(scheme, rounds, SCHEME_SHA_CRYPT_ROUNDS_MAX,
			    error_r);
}

/* "$2y$12$" and others. */
static int
bcrypt_check(const char *scheme, const char *text, const char **error_r)
{
	unsigned int cost;

	if (strchr("abxy", text[2]) != NULL && text[2] != '\0' &&
	    text[3] == '$' && i_isdigit(text[4]) && i_isdigit(text[5]) &&
	    text[6] == '$') {
		cost = (text[4] - '0') * 10 + text[5] - '0';
		if (cost <= SCHEME_BCRYPT_COST_MAX)
			return 0;
		*error_r = t_strdup_printf("a hash of the scheme %s asks for a "
			"cost of %u, allowed are at most %u", scheme, cost,
			SCHEME_BCRYPT_COST_MAX);
	} else {
		*error_r = t_strdup_printf("a hash of the scheme %s has not "
			"the form of bcrypt's, expected $2y$COST$...", scheme);
	}
	return -1;
}

/* crypt() goes by what the hash begins with, whatever the scheme is called. */
static int
crypt_check(const char *scheme, const char *text, const char **error_r)
{
	if (begins(text, "$5$") || begins(text, "$6$"))
		return sha_crypt_check(scheme, text + 3, error_r);
	if (begins(text, "$2"))
		return bcrypt_check(scheme, text, error_r);
	/* the last one is DES: those that begin with _ have rounds */
	if (begins(text, "$1$") || begins(text, YESCRYPT_USUAL) ||
	    (*text != '$' && *text != '_'))
		return 0;
	*error_r = t_strdup_printf("a hash of the scheme %s is of a kind whose "
		"cost is not known, allowed are $6$, $5$, $2y$, $1$ and "
		YESCRYPT_USUAL, scheme);
	return -1;
}

static int
no_rounds(const char *scheme, const char *form, const char **error_r)
{
	*error_r = t_strdup_printf("a hash of the scheme %s has no number of "
				   "rounds, expected %s", scheme, form);
	return -1;
}

static int
pbkdf2_check(const char *scheme, const char *text, const char **error_r)
{
	const char *const *parts = t_strsplit(text, "$");
	unsigned int rounds;

	/* the first one is empty */
	if (str_array_length(parts) < 4 || str_to_uint(parts[3], &rounds) < 0)
		return no_rounds(scheme, "$1$SALT$ROUNDS$HASH", error_r);
	return check_rounds(scheme, rounds, SCHEME_PBKDF2_ROUNDS_MAX, error_r);
}

static int
scram_check(const char *scheme, const char *text, const char **error_r)
{
	unsigned int rounds;

	if (str_parse_uint(text, &rounds, &text) < 0 || *text != ',')
		return no_rounds(scheme, "ROUNDS,SALT,KEY,KEY", error_r);
	return check_rounds(scheme, rounds, SCHEME_PBKDF2_ROUNDS_MAX, error_r);
}

static int
argon2_refuse(const char *scheme, const char *text ATTR_UNUSED,
	      const char **error_r)
{
	*error_r = t_strdup_printf("a hash of the scheme %s has not the form "
		"in which its cost is known, expected {ARGON2ID}$argon2id$... "
		"or {ARGON2I}$argon2i$...", scheme);
	return -1;
}

/* What Dovecot has beside these costs next to nothing. */
static const struct {
	const char *scheme;
	int (*check)(const char *scheme, const char *text,
		     const char **error_r);
} costly_schemes[] = {
	{ "CRYPT", crypt_check },
	{ "DES-CRYPT", crypt_check },
	{ "BLF-CRYPT", crypt_check },
	{ "SHA256-CRYPT", crypt_check },
	{ "SHA512-CRYPT", crypt_check },
	{ "PBKDF2", pbkdf2_check },
	{ "SCRAM-SHA-1", scram_check },
	{ "SCRAM-SHA-256", scram_check },
	{ "ARGON2I", argon2_refuse },
	{ "ARGON2ID", argon2_refuse },
};

int scheme_hash_check(const char *scheme, const unsigned char *hash,
		      size_t size, const char **error_r)
{
	unsigned int i;

	scheme = t_strcut(scheme, '.');
	for (i = 0; i < N_ELEMENTS(costly_schemes); i++) {
		if (strcasecmp(costly_schemes[i].scheme, scheme) == 0) {
			return costly_schemes[i].check(scheme,
				t_strndup(hash, size), error_r);
		}
	}
	return 0;
}
