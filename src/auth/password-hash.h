#ifndef POP3_POLICY_PASSWORD_HASH_H
#define POP3_POLICY_PASSWORD_HASH_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "hash-limits.h"

/* Passwords and their hashes, by libsodium. */

struct password_hasher;

struct password_hasher_settings {
	/* Of new hashes, in the words of libsodium. Each check takes all of the
	   memory at once. */
	uint64_t opslimit;
	uint64_t memlimit;
	/* What a stored hash may ask for at the most. */
	struct password_hash_cost max;
};

/* libsodium's INTERACTIVE limits (64 MB in 2 passes), and as a maximum twice
   the memory and four times the work. */
extern const struct password_hasher_settings password_hasher_defaults;

enum password_verify_result {
	PASSWORD_VERIFY_MATCH,
	PASSWORD_VERIFY_MISMATCH,
	/* The hash is malformed or asks for more than is allowed, and nothing
	   was computed. *error_r says which; it has no secret in it. */
	PASSWORD_VERIFY_BAD_HASH,
	/* There is not enough memory now, says *error_r: whether the password
	   is right is not known. */
	PASSWORD_VERIFY_FAILED
};

/* Returns 0, or -1 and an error if libsodium does not take these limits or if
   the maximum is below them. */
int password_hasher_init(const struct password_hasher_settings *set,
			 struct password_hasher **hasher_r,
			 const char **error_r);
void password_hasher_deinit(struct password_hasher **hasher);

/* Hash a password by Argon2id; the hash is in the data stack. Returns 0, or -1
   and an error if there is not enough memory. */
int password_hasher_hash(struct password_hasher *hasher, const char *password,
			 const char **hash_r, const char **error_r);

/* Compute whether this is the password of a hash that password_hash_strip() has
   returned. */
enum password_verify_result
password_hasher_verify(struct password_hasher *hasher, const char *hash,
		       const char *password, const char **error_r);

/* Whether such a hash has the form of one and asks for no more than is allowed.
   Returns 0, or -1 and an error. */
int password_hasher_check(struct password_hasher *hasher, const char *hash,
			  const char **error_r);

/* Spend on a password what the check of a new hash takes, so that it cannot be
   seen from the time that there is none. Never PASSWORD_VERIFY_MATCH. */
enum password_verify_result
password_hasher_verify_none(struct password_hasher *hasher,
			    const char *password, const char **error_r);

/* TRUE if a new hash of the same password would have other limits or be of
   another kind. */
bool password_hasher_wants_rehash(struct password_hasher *hasher,
				  const char *hash);

#endif
