/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "hash-limits.h"

#define K 1024ULL
#define M (1024 * K)

#define SALT "AAAAAAAAAAAAAAAAAAAAAA"
#define OUTPUT "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
#define TAIL "$" SALT "$" OUTPUT
#define ID "$argon2id$v=19$"
#define SCRYPT_TAIL OUTPUT "$" OUTPUT

/* r=8, p=1 */
#define R8_P1 "6..../...."

static const struct {
	const char *hash;
	enum password_hash_kind kind;
	uint64_t memory, work;
} good_tests[] = {
	{ ID"m=65536,t=2,p=1"TAIL, PASSWORD_HASH_ARGON2ID, 64 * M, 128 * M },
	{ "$argon2i$v=19$m=32768,t=4,p=1"TAIL, PASSWORD_HASH_ARGON2I,
	  32 * M, 128 * M },
	{ ID"m=8,t=1,p=1"TAIL, PASSWORD_HASH_ARGON2ID, 8 * K, 8 * K },
	{ ID"m=65536,t=3,p=4"TAIL, PASSWORD_HASH_ARGON2ID, 64 * M, 192 * M },
	{ ID"m=32,t=1,p=4"TAIL, PASSWORD_HASH_ARGON2ID, 32 * K, 32 * K },
	/* the shortest salt and output */
	{ ID"m=8,t=1,p=1$AAAAAAAAAAA$BBBBBBBBBBBBBBBBBBBBBB",
	  PASSWORD_HASH_ARGON2ID, 8 * K, 8 * K },
	{ ID"m=4294967295,t=4294967295,p=16777215$+/+/+/+/+/+/$"OUTPUT,
	  PASSWORD_HASH_ARGON2ID, 4294967295 * K, UINT64_MAX },
	{ ID"m=4194304,t=4194304,p=1"TAIL, PASSWORD_HASH_ARGON2ID,
	  4194304 * K, 4194304ULL * 4194304 * K },
	/* libsodium's INTERACTIVE: N=2^14 */
	{ "$7$C"R8_P1 SCRYPT_TAIL, PASSWORD_HASH_SCRYPT, (16384 + 3) * K,
	  32 * M },
	/* r=2^15-1, p=2^15+1 */
	{ "$7$/""zz5..""/.6.."SCRYPT_TAIL, PASSWORD_HASH_SCRYPT,
	  (2 + 32769 + 2) * 32767ULL * 128, 4 * 1073741823ULL * 128 },
	/* N=2^1, r=1, p=1 */
	{ "$7$/""/....""/...."SCRYPT_TAIL, PASSWORD_HASH_SCRYPT, 640, 512 },
	/* N=2^10, r=1, p=2^6 */
	{ "$7$8""/....""./..."SCRYPT_TAIL, PASSWORD_HASH_SCRYPT,
	  (1024 + 64 + 2) * 128, 2 * 1024 * 64 * 128 },
	/* N=2^31, r=2^24, p=1 */
	{ "$7$T""..../""/...."SCRYPT_TAIL, PASSWORD_HASH_SCRYPT,
	  ((1ULL << 31) + 3) << 31, 1ULL << 63 },
	/* N=2^31, r=1+2^29-2^24, p=1 */
	{ "$7$T""/...T""/...."SCRYPT_TAIL, PASSWORD_HASH_SCRYPT,
	  UINT64_MAX, UINT64_MAX },
};

static void test_parse(void)
{
	enum password_hash_kind kind;
	struct password_hash_cost cost;
	const char *error;
	unsigned int i;

	test_begin("hash limits: what a hash asks for");
	for (i = 0; i < N_ELEMENTS(good_tests); i++) {
		test_assert_idx(password_hash_parse(good_tests[i].hash, &kind,
						    &cost, &error) == 0, i);
		test_assert_idx(kind == good_tests[i].kind, i);
		test_assert_idx(cost.memory == good_tests[i].memory, i);
		test_assert_idx(cost.work == good_tests[i].work, i);
	}
	test_end();
}

