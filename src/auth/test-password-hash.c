/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "password-hash.h"

#include <dlfcn.h>
#include <sodium.h>
#include <sys/mman.h>

#define K 1024ULL
#define M (1024 * K)

/* More than libsodium takes by malloc(). */
#define OPSLIMIT 3
#define MEMLIMIT (256 * K)

static const struct password_hasher_settings settings = {
	.opslimit = OPSLIMIT,
	.memlimit = MEMLIMIT,
	.max = { .memory = 2 * M, .work = 4 * M }
};

/* What libsodium takes for a check, and whether there is that much, is asked
   for here, and hardly anything else is. */
static size_t mapped, still_mapped;
static unsigned int mapped_times;
/* What libsodium asked for: the second time. */
static size_t mapped_by_sodium;
/* The lowest bit is for the first time: it fails. */
static unsigned int map_fails;

/* The last hash that libsodium was to check, and whether it then says that any
   password is right. */
static const char *verified_hash;
static bool verify_matches;

static void find_super(const char *name, void *func_r)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	if (symbol == NULL)
		i_fatal("dlsym(%s) failed: %s", name, dlerror());
	memcpy(func_r, &symbol, sizeof(symbol));
}

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	static void *(*super)(void *, size_t, int, int, int, off_t);

	if (super == NULL)
		find_super("mmap", &super);
	if ((map_fails & (1U << mapped_times++)) != 0) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	if (mapped_times == 2)
		mapped_by_sodium = len;
	mapped += len;
	still_mapped += len;
	return super(addr, len, prot, flags, fd, offset);
}

int munmap(void *addr, size_t len)
{
	static int (*super)(void *, size_t);

	if (super == NULL)
		find_super("munmap", &super);
	still_mapped -= len;
	return super(addr, len);
}

int crypto_pwhash_str_verify(const char str[crypto_pwhash_STRBYTES],
			     const char *const passwd,
			     unsigned long long passwdlen)
{
	static int (*super)(const char *, const char *, unsigned long long);

	if (super == NULL)
		find_super("crypto_pwhash_str_verify", &super);
	verified_hash = str;
	return verify_matches ? 0 : super(str, passwd, passwdlen);
}

static void count_maps(unsigned int fails)
{
	mapped = 0;
	mapped_times = 0;
	map_fails = fails;
}

static struct password_hasher *hasher_init(void)
{
	struct password_hasher *hasher;
	const char *error;

	if (password_hasher_init(&settings, &hasher, &error) < 0)
		i_fatal("password_hasher_init(): %s", error);
	return hasher;
}

/* As stored by something else than us. */
static const char *argon2i_hash(const char *password)
{
	char hash[crypto_pwhash_STRBYTES];

	if (crypto_pwhash_str_alg(hash, password, strlen(password), 3, MEMLIMIT,
				  crypto_pwhash_ALG_ARGON2I13) < 0)
		i_fatal("crypto_pwhash_str_alg() failed");
	return t_strdup(hash);
}

static const char *scrypt_hash(const char *password)
{
	char hash[crypto_pwhash_scryptsalsa208sha256_STRBYTES];

	if (crypto_pwhash_scryptsalsa208sha256_str(hash, password,
			strlen(password),
			crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_MIN,
			crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_MIN) < 0)
		i_fatal("crypto_pwhash_scryptsalsa208sha256_str() failed");
	return t_strdup(hash);
}

/* At some of the three times that memory is asked for there is none. The last
   time is only for a password that seems wrong. */
static void
test_no_memory(struct password_hasher *hasher, const char *hash,
	       const char *password, enum password_verify_result result)
{
	static const unsigned int fails[] = { 1, 1 | 2, 1 | 2 | 4, 2 | 4, 4 };
	size_t mapped_before = still_mapped;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(fails); i++) {
		bool known = fails[i] == 4 && result == PASSWORD_VERIFY_MATCH;
		const char *error = NULL;

		count_maps(fails[i]);
		test_assert_idx(password_hasher_verify(hasher, hash, password,
				&error) == (known ? result :
					    PASSWORD_VERIFY_FAILED), i);
		count_maps(0);
		test_assert_idx((error == NULL) == known, i);
		if (error != NULL) {
			test_assert_idx(strstr(error, "cannot check a password "
					       "with ") == error, i);
			test_assert_idx(strstr(error, " octets of memory: "
				"Cannot allocate memory") != NULL, i);
		}
	}
	test_assert(still_mapped == mapped_before);
}

