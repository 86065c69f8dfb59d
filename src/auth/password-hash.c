/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "password-hash.h"

#include <sodium.h>
#include <sys/mman.h>

/* What else a check may need beside the memory that its hash asks for. */
#define MORE_MEMORY (1024 * 1024)

/* Octets of the output of libsodium's Argon2 strings. */
#define OUTPUT_OCTETS 32

#define BASE64 sodium_base64_VARIANT_ORIGINAL_NO_PADDING
#define BASE64_SIZE(octets) sodium_base64_ENCODED_LEN(octets, BASE64)

struct password_hasher {
	struct password_hasher_settings set;
	/* Has the form of a hash, but nobody knows a password for it: it was
	   made up, which takes no time at all. */
	char none[crypto_pwhash_STRBYTES];
};

const struct password_hasher_settings password_hasher_defaults = {
	.opslimit = crypto_pwhash_OPSLIMIT_INTERACTIVE,
	.memlimit = crypto_pwhash_MEMLIMIT_INTERACTIVE,
	.max = {
		.memory = 2 * crypto_pwhash_MEMLIMIT_INTERACTIVE,
		.work = 4ULL * crypto_pwhash_OPSLIMIT_INTERACTIVE *
			crypto_pwhash_MEMLIMIT_INTERACTIVE
	}
};

static int
settings_check(const struct password_hasher_settings *set,
	       const char **error_r)
{
	struct password_hash_cost cost =
		password_hash_cost(set->opslimit, set->memlimit);

	if (set->opslimit < crypto_pwhash_OPSLIMIT_MIN ||
	    set->opslimit > crypto_pwhash_OPSLIMIT_MAX) {
		*error_r = t_strdup_printf("%"PRIu64" passes for new password "
			"hashes, expected %llu to %llu", set->opslimit,
			(unsigned long long)crypto_pwhash_OPSLIMIT_MIN,
			(unsigned long long)crypto_pwhash_OPSLIMIT_MAX);
		return -1;
	}
	if (set->memlimit < crypto_pwhash_MEMLIMIT_MIN ||
	    set->memlimit > crypto_pwhash_MEMLIMIT_MAX) {
		*error_r = t_strdup_printf("%"PRIu64" octets of memory for new "
			"password hashes, expected %llu to %llu", set->memlimit,
			(unsigned long long)crypto_pwhash_MEMLIMIT_MIN,
			(unsigned long long)crypto_pwhash_MEMLIMIT_MAX);
		return -1;
	}
	return password_hash_cost_check(&cost, &set->max, error_r);
}

static void random_base64(char *text, size_t size, size_t octets)
{
	unsigned char data[OUTPUT_OCTETS];

	i_assert(octets <= sizeof(data));
	randombytes_buf(data, octets);
	(void)sodium_bin2base64(text, size, data, octets, BASE64);
}

static void make_up_hash(struct password_hasher *hasher)
{
	char salt[BASE64_SIZE(crypto_pwhash_SALTBYTES)];
	char output[BASE64_SIZE(OUTPUT_OCTETS)];

	random_base64(salt, sizeof(salt), crypto_pwhash_SALTBYTES);
	random_base64(output, sizeof(output), OUTPUT_OCTETS);
	if (i_snprintf(hasher->none, sizeof(hasher->none),
		       crypto_pwhash_STRPREFIX"v=19$m=%"PRIu64",t=%"PRIu64
		       ",p=1$%s$%s", hasher->set.memlimit / 1024,
		       hasher->set.opslimit, salt, output) < 0)
		i_unreached();
}

int password_hasher_init(const struct password_hasher_settings *set,
			 struct password_hasher **hasher_r,
			 const char **error_r)
{
	struct password_hasher *hasher;

	if (sodium_init() < 0) {
		*error_r = "libsodium cannot be initialized";
		return -1;
	}
	if (settings_check(set, error_r) < 0)
		return -1;
	hasher = i_new(struct password_hasher, 1);
	hasher->set = *set;
	make_up_hash(hasher);
	*hasher_r = hasher;
	return 0;
}

void password_hasher_deinit(struct password_hasher **_hasher)
{
	struct password_hasher *hasher = *_hasher;

	*_hasher = NULL;
	i_free(hasher);
}