static const struct {
	const char *hash, *error;
} bad_tests[] = {
	{ "", "a password hash has no known beginning" },
	{ "secret", "a password hash has no known beginning" },
	{ "{PLAIN}secret", "a password hash has no known beginning" },
	{ "$argon2d$v=19$m=8,t=1,p=1"TAIL, "a password hash has no known" },
	{ "$argon2id", "a password hash has no known beginning" },
	{ "$ARGON2ID$v=19$m=8,t=1,p=1"TAIL, "a password hash has no known" },
	{ " "ID"m=8,t=1,p=1"TAIL, "a password hash has no known" },
	{ "$argon2id$", "no number at \"v=\"" },
	{ "$argon2id$secret", "no number at \"v=\"" },
	/* a form of before version 19 */
	{ "$argon2id$m=8,t=1,p=1"TAIL, "no number at \"v=\"" },
	{ "$argon2id$v=16$m=8,t=1,p=1"TAIL,
	  "an Argon2 hash has version 16, expected 19" },
	{ "$argon2id$v=$m=8,t=1,p=1"TAIL, "no number at \"v=\"" },
	{ ID, "no number at \"$m=\"" },
	{ "$argon2id$v=19,m=8,t=1,p=1"TAIL, "no number at \"$m=\"" },
	{ ID"m=,t=1,p=1"TAIL, "no number at \"$m=\"" },
	{ ID"m=08,t=1,p=1"TAIL, "no number at \"$m=\"" },
	{ ID"m=+8,t=1,p=1"TAIL, "no number at \"$m=\"" },
	{ ID"m=-8,t=1,p=1"TAIL, "no number at \"$m=\"" },
	{ ID"m= 8,t=1,p=1"TAIL, "no number at \"$m=\"" },
	{ ID"m=4294967296,t=1,p=1"TAIL, "no number at \"$m=\"" },
	{ ID"m=8k,t=1,p=1"TAIL, "no number at \",t=\"" },
	{ ID"t=1,m=8,p=1"TAIL, "no number at \"$m=\"" },
	{ ID"m=8,p=1,t=1"TAIL, "no number at \",t=\"" },
	{ ID"m=8,t=1"TAIL, "no number at \",p=\"" },
	{ ID"m=8,t=0,p=1"TAIL, "an Argon2 hash has t=0, expected at least 1" },
	{ ID"m=8,t=1,p=0"TAIL, "an Argon2 hash has p=0, expected 1 to" },
	{ ID"m=4294967295,t=1,p=16777216"TAIL,
	  "an Argon2 hash has p=16777216, expected 1 to 16777215" },
	{ ID"m=7,t=1,p=1"TAIL,
	  "an Argon2 hash has m=7, expected at least 8 for p=1" },
	{ ID"m=31,t=1,p=4"TAIL,
	  "an Argon2 hash has m=31, expected at least 32 for p=4" },
	{ ID"m=0,t=1,p=1"TAIL, "an Argon2 hash has m=0" },
	{ ID"m=8,t=1,p=1", "no salt behind the numbers" },
	{ ID"m=8,t=1,p=1,data=AAAA"TAIL, "no salt behind the numbers" },
	{ ID"m=8,t=1,p=1$", "the salt of an Argon2 hash is not base64 of at "
	  "least 8 octets" },
	{ ID"m=8,t=1,p=1$AAAAAAAAAA$"OUTPUT, "the salt of an Argon2 hash" },
	{ ID"m=8,t=1,p=1$"SALT"AAA$"OUTPUT, "the salt of an Argon2 hash" },
	{ ID"m=8,t=1,p=1$"SALT, "no output behind the salt" },
	{ ID"m=8,t=1,p=1$"SALT"==$"OUTPUT, "no output behind the salt" },
	{ ID"m=8,t=1,p=1$"SALT"_$"OUTPUT, "no output behind the salt" },
	{ ID"m=8,t=1,p=1$"SALT"$", "the output of an Argon2 hash is not base64 "
	  "of at least 16 octets" },
	{ ID"m=8,t=1,p=1$"SALT"$BBBBBBBBBBBBBBBBBBBBB", "the output of an" },
	{ ID"m=8,t=1,p=1"TAIL"BB", "the output of an Argon2 hash" },
	{ ID"m=8,t=1,p=1"TAIL"=", "there is more behind the output" },
	{ ID"m=8,t=1,p=1"TAIL" ", "there is more behind the output" },
	{ ID"m=8,t=1,p=1"TAIL"$x", "there is more behind the output" },
	{ "$7$", "an scrypt hash has not the form of libsodium's" },
	{ "$7$C6..../....", "an scrypt hash has not the form" },
	{ "$7$C6...", "an scrypt hash has not the form" },
	{ "$7$C6..../...", "an scrypt hash has not the form" },
	{ "$7$$6..../...."SCRYPT_TAIL, "an scrypt hash has not the form" },
	{ "$7$C6...$/...."SCRYPT_TAIL, "an scrypt hash has not the form" },
	{ "$7$C6..../...$"SCRYPT_TAIL, "an scrypt hash has not the form" },
	{ "$7$C"R8_P1 OUTPUT OUTPUT, "an scrypt hash has not the form" },
	{ "$7$C"R8_P1 OUTPUT"+"OUTPUT, "an scrypt hash has not the form" },
	{ "$7$C"R8_P1 OUTPUT"$", "an scrypt hash has not the form" },
	{ "$7$C"R8_P1 OUTPUT"B$"OUTPUT, "an scrypt hash has not the form" },
	{ "$7$C"R8_P1 SCRYPT_TAIL"B", "an scrypt hash has not the form" },
	{ "$7$C"R8_P1 SCRYPT_TAIL"$", "an scrypt hash has not the form" },
	{ "$7$."R8_P1 SCRYPT_TAIL, "an scrypt hash has N=2^0, r=8, p=1, "
	  "expected N=2^1 to 2^31 and r*p from 1 to 1073741823" },
	{ "$7$U"R8_P1 SCRYPT_TAIL, "an scrypt hash has N=2^32, r=8, p=1" },
	{ "$7$z"R8_P1 SCRYPT_TAIL, "an scrypt hash has N=2^63, r=8, p=1" },
	{ "$7$C...../...."SCRYPT_TAIL, "an scrypt hash has N=2^14, r=0, p=1" },
	{ "$7$C6........."SCRYPT_TAIL, "an scrypt hash has N=2^14, r=8, p=0" },
	/* their product is 2^30, and 2^48, which is 0 in 32 bits */
	{ "$7$C"".../.""../.."SCRYPT_TAIL, "an scrypt hash has N=2^14, "
	  "r=262144, p=4096" },
	{ "$7$C""..../""..../"SCRYPT_TAIL, "an scrypt hash has N=2^14, "
	  "r=16777216, p=16777216" },
};

