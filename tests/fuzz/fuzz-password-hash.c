/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "hash-limits.h"
#include "fuzz.h"

#include <sodium.h>

/* What libsodium thinks of a string, which it says without computing it, is
   what we think of it; and what we read of its cost is what it would spend. */

const char *const fuzz_corpus = "password-hash";

/* The words of libsodium for a cost. */
static unsigned long long passes(const struct password_hash_cost *cost)
{
	i_assert(cost->memory > 0 && cost->work % cost->memory == 0);
	return cost->work / cost->memory;
}

static bool is_ascii(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text >= 0x80)
			return FALSE;
	}
	return TRUE;
}

static bool is_base64(const char *text)
{
	unsigned char octets[crypto_pwhash_STRBYTES];
	size_t size;

	return sodium_base642bin(octets, sizeof(octets), text, strlen(text),
			NULL, &size, NULL,
			sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0;
}

/* Bits of the last digits that are of no octet must be 0, which only a decoder
   looks at: password_hasher_verify() says so then. */
static bool ends_well(const char *hash)
{
	const char *output = strrchr(hash, '$');
	const char *salt = strrchr(t_strdup_until(hash, output), '$');

	return is_base64(salt + 1) && is_base64(output + 1);
}

static bool sodium_takes(const char *hash)
{
	/* it says 0 or 1 of what it takes, whatever the limits are */
	return crypto_pwhash_str_needs_rehash(hash,
			crypto_pwhash_OPSLIMIT_MIN,
			crypto_pwhash_MEMLIMIT_MIN) != -1;
}

static void
check_argon2(const char *hash, int ret, const struct password_hash_cost *cost)
{
	/* it has no room for longer ones there, but checks them */
	if (strlen(hash) >= crypto_pwhash_STRBYTES)
		return;
	i_assert(ret < 0 || sodium_takes(hash) || !ends_well(hash));
	/* some octets above are digits of base64 to it */
	i_assert(ret == 0 || !is_ascii(hash) || !sodium_takes(hash));
	/* more work than can be counted is more than anybody allows */
	if (ret == 0 && cost->work < UINT64_MAX && ends_well(hash)) {
		i_assert(crypto_pwhash_str_needs_rehash(hash, passes(cost),
							cost->memory) == 0);
		i_assert(crypto_pwhash_str_needs_rehash(hash, passes(cost) + 1,
							cost->memory) != 0);
		i_assert(crypto_pwhash_str_needs_rehash(hash, passes(cost),
							cost->memory +
							1024) != 0);
	}
}

static void
check_scrypt(const char *hash, int ret, const struct password_hash_cost *cost)
{
	/* it looks at no more than length and limits */
	if (ret < 0)
		return;
	i_assert(strlen(hash) ==
		 crypto_pwhash_scryptsalsa208sha256_STRBYTES - 1);
	i_assert(crypto_pwhash_scryptsalsa208sha256_str_needs_rehash(hash,
		crypto_pwhash_scryptsalsa208sha256_opslimit_interactive(),
		crypto_pwhash_scryptsalsa208sha256_memlimit_interactive()) !=
		 -1);
	i_assert(cost->memory > 0 && cost->work > 0);
}

static void check_cost(const struct password_hash_cost *cost)
{
	const struct password_hash_cost none = { 0, 0 };
	const struct password_hash_cost all = { UINT64_MAX, UINT64_MAX };
	struct password_hash_cost max = *cost;
	const char *error;

	i_assert(password_hash_cost_check(cost, &all, &error) == 0);
	i_assert(password_hash_cost_check(cost, &max, &error) == 0);
	i_assert(password_hash_cost_check(cost, &none, &error) < 0);
	max.memory--;
	i_assert(password_hash_cost_check(cost, &max, &error) < 0);
	max.memory++;
	max.work--;
	i_assert(password_hash_cost_check(cost, &max, &error) < 0);
}

static void check_hash(const char *hash)
{
	struct password_hash_cost cost;
	enum password_hash_kind kind;
	const char *error = NULL;
	int ret;

	ret = password_hash_parse(hash, &kind, &cost, &error);
	i_assert((ret < 0) == (error != NULL));
	if (ret == 0)
		check_cost(&cost);
	if (strncmp(hash, "$7$", 3) == 0) {
		i_assert(ret < 0 || kind == PASSWORD_HASH_SCRYPT);
		check_scrypt(hash, ret, &cost);
	} else {
		i_assert(ret < 0 || kind != PASSWORD_HASH_SCRYPT);
		check_argon2(hash, ret, &cost);
	}
}

static void check_text(const char *text)
{
	const char *hash = password_hash_strip(text);
	const size_t len = strlen(text);

	check_hash(text);
	if (hash == NULL) {
		i_assert(!sodium_takes(text));
		return;
	}
	i_assert(hash >= text && hash < text + len && *hash == '$');
	i_assert(hash == text || *text == '{');
	check_hash(hash);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_init();
	T_BEGIN {
		check_text(fuzz_text(data, size));
	} T_END;
	return 0;
}
