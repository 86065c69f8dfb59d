/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "strnum.h"
#include "hash-limits.h"

#include <ctype.h>

#define ARGON2ID_PREFIX "$argon2id$"
#define ARGON2I_PREFIX "$argon2i$"
#define SCRYPT_PREFIX "$7$"

#define ARGON2_VERSION 19
/* Each lane has at least two blocks of a kilobyte in each of four slices. */
#define ARGON2_LANE_BLOCKS 8
#define ARGON2_LANES_MAX 0xffffff
#define ARGON2_SALT_MIN_OCTETS 8
#define ARGON2_OUTPUT_MIN_OCTETS 16

/* N as a power of two in one digit, r and p in five each. */
#define SCRYPT_NUMBER_DIGITS 5
#define SCRYPT_N_LOG2_MAX 31
#define SCRYPT_R_P_MAX (1U << 30)
#define SCRYPT_BLOCK 128
/* 32 octets, in digits of 6 bits. */
#define SCRYPT_OCTETS_DIGITS 43

#define SCRYPT_DIGITS \
	"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define BASE64_DIGITS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

static uint64_t multiply(uint64_t a, uint64_t b)
{
	return b != 0 && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

struct password_hash_cost
password_hash_cost(uint64_t opslimit, uint64_t memlimit)
{
	struct password_hash_cost cost = {
		.memory = memlimit,
		.work = multiply(opslimit, memlimit)
	};
	return cost;
}

static bool skip_prefix(const char **text, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strncmp(*text, prefix, len) != 0)
		return FALSE;
	*text += len;
	return TRUE;
}

static bool skip_scheme(const char **text, const char *scheme)
{
	size_t len = strlen(scheme);

	if (strncasecmp(*text, scheme, len) != 0)
		return FALSE;
	*text += len;
	return TRUE;
}

const char *password_hash_strip(const char *hash)
{
	const char *rest;

	if (!skip_scheme(&hash, "{ARGON2ID}"))
		(void)skip_scheme(&hash, "{ARGON2I}");
	rest = hash;
	return skip_prefix(&rest, ARGON2ID_PREFIX) ||
		skip_prefix(&rest, ARGON2I_PREFIX) ||
		skip_prefix(&rest, SCRYPT_PREFIX) ? hash : NULL;
}

/* A number as it is printed, behind its name. */
static int
argon2_number(const char **text, const char *name, uint32_t *number_r,
	      const char **error_r)
{
	const char *rest = *text;

	if (!skip_prefix(&rest, name) ||
	    (rest[0] == '0' && i_isdigit(rest[1])) ||
	    str_parse_uint32(rest, number_r, &rest) < 0) {
		*error_r = t_strdup_printf("no number at \"%s\" in an Argon2 "
			"hash, expected $v=19$m=KILOBYTES,t=PASSES,p=LANES$"
			"SALT$HASH", name);
		return -1;
	}
	*text = rest;
	return 0;
}

/* Octets in base64 without padding, of at least so many. */
static int
argon2_octets(const char **text, const char *what, size_t min_octets,
	      const char **error_r)
{
	size_t len = strspn(*text, BASE64_DIGITS);

	if (len % 4 == 1 || len * 3 / 4 < min_octets) {
		*error_r = t_strdup_printf("the %s of an Argon2 hash is "
			"not base64 of at least %zu octets", what, min_octets);
		return -1;
	}
	*text += len;
	return 0;
}

static int
argon2_check_numbers(uint32_t version, uint32_t kilobytes, uint32_t passes,
		     uint32_t lanes, const char **error_r)
{
	if (version != ARGON2_VERSION) {
		*error_r = t_strdup_printf("an Argon2 hash has version %u, "
			"expected %u", version, ARGON2_VERSION);
		return -1;
	}
	if (passes == 0) {
		*error_r = "an Argon2 hash has t=0, expected at least 1";
		return -1;
	}
	if (lanes == 0 || lanes > ARGON2_LANES_MAX) {
		*error_r = t_strdup_printf("an Argon2 hash has p=%u, "
			"expected 1 to %u", lanes, ARGON2_LANES_MAX);
		return -1;
	}
	if (kilobytes < ARGON2_LANE_BLOCKS * lanes) {
		*error_r = t_strdup_printf("an Argon2 hash has m=%u, expected "
			"at least %u for p=%u", kilobytes,
			ARGON2_LANE_BLOCKS * lanes, lanes);
		return -1;
	}
	return 0;
}

static int
argon2_parse(const char *text, struct password_hash_cost *cost_r,
	     const char **error_r)
{
	uint32_t version, kilobytes, passes, lanes;

	if (argon2_number(&text, "v=", &version, error_r) < 0 ||
	    argon2_number(&text, "$m=", &kilobytes, error_r) < 0 ||
	    argon2_number(&text, ",t=", &passes, error_r) < 0 ||
	    argon2_number(&text, ",p=", &lanes, error_r) < 0 ||
	    argon2_check_numbers(version, kilobytes, passes, lanes,
				 error_r) < 0)
		return -1;
	if (*text++ != '$') {
		*error_r = "no salt behind the numbers of an Argon2 hash";
		return -1;
	}
	if (argon2_octets(&text, "salt", ARGON2_SALT_MIN_OCTETS, error_r) < 0)
		return -1;
	if (*text++ != '$') {
		*error_r = "no output behind the salt of an Argon2 hash";
		return -1;
	}
	if (argon2_octets(&text, "output", ARGON2_OUTPUT_MIN_OCTETS,
			  error_r) < 0)
		return -1;
	if (*text != '\0') {
		*error_r = "there is more behind the output of an Argon2 hash";
		return -1;
	}
	*cost_r = password_hash_cost(passes, (uint64_t)kilobytes * 1024);
	return 0;
}

