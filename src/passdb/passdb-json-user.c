/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "ioloop.h"
#include "auth-common.h"
#include "credential-path.h"
#include "credential-store.h"
#include "passdb-json.h"

int passdb_json_find_user(struct auth_request *request, pool_t pool,
			  const char **path_r, struct credential_user *user_r)
{
	struct passdb_json *json = PASSDB_JSON(request);
	const char *path, *error;
	int ret;

	ret = credential_path_make(json->set.passdb_json_path,
				   request->fields.user, &path, &error);
	if (ret == 0) {
		/* anybody can try this: it is no trouble of the server's */
		e_info(authdb_event(request), "%s", error);
		return 0;
	}
	if (ret > 0) {
		ret = credential_store_find(json->store, path,
					    json->users_folder,
					    request->fields.user, ioloop_time,
					    pool, user_r, &error);
	}
	if (ret < 0)
		e_error(authdb_event(request), "%s", error);
	else if (ret > 0)
		*path_r = path;
	return ret;
}