static void test_parse_errors(void)
{
	enum password_hash_kind kind;
	struct password_hash_cost cost, untouched;
	const char *error;
	unsigned int i;

	test_begin("hash limits: what is no hash");
	memset(&untouched, 0xff, sizeof(untouched));
	for (i = 0; i < N_ELEMENTS(bad_tests); i++) {
		kind = PASSWORD_HASH_SCRYPT + 1;
		cost = untouched;
		error = "";
		test_assert_idx(password_hash_parse(bad_tests[i].hash, &kind,
						    &cost, &error) < 0, i);
		test_assert_idx(strncmp(error, bad_tests[i].error,
					strlen(bad_tests[i].error)) == 0, i);
		test_assert_idx(strstr(error, "secret") == NULL, i);
		test_assert_idx(memcmp(&cost, &untouched,
				       sizeof(cost)) == 0, i);
		test_assert_idx(kind == PASSWORD_HASH_SCRYPT + 1, i);
	}
	test_end();
}

/* Whatever a hash is cut to, that is no hash. Valgrind sees to it that nothing
   is read behind its end. */
static void test_parse_cut(void)
{
	enum password_hash_kind kind;
	struct password_hash_cost cost;
	const char *error;
	unsigned int i;
	size_t len;

	test_begin("hash limits: a hash that is cut");
	for (i = 0; i < 9; i += 8) {
		const char *hash = good_tests[i].hash;
		/* what is left of Argon2's output may be long enough */
		size_t end = i == 0 ? strlen(hash) - strlen(OUTPUT) + 22 :
			strlen(hash);

		for (len = 0; len < end; len++) {
			char *cut = i_strndup(hash, len);

			test_assert_idx(password_hash_parse(cut, &kind, &cost,
							    &error) < 0, len);
			i_free(cut);
		}
	}
	test_end();
}