static bool
scrypt_number(const char **text, unsigned int digits, uint32_t *number_r)
{
	unsigned int i;

	*number_r = 0;
	for (i = 0; i < digits; i++) {
		const char *digit = **text == '\0' ? NULL :
			strchr(SCRYPT_DIGITS, **text);

		if (digit == NULL)
			return FALSE;
		/* the lowest digit comes first */
		*number_r |= (uint32_t)(digit - SCRYPT_DIGITS) << (6 * i);
		*text += 1;
	}
	return TRUE;
}

static bool scrypt_rest_is_valid(const char *text)
{
	size_t salt_len = strspn(text, SCRYPT_DIGITS);

	if (salt_len != SCRYPT_OCTETS_DIGITS || text[salt_len] != '$')
		return FALSE;
	text += salt_len + 1;
	return strspn(text, SCRYPT_DIGITS) == SCRYPT_OCTETS_DIGITS &&
		text[SCRYPT_OCTETS_DIGITS] == '\0';
}

static int
scrypt_parse(const char *text, struct password_hash_cost *cost_r,
	     const char **error_r)
{
	uint32_t n_log2, r, p;
	uint64_t blocks;

	if (!scrypt_number(&text, 1, &n_log2) ||
	    !scrypt_number(&text, SCRYPT_NUMBER_DIGITS, &r) ||
	    !scrypt_number(&text, SCRYPT_NUMBER_DIGITS, &p) ||
	    !scrypt_rest_is_valid(text)) {
		*error_r = "an scrypt hash has not the form of libsodium's "
			"($7$, 11 digits, 43 of salt, $, 43 of output)";
		return -1;
	}
	if (n_log2 == 0 || n_log2 > SCRYPT_N_LOG2_MAX || r == 0 || p == 0 ||
	    (uint64_t)r * p >= SCRYPT_R_P_MAX) {
		*error_r = t_strdup_printf("an scrypt hash has N=2^%u, r=%u, "
			"p=%u, expected N=2^1 to 2^%u and r*p from 1 to %u",
			n_log2, r, p, SCRYPT_N_LOG2_MAX, SCRYPT_R_P_MAX - 1);
		return -1;
	}
	/* the table, the blocks that are mixed and two to work with */
	blocks = multiply((1ULL << n_log2) + p + 2, r);
	cost_r->memory = multiply(blocks, SCRYPT_BLOCK);
	/* the table is filled once and read once for each p */
	cost_r->work = multiply(multiply(2 * (1ULL << n_log2), r * p),
				SCRYPT_BLOCK);
	return 0;
}

int password_hash_parse(const char *hash, enum password_hash_kind *kind_r,
			struct password_hash_cost *cost_r,
			const char **error_r)
{
	enum password_hash_kind kind;
	struct password_hash_cost cost;
	int ret;

	if (strlen(hash) > PASSWORD_HASH_MAX_LEN) {
		*error_r = t_strdup_printf("a password hash has %zu octets, "
			"expected at most %u", strlen(hash),
			PASSWORD_HASH_MAX_LEN);
		return -1;
	}
	if (skip_prefix(&hash, SCRYPT_PREFIX)) {
		kind = PASSWORD_HASH_SCRYPT;
		ret = scrypt_parse(hash, &cost, error_r);
	} else if (skip_prefix(&hash, ARGON2ID_PREFIX)) {
		kind = PASSWORD_HASH_ARGON2ID;
		ret = argon2_parse(hash, &cost, error_r);
	} else if (skip_prefix(&hash, ARGON2I_PREFIX)) {
		kind = PASSWORD_HASH_ARGON2I;
		ret = argon2_parse(hash, &cost, error_r);
	} else {
		*error_r = "a password hash has no known beginning, expected "
			ARGON2ID_PREFIX", "ARGON2I_PREFIX" or "SCRYPT_PREFIX;
		ret = -1;
	}
	if (ret < 0)
		return -1;
	*kind_r = kind;
	*cost_r = cost;
	return 0;
}

int password_hash_cost_check(const struct password_hash_cost *cost,
			     const struct password_hash_cost *max,
			     const char **error_r)
{
	if (cost->memory > max->memory) {
		*error_r = t_strdup_printf("a password hash asks for %"PRIu64
			" octets of memory, allowed are %"PRIu64,
			cost->memory, max->memory);
		return -1;
	}
	if (cost->work > max->work) {
		*error_r = t_strdup_printf("a password hash asks to go over %"
			PRIu64" octets (memory times passes), allowed are %"
			PRIu64, cost->work, max->work);
		return -1;
	}
	return 0;
}
