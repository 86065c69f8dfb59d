/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "auth-common.h"
#include "compat-passdb.h"
#include "passdb-json.h"

enum passdb_result passdb_json_lookup(struct auth_request *request)
{
	struct credential_user user;
	const char *path;
	int ret;

	ret = passdb_json_find_user(request, pool_datastack_create(), &path,
				    &user);
	if (ret < 0)
		return PASSDB_RESULT_INTERNAL_FAILURE;
	if (ret == 0) {
		compat_passdb_log_unknown_user(request);
		return PASSDB_RESULT_USER_UNKNOWN;
	}
	if (!user.enabled)
		return PASSDB_RESULT_USER_DISABLED;
	if (compat_passdb_set_fields(request) < 0)
		return PASSDB_RESULT_INTERNAL_FAILURE;
	passdb_json_set_user_fields(request, &user);
	return PASSDB_RESULT_OK;
}

void passdb_json_lookup_credentials(struct auth_request *request,
				    lookup_credentials_callback_t *callback)
{
	enum passdb_result result;

	if (*request->wanted_credentials_scheme != '\0') {
		/* whether there is such a user is not told */
		e_warning(authdb_event(request), "mechanism %s needs passwords "
			  "in the clear, but only hashes of them are stored: "
			  "leave it out of auth_mechanisms",
			  request->fields.mech_name);
		callback(PASSDB_RESULT_SCHEME_NOT_AVAILABLE, NULL, 0, request);
		return;
	}
	T_BEGIN {
		result = passdb_json_lookup(request);
	} T_END;
	passdb_handle_credentials(result, NULL, NULL, callback, request);
}
