/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "password-scheme.h"
#include "compat-password.h"

/* doveadm has these, and doveadm-server has not, which loads the same modules:
   2.4 has only the register of all schemes there. */
#if DOVECOT_PREREQ(2, 4, 0)
#  pragma weak password_schemes_register_all
#  define compat_schemes_init password_schemes_register_all
#else
#  pragma weak password_schemes_init
#  pragma weak password_schemes_deinit
#  pragma weak password_get_scheme
#  pragma weak password_decode
#  pragma weak password_verify
#  define compat_schemes_init password_schemes_init
#endif

int compat_password_schemes_begin(const char **error_r)
{
	if (compat_schemes_init == NULL) {
		*error_r = "a server does not have Dovecot's schemes of "
			"passwords, run doveadm without it";
		return -1;
	}
	compat_schemes_init();
	return 0;
}

void compat_password_schemes_end(void)
{
	password_schemes_deinit();
}

/* Returns 0 and what is behind the scheme, or -1 and an error if the hash is
   none that can be checked. */
static int
decode(const char *hash, compat_password_check_t *check, const char **scheme_r,
       const unsigned char **raw_r, size_t *size_r, const char **error_r)
{
	const char *error;
	int ret;

	if (*hash == '{') {
		*scheme_r = password_get_scheme(&hash);
		i_assert(*scheme_r != NULL);
	} else {
		/* as others have a hash without a scheme */
		*scheme_r = "CRYPT";
	}
	ret = password_decode(hash, *scheme_r, raw_r, size_r, &error);
	if (ret > 0)
		return check(*scheme_r, *raw_r, *size_r, error_r);
	*error_r = ret == 0 ?
		t_strdup_printf("this Dovecot does not check password hashes "
				"of the scheme %s", *scheme_r) :
		t_strdup_printf("a password hash has not the form of the "
				"scheme %s: %s", *scheme_r, error);
	return -1;
}

int compat_password_check(const char *hash, compat_password_check_t *check,
			  const char **error_r)
{
	const unsigned char *raw;
	const char *scheme;
	size_t size;

	return decode(hash, check, &scheme, &raw, &size, error_r);
}

int compat_password_verify(const char *username, const char *hash,
			   const char *password, compat_password_check_t *check,
			   const char **error_r)
{
	const struct password_generate_params params = { .user = username };
	const unsigned char *raw;
	const char *scheme, *error;
	size_t size;
	int ret;

	if (decode(hash, check, &scheme, &raw, &size, error_r) < 0)
		return -1;
	ret = password_verify(password, &params, scheme, raw, size, &error);
	if (ret < 0) {
		*error_r = t_strdup_printf("cannot check a password hash of "
			"the scheme %s: %s", scheme, error);
	}
	return ret;
}