static void
test_hash_use(struct password_hasher *hasher, const char *hash,
	      const char *password)
{
	static const char *const wrong[] = {
		"", "tanstaafL", "tanstaafl ", "tanstaaf", "x"
	};
	const char *error = NULL;
	unsigned int i;

	test_assert(password_hasher_verify(hasher, hash, password, &error) ==
		    PASSWORD_VERIFY_MATCH);
	for (i = 0; i < N_ELEMENTS(wrong); i++) {
		test_assert_idx(password_hasher_verify(hasher, hash, wrong[i],
				&error) == PASSWORD_VERIFY_MISMATCH, i);
	}
	test_assert(error == NULL);
	test_no_memory(hasher, hash, password, PASSWORD_VERIFY_MATCH);
	test_no_memory(hasher, hash, "x", PASSWORD_VERIFY_MISMATCH);
}

static void test_hash(void)
{
	struct password_hasher *hasher = hasher_init();
	const char *hash, *other, *error = "";

	test_begin("password hash: our own");
	test_assert(password_hasher_hash(hasher, "tanstaafl", &hash,
					 &error) == 0);
	test_assert(strncmp(hash, "$argon2id$v=19$m=256,t=3,p=1$", 29) == 0);
	test_assert(password_hasher_hash(hasher, "tanstaafl", &other,
					 &error) == 0);
	test_assert(strcmp(hash, other) != 0);
	test_hash_use(hasher, hash, "tanstaafl");

	other = hash;
	count_maps(1);
	test_assert(password_hasher_hash(hasher, "tanstaafl", &hash,
					 &error) < 0);
	count_maps(0);
	test_assert(hash == other);
	test_assert_strcmp(error, "cannot hash a password with 262144 octets "
			   "of memory: Cannot allocate memory");
	test_end();
	password_hasher_deinit(&hasher);
	test_assert(hasher == NULL);
}

static void test_other_kinds(void)
{
	struct password_hasher *hasher = hasher_init();
	const char *hash, *error;

	test_begin("password hash: of others");
	test_hash_use(hasher, argon2i_hash("tanstaafl"), "tanstaafl");
	test_hash_use(hasher, scrypt_hash("tanstaafl"), "tanstaafl");
	/* this one says itself what it had no memory for */
	hash = scrypt_hash("tanstaafl");
	count_maps(2);
	test_assert(password_hasher_verify(hasher, hash, "x", &error) ==
		    PASSWORD_VERIFY_FAILED);
	count_maps(0);
	test_assert(password_hasher_hash(hasher, "", &hash, &error) == 0);
	test_assert(password_hasher_verify(hasher, hash, "", &error) ==
		    PASSWORD_VERIFY_MATCH);
	test_end();
	password_hasher_deinit(&hasher);
}

/* These have no padding bits that are set, so libsodium takes them. */
#define TAIL "$AAAAAAAAAAAAAAAAAAAAAA$" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define SCRYPT_TAIL "..........................................." \
	"$..........................................."

