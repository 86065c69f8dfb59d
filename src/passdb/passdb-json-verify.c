/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "auth-common.h"
#include "password-scheme.h"
#include "password-hash.h"
#include "scheme-limits.h"
#include "passdb-json.h"

static enum passdb_result
to_passdb_result(struct auth_request *request,
		 enum password_verify_result result, const char *error)
{
	switch (result) {
	case PASSWORD_VERIFY_MATCH:
		return PASSDB_RESULT_OK;
	case PASSWORD_VERIFY_MISMATCH:
		return PASSDB_RESULT_PASSWORD_MISMATCH;
	case PASSWORD_VERIFY_BAD_HASH:
		e_error(authdb_event(request), "%s", error);
		return PASSDB_RESULT_INTERNAL_FAILURE;
	case PASSWORD_VERIFY_FAILED:
		e_error(authdb_event(request), "%s (vsz_limit of service "
			"auth-worker may be too small)", error);
		return PASSDB_RESULT_INTERNAL_FAILURE;
	}
	i_unreached();
}

static enum passdb_result
verify_none(struct auth_request *request, const char *secret)
{
	const char *error = NULL;
	enum password_verify_result result =
		password_hasher_verify_none(PASSDB_JSON(request)->hasher,
					    secret, &error);

	return to_passdb_result(request, result, error);
}

/* Returns 1 if it is the password, 0 if not, -1 and an error if that cannot be
   known. What the hash costs is known before anything is computed. */
static int
scheme_verify(struct auth_request *request, const char *hash,
	      const char *secret, const char **error_r)
{
	struct password_generate_params params = {
		.user = request->fields.original_username
	};
	/* as others have a hash without a scheme */
	const char *scheme = "CRYPT";
	const unsigned char *raw;
	const char *error;
	size_t size;
	int ret;

	if (*hash == '{') {
		scheme = password_get_scheme(&hash);
		i_assert(scheme != NULL);
	}
	ret = password_decode(hash, scheme, &raw, &size, &error);
	if (ret == 0) {
		*error_r = t_strdup_printf("this Dovecot does not check "
			"password hashes of the scheme %s", scheme);
		return -1;
	}
	if (ret < 0) {
		*error_r = t_strdup_printf("a password hash has not the form "
			"of the scheme %s: %s", scheme, error);
		return -1;
	}
	if (scheme_hash_check(scheme, raw, size, error_r) < 0)
		return -1;
	ret = password_verify(secret, &params, scheme, raw, size, &error);
	if (ret < 0) {
		*error_r = t_strdup_printf("cannot check a password hash of "
			"the scheme %s: %s", scheme, error);
	}
	return ret;
}

/* Old hashes are quick to check: a wrong password takes as long as always. */
static enum passdb_result
other_verify(struct auth_request *request, const char *hash, const char *secret)
{
	const char *error;
	int ret = scheme_verify(request, hash, secret, &error);

	if (ret > 0)
		return PASSDB_RESULT_OK;
	if (ret == 0)
		return verify_none(request, secret);
	e_error(authdb_event(request), "%s", error);
	return PASSDB_RESULT_INTERNAL_FAILURE;
}

enum passdb_result
passdb_json_verify(struct auth_request *request, const char *hash,
		   const char *secret)
{
	const char *error = NULL;
	enum password_verify_result result;

	if (hash == NULL)
		return verify_none(request, secret);
	if (password_hash_strip(hash) == NULL)
		return other_verify(request, hash, secret);
	result = password_hasher_verify(PASSDB_JSON(request)->hasher,
					password_hash_strip(hash), secret,
					&error);
	return to_passdb_result(request, result, error);
}

bool passdb_json_hash_is_old(const struct passdb_json *json, const char *hash)
{
	const char *stripped = password_hash_strip(hash);

	return stripped == NULL ||
		password_hasher_wants_rehash(json->hasher, stripped);
}
