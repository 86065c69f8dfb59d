#ifndef POP3_POLICY_COMPAT_PASSWORD_H
#define POP3_POLICY_COMPAT_PASSWORD_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* Look at a hash before anything is computed from it. Returns 0, or -1 and an
   error. */
typedef int
compat_password_check_t(const char *scheme, const unsigned char *hash,
			size_t size, const char **error_r);

/* Hashes of Dovecot's own schemes: "{SCHEME}...", valid by
   credential_hash_is_valid(), or one that crypt() has printed. auth knows the
   schemes; doveadm does between these two calls. The first one comes before
   libsodium is used: if it was, 2.3 takes that for a failure and exits. Returns
   0, or -1 and an error. */
int compat_password_schemes_begin(const char **error_r);
void compat_password_schemes_end(void);

/* Whether such a hash could be checked. Returns 0, or -1 and an error. */
int compat_password_check(const char *hash, compat_password_check_t *check,
			  const char **error_r);
/* Whether it is of this password; what check() refuses is not computed. Returns
   1, 0, or -1 and an error. */
int compat_password_verify(const char *username, const char *hash,
			   const char *password, compat_password_check_t *check,
			   const char **error_r);

#endif