static void test_parse_length(void)
{
	static const char head[] = ID"m=8,t=1,p=1$"SALT"$";
	char hash[PASSWORD_HASH_MAX_LEN + 2];
	enum password_hash_kind kind;
	struct password_hash_cost cost;
	const char *error;

	test_begin("hash limits: length");
	memset(hash, 'B', sizeof(hash));
	memcpy(hash, head, sizeof(head) - 1);
	hash[PASSWORD_HASH_MAX_LEN] = '\0';
	test_assert(password_hash_parse(hash, &kind, &cost, &error) == 0);
	hash[PASSWORD_HASH_MAX_LEN] = 'B';
	hash[PASSWORD_HASH_MAX_LEN + 1] = '\0';
	test_assert(password_hash_parse(hash, &kind, &cost, &error) < 0);
	test_assert_strcmp(error, "a password hash has 513 octets, "
			   "expected at most 512");
	test_end();
}

static void test_strip(void)
{
	static const struct {
		const char *hash, *stripped;
	} tests[] = {
		{ "$argon2id$x", "$argon2id$x" },
		{ "$argon2i$x", "$argon2i$x" },
		{ "$7$x", "$7$x" },
		{ "{ARGON2ID}$argon2id$x", "$argon2id$x" },
		{ "{argon2id}$argon2id$x", "$argon2id$x" },
		{ "{ARGON2I}$argon2i$x", "$argon2i$x" },
		{ "{ARGON2ID}{ARGON2I}$argon2i$x", NULL },
		{ "{ARGON2ID.B64}$argon2id$x", NULL },
		{ "{ARGON2ID}", NULL },
		{ "{PLAIN}$argon2id$x", NULL },
		{ "$argon2d$x", NULL },
		{ "$argon2id", NULL },
		{ "$6$x", NULL },
		{ "$7", NULL },
		{ "x$7$", NULL },
		{ "", NULL },
	};
	unsigned int i;

	test_begin("hash limits: schemes");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		test_assert_strcmp_idx(password_hash_strip(tests[i].hash),
				       tests[i].stripped, i);
	}
	test_end();
}

static void test_cost(void)
{
	struct password_hash_cost cost;

	test_begin("hash limits: cost of libsodium's limits");
	cost = password_hash_cost(2, 64 * M);
	test_assert(cost.memory == 64 * M && cost.work == 128 * M);
	cost = password_hash_cost(1ULL << 32, 1ULL << 31);
	test_assert(cost.work == 1ULL << 63);
	cost = password_hash_cost(1ULL << 32, 1ULL << 32);
	test_assert(cost.work == UINT64_MAX);
	cost = password_hash_cost(2, 0);
	test_assert(cost.memory == 0 && cost.work == 0);
	test_end();
}

static void test_cost_check(void)
{
	static const struct password_hash_cost max = { 128 * M, 512 * M };
	static const struct {
		struct password_hash_cost cost;
		const char *error;
	} tests[] = {
		{ { 128 * M, 512 * M }, NULL },
		{ { 0, 0 }, NULL },
		{ { 128 * M + 1, 512 * M },
		  "a password hash asks for 134217729 octets "
		  "of memory, allowed are 134217728" },
		{ { 128 * M, 512 * M + 1 }, "a password hash asks to go over "
		  "536870913 octets (memory times passes), allowed are "
		  "536870912" },
		{ { UINT64_MAX, UINT64_MAX },
		  "a password hash asks for 18446744073709551615 octets of "
		  "memory, allowed are 134217728" },
	};
	const char *error;
	unsigned int i;

	test_begin("hash limits: maximum");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		error = NULL;
		test_assert_idx(password_hash_cost_check(&tests[i].cost, &max,
				&error) == (tests[i].error == NULL ? 0 : -1),
				i);
		test_assert_strcmp_idx(error, tests[i].error, i);
	}
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_parse,
		test_parse_errors,
		test_parse_cut,
		test_parse_length,
		test_strip,
		test_cost,
		test_cost_check,
		NULL
	};
	return test_run(test_functions);
}
