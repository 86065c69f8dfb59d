#ifndef POP3_POLICY_SCHEME_LIMITS_H
#define POP3_POLICY_SCHEME_LIMITS_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* Like those in hash-limits.h, for hashes of the schemes that Dovecot checks by
   itself: at the most a check takes about a second. */

#define SCHEME_SHA_CRYPT_ROUNDS_MAX 1000000
#define SCHEME_BCRYPT_COST_MAX 14
/* Of PBKDF2, and of SCRAM, which is made by it. */
#define SCHEME_PBKDF2_ROUNDS_MAX 1000000

/* Read what a hash asks for. The scheme may have an encoding behind it, which
   the hash here is without. Returns 0, or -1 and an error that names what is
   wrong and what is allowed, but quotes nothing of the hash except numbers. */
int scheme_hash_check(const char *scheme, const unsigned char *hash,
		      size_t size, const char **error_r);

#endif