int password_hasher_hash(struct password_hasher *hasher, const char *password,
			 const char **hash_r, const char **error_r)
{
	char hash[crypto_pwhash_STRBYTES];

	if (crypto_pwhash_str_alg(hash, password, strlen(password),
				  hasher->set.opslimit, hasher->set.memlimit,
				  crypto_pwhash_ALG_ARGON2ID13) < 0) {
		*error_r = t_strdup_printf("cannot hash a password with %"PRIu64
			" octets of memory: %m", hasher->set.memlimit);
		return -1;
	}
	*hash_r = t_strdup(hash);
	sodium_memzero(hash, sizeof(hash));
	return 0;
}

/* For libsodium's Argon2 a check that it had no memory for is one with the
   wrong password, so this is asked before and after. */
static bool has_memory(const struct password_hash_cost *cost)
{
	size_t size = cost->memory + MORE_MEMORY;
	void *memory;

	if (cost->memory > SIZE_MAX - MORE_MEMORY) {
		errno = ENOMEM;
		return FALSE;
	}
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		      MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
	return memory != MAP_FAILED && munmap(memory, size) == 0;
}

/* Returns 1 if it is the password, 0 if not, and -1 if that is not known: errno
   is then 0 if libsodium does not take the hash. */
static int
compute(enum password_hash_kind kind, const char *hash, const char *password)
{
	size_t len = strlen(password);
	bool mismatch;
	int ret;

	errno = 0;
	if (kind == PASSWORD_HASH_SCRYPT) {
		ret = crypto_pwhash_scryptsalsa208sha256_str_verify(hash,
								password, len);
		/* that the form is right is known */
		mismatch = errno == 0;
	} else {
		ret = crypto_pwhash_str_verify(hash, password, len);
		mismatch = errno == EINVAL;
	}
	if (ret == 0)
		return 1;
	return mismatch ? 0 : -1;
}

static enum password_verify_result
verify(enum password_hash_kind kind, const struct password_hash_cost *cost,
       const char *hash, const char *password, const char **error_r)
{
	int ret = -1;

	if (has_memory(cost)) {
		ret = compute(kind, hash, password);
		if (ret > 0)
			return PASSWORD_VERIFY_MATCH;
		if (ret < 0 && errno == 0) {
			*error_r = "libsodium does not take a password hash";
			return PASSWORD_VERIFY_BAD_HASH;
		}
	}
	if (ret < 0 || !has_memory(cost)) {
		*error_r = t_strdup_printf("cannot check a password with %"
			PRIu64" octets of memory: %m", cost->memory);
		return PASSWORD_VERIFY_FAILED;
	}
	return PASSWORD_VERIFY_MISMATCH;
}

static int
check_hash(struct password_hasher *hasher, const char *hash,
	   enum password_hash_kind *kind_r, struct password_hash_cost *cost_r,
	   const char **error_r)
{
	if (password_hash_parse(hash, kind_r, cost_r, error_r) < 0)
		return -1;
	return password_hash_cost_check(cost_r, &hasher->set.max, error_r);
}

int password_hasher_check(struct password_hasher *hasher, const char *hash,
			  const char **error_r)
{
	enum password_hash_kind kind;
	struct password_hash_cost cost;

	return check_hash(hasher, hash, &kind, &cost, error_r);
}

enum password_verify_result
password_hasher_verify(struct password_hasher *hasher, const char *hash,
		       const char *password, const char **error_r)
{
	enum password_hash_kind kind;
	struct password_hash_cost cost;

	if (check_hash(hasher, hash, &kind, &cost, error_r) < 0)
		return PASSWORD_VERIFY_BAD_HASH;
	return verify(kind, &cost, hash, password, error_r);
}

enum password_verify_result
password_hasher_verify_none(struct password_hasher *hasher,
			    const char *password, const char **error_r)
{
	enum password_verify_result result =
		password_hasher_verify(hasher, hasher->none, password, error_r);

	return result == PASSWORD_VERIFY_MATCH ?
		PASSWORD_VERIFY_MISMATCH : result;
}

bool password_hasher_wants_rehash(struct password_hasher *hasher,
				  const char *hash)
{
	enum password_hash_kind kind;
	struct password_hash_cost cost;
	const char *error;

	/* libsodium would be content with argon2i, too */
	return password_hash_parse(hash, &kind, &cost, &error) < 0 ||
		kind != PASSWORD_HASH_ARGON2ID ||
		crypto_pwhash_str_needs_rehash(hash, hasher->set.opslimit,
					       hasher->set.memlimit) != 0;
}
