#ifndef POP3_POLICY_PASSDB_JSON_H
#define POP3_POLICY_PASSDB_JSON_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "passdb.h"
#include "credential.h"
#include "passdb-json-settings.h"

struct app_password;
struct login_choice;

/* The passdb driver "json". Checks are made in workers of auth, one at a time
   in each; auth itself only knows the settings, and reads no file. */
struct passdb_json {
	struct passdb_module module;
	struct passdb_json_settings set;
	/* what of the path stands before its variables, up to a slash: each
	   user has a file below this; NULL if the path has none */
	const char *users_folder;

	/* of workers: */
	struct password_hasher *hasher;
	struct credential_store *store;
	struct after_logins *after_logins;
};

#define PASSDB_JSON(request) \
	(container_of((request)->passdb->passdb, struct passdb_json, module))

void passdb_json_verify_plain(struct auth_request *request,
			      const char *password,
			      verify_plain_callback_t *callback);
void passdb_json_lookup_credentials(struct auth_request *request,
				    lookup_credentials_callback_t *callback);

/* Find the user of the request. Returns 1, 0 if there is no such user, or -1 if
   that cannot be known, and it is logged. The path of the file is in the data
   stack, the user in the pool; both are set for 1 only. */
int passdb_json_find_user(struct auth_request *request, pool_t pool,
			  const char **path_r, struct credential_user *user_r);

/* Check a password by one hash, or by none if this is NULL; it takes at least
   as long as none. Anything but OK and PASSWORD_MISMATCH is logged. */
enum passdb_result
passdb_json_verify(struct auth_request *request, const char *hash,
		   const char *secret);

/* TRUE if a new hash of the same password would be another one. */
bool passdb_json_hash_is_old(const struct passdb_json *json, const char *hash);

/* Answer with what is known of the user, for somebody who asks for no password:
   OK, USER_UNKNOWN, USER_DISABLED or INTERNAL_FAILURE. */
enum passdb_result passdb_json_lookup(struct auth_request *request);

/* The fields of a user's file that are for the userdb. */
void passdb_json_set_user_fields(struct auth_request *request,
				 const struct credential_user *user);
/* What an app password brings: its device, settings and networks. If these do
   not allow the login request->failed is set. */
void passdb_json_set_app_fields(struct auth_request *request,
				const struct login_choice *choice);
/* Keep a hash in the cache of auth by which it can check the password without
   us. */
void passdb_json_set_cached_password(struct auth_request *request,
				     const char *password);

#endif