static const struct {
	const char *hash, *error;
	bool maps;
	enum password_verify_result result;
} limit_tests[] = {
	{ "$argon2id$v=19$m=2048,t=2,p=1"TAIL, NULL, TRUE,
	  PASSWORD_VERIFY_MISMATCH },
	{ "$argon2id$v=19$m=1024,t=4,p=1"TAIL, NULL, TRUE,
	  PASSWORD_VERIFY_MISMATCH },
	{ "$argon2i$v=19$m=1027,t=1,p=4"TAIL, NULL, TRUE,
	  PASSWORD_VERIFY_MISMATCH },
	{ "$argon2id$v=19$m=32,t=1,p=4"TAIL, NULL, TRUE,
	  PASSWORD_VERIFY_MISMATCH },
	{ "$argon2id$v=19$m=2049,t=1,p=1"TAIL,
	  "a password hash asks for 2098176 octets of memory, "
	  "allowed are 2097152", FALSE, PASSWORD_VERIFY_BAD_HASH },
	{ "$argon2id$v=19$m=1024,t=5,p=1"TAIL,
	  "a password hash asks to go over 5242880 octets (memory times "
	  "passes), allowed are 4194304", FALSE, PASSWORD_VERIFY_BAD_HASH },
	{ "$argon2i$v=19$m=8,t=4294967295,p=1"TAIL,
	  "a password hash asks to go over", FALSE, PASSWORD_VERIFY_BAD_HASH },
	/* N=2^10, r=8 */
	{ "$7$86..../...."SCRYPT_TAIL, NULL, TRUE, PASSWORD_VERIFY_MISMATCH },
	/* N=2^6, r=2, p=2^6 */
	{ "$7$4""0....""./..."SCRYPT_TAIL, NULL, TRUE,
	  PASSWORD_VERIFY_MISMATCH },
	{ "$7$96..../...."SCRYPT_TAIL, "a password hash asks for 2100224",
	  FALSE, PASSWORD_VERIFY_BAD_HASH },
	{ "$7$86....1...."SCRYPT_TAIL,
	  "a password hash asks to go over 6291456",
	  FALSE, PASSWORD_VERIFY_BAD_HASH },
	{ "$7$z6..../...."SCRYPT_TAIL, "an scrypt hash has N=2^63",
	  FALSE, PASSWORD_VERIFY_BAD_HASH },
	{ "tanstaafl", "a password hash has no known beginning",
	  FALSE, PASSWORD_VERIFY_BAD_HASH },
	{ "", "a password hash has no known beginning",
	  FALSE, PASSWORD_VERIFY_BAD_HASH },
	/* base64 that only a decoder finds fault with */
	{ "$argon2id$v=19$m=256,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAB$"
	  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	  "libsodium does not take a password hash", TRUE,
	  PASSWORD_VERIFY_BAD_HASH },
};

/* It takes what was read from the hash, but for the rounding of a block. */
static void test_memory_use(const char *hash, unsigned int i)
{
	enum password_hash_kind kind;
	struct password_hash_cost cost;
	const char *error;

	test_assert_idx(password_hash_parse(hash, &kind, &cost, &error) == 0,
			i);
	test_assert_idx(mapped_by_sodium > cost.memory - 4 * K &&
			mapped_by_sodium < cost.memory + 4 * K, i);
}

static void test_limits(void)
{
	struct password_hasher *hasher = hasher_init();
	const char *error;
	unsigned int i;

	test_begin("password hash: more than is allowed");
	for (i = 0; i < N_ELEMENTS(limit_tests); i++) {
		count_maps(0);
		error = NULL;
		test_assert_idx(password_hasher_verify(hasher,
				limit_tests[i].hash, "tanstaafl", &error) ==
				limit_tests[i].result, i);
		/* nothing is tried with what is not allowed */
		test_assert_idx((mapped_times > 0) ==
				limit_tests[i].maps, i);
		test_assert_idx((error == NULL) ==
				(limit_tests[i].error == NULL), i);
		if (error == NULL)
			test_memory_use(limit_tests[i].hash, i);
		if (error != NULL && limit_tests[i].error != NULL) {
			test_assert_idx(strncmp(error, limit_tests[i].error,
				strlen(limit_tests[i].error)) == 0, i);
		}
	}
	test_end();
	password_hasher_deinit(&hasher);
}

static void test_verify_none(void)
{
	static const char *const passwords[] = { "", "x", "tanstaafl" };
	struct password_hasher *hasher = hasher_init();
	struct password_hasher *other = hasher_init();
	const char *hash, *error = NULL;
	unsigned int i;
	size_t size;

	test_begin("password hash: nobody's password");
	test_assert(password_hasher_hash(hasher, "x", &hash, &error) == 0);
	count_maps(0);
	test_assert(password_hasher_verify(hasher, hash, "y", &error) ==
		    PASSWORD_VERIFY_MISMATCH);
	size = mapped;
	for (i = 0; i < N_ELEMENTS(passwords); i++) {
		count_maps(0);
		test_assert_idx(password_hasher_verify_none(hasher,
				passwords[i], &error) ==
				PASSWORD_VERIFY_MISMATCH, i);
		/* it has taken what a check of a hash takes */
		test_assert_idx(mapped == size, i);
		test_assert_idx(strlen(verified_hash) == strlen(hash) &&
				!password_hasher_wants_rehash(hasher,
						verified_hash), i);
	}
	test_assert(error == NULL);
	/* it is another one in each process */
	hash = verified_hash;
	test_assert(password_hasher_verify_none(other, "x", &error) ==
		    PASSWORD_VERIFY_MISMATCH);
	test_assert(verified_hash != hash && strcmp(verified_hash, hash) != 0);
	/* even if somebody should hit on it */
	verify_matches = TRUE;
	test_assert(password_hasher_verify_none(hasher, "x", &error) ==
		    PASSWORD_VERIFY_MISMATCH);
	verify_matches = FALSE;
	count_maps(1);
	test_assert(password_hasher_verify_none(hasher, "x", &error) ==
		    PASSWORD_VERIFY_FAILED);
	count_maps(0);
	test_end();
	password_hasher_deinit(&hasher);
	password_hasher_deinit(&other);
}

