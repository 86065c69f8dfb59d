/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "auth-common.h"
#include "compat-password.h"
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

/* Old hashes are quick to check: a wrong password takes as long as always. */
static enum passdb_result
other_verify(struct auth_request *request, const char *hash, const char *secret)
{
	const char *error;
	int ret = compat_password_verify(request->fields.original_username,
					 hash, secret, scheme_hash_check,
					 &error);

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
