#ifndef POP3_POLICY_HASH_LIMITS_H
#define POP3_POLICY_HASH_LIMITS_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* A hash names the memory and the time that its check takes, so who can write
   one into a file of credentials could bring the server to a halt. What it
   names is read here, before anything is computed. */

/* Longer than any that is in use; libsodium writes at most 127 octets. */
#define PASSWORD_HASH_MAX_LEN 512

enum password_hash_kind {
	PASSWORD_HASH_ARGON2ID,
	PASSWORD_HASH_ARGON2I,
	/* libsodium's, "$7$" */
	PASSWORD_HASH_SCRYPT
};

struct password_hash_cost {
	/* Octets. */
	uint64_t memory;
	/* Octets of it that are gone over: the memory times the passes. */
	uint64_t work;
};

/* The cost of a hash at these limits, in the words of libsodium. */
struct password_hash_cost
password_hash_cost(uint64_t opslimit, uint64_t memlimit);

/* The string itself of a hash that a check by libsodium can take:
   "$argon2id$...", "$argon2i$..." or "$7$...", also behind "{ARGON2ID}" or
   "{ARGON2I}" as other files of passwords have it. NULL if it is of another
   scheme. */
const char *password_hash_strip(const char *hash);

/* Read what such a string asks for. Returns 0, or -1 and an error that names
   the part that is wrong and what was expected, but quotes nothing except
   numbers: the string may be a secret. */
int password_hash_parse(const char *hash, enum password_hash_kind *kind_r,
			struct password_hash_cost *cost_r,
			const char **error_r);

/* Returns 0 if neither is above the maximum, or -1 and an error. */
int password_hash_cost_check(const struct password_hash_cost *cost,
			     const struct password_hash_cost *max,
			     const char **error_r);

#endif