static void test_wants_rehash(void)
{
	struct password_hasher *hasher = hasher_init();
	const char *hash, *error;
	unsigned int i;
	static const struct {
		const char *hash;
		bool wants;
	} tests[] = {
		{ "$argon2id$v=19$m=256,t=3,p=1"TAIL, FALSE },
		{ "$argon2id$v=19$m=255,t=3,p=1"TAIL, TRUE },
		{ "$argon2id$v=19$m=257,t=3,p=1"TAIL, TRUE },
		{ "$argon2id$v=19$m=256,t=2,p=1"TAIL, TRUE },
		{ "$argon2id$v=19$m=256,t=4,p=1"TAIL, TRUE },
		{ "$argon2i$v=19$m=256,t=3,p=1"TAIL, TRUE },
		{ "$7$86..../...."SCRYPT_TAIL, TRUE },
		{ "$6$salt$hash", TRUE },
		{ "{SHA256}AAAA", TRUE },
		{ "", TRUE },
		/* longer than those that libsodium writes */
		{ "$argon2id$v=19$m=256,t=3,p=1"TAIL
		  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		  TRUE },
	};

	test_begin("password hash: a new one is wanted");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		test_assert_idx(password_hasher_wants_rehash(hasher,
				tests[i].hash) == tests[i].wants, i);
	}
	test_assert(password_hasher_hash(hasher, "x", &hash, &error) == 0);
	test_assert(!password_hasher_wants_rehash(hasher, hash));
	test_end();
	password_hasher_deinit(&hasher);
}

static const struct {
	struct password_hasher_settings set;
	const char *error;
} settings_tests[] = {
	{ { 1, 8192, { 8192, 8192 } }, NULL },
	{ { 2, 64 * M, { 64 * M, 128 * M } }, NULL },
	{ { 0, 64 * M, { 64 * M, 128 * M } },
	  "0 passes for new password hashes, expected 1 to 4294967295" },
	{ { 4294967296, 64 * M, { UINT64_MAX, UINT64_MAX } },
	  "4294967296 passes for new password hashes" },
	{ { 2, 8191, { 64 * M, 128 * M } },
	  "8191 octets of memory for new password hashes, expected 8192 to" },
	{ { 2, UINT64_MAX, { UINT64_MAX, UINT64_MAX } },
	  "18446744073709551615 octets of memory for new password hashes" },
	{ { 2, 64 * M, { 64 * M - 1, 128 * M } },
	  "a password hash asks for 67108864 octets of memory, allowed are "
	  "67108863" },
	{ { 3, 64 * M, { 64 * M, 128 * M } },
	  "a password hash asks to go over 201326592 octets" },
};

static void test_settings(void)
{
	struct password_hasher *hasher;
	const char *error;
	unsigned int i;

	test_begin("password hash: settings");
	count_maps(0);
	for (i = 0; i < N_ELEMENTS(settings_tests); i++) {
		bool good = settings_tests[i].error == NULL;

		hasher = NULL;
		error = "";
		test_assert_idx(password_hasher_init(&settings_tests[i].set,
				&hasher, &error) == (good ? 0 : -1), i);
		test_assert_idx((hasher != NULL) == good, i);
		if (hasher != NULL)
			password_hasher_deinit(&hasher);
		if (!good) {
			test_assert_idx(strncmp(error, settings_tests[i].error,
				strlen(settings_tests[i].error)) == 0, i);
		}
	}
	test_assert(password_hasher_init(&password_hasher_defaults, &hasher,
					 &error) == 0);
	password_hasher_deinit(&hasher);
	/* a process that starts does not begin with a hash */
	test_assert(mapped_times == 0);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_hash,
		test_other_kinds,
		test_limits,
		test_verify_none,
		test_wants_rehash,
		test_settings,
		NULL
	};
	return test_run(test_functions);
}
