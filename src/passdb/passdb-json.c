/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "hex-binary.h"
#include "randgen.h"
#include "auth-common.h"
#include "credential-store.h"
#include "password-hash.h"
#include "compat-passdb.h"
#include "compat-user-vars.h"
#include "after-login.h"
#include "passdb-json-hasher.h"
#include "passdb-json.h"
#include "passdb-json-module.h"
#include "worker-memory.h"

/* Of the texts of files that are kept beside the newest one. */
#define STORE_MAX_SIZE (16 * 1024 * 1024)

#define CACHE_SALT_OCTETS 16

const char *authdb_json_version = DOVECOT_ABI_VERSION;

static const char *make_cache_key(pool_t pool, const char *fields_key)
{
	unsigned char salt[CACHE_SALT_OCTETS];
	const char *key;

	random_fill(salt, sizeof(salt));
	key = compat_passdb_cache_key(binary_to_hex(salt, sizeof(salt)));
	return *fields_key == '\0' ? p_strdup(pool, key) :
		p_strconcat(pool, key, "\t", fields_key, NULL);
}

static const char *
get_users_folder(pool_t pool, const struct passdb_json *json)
{
	const char *path = json->set.passdb_json_path;
	/* the settings begin with a slash, and a literal percent sign only
	   makes the folder a higher one */
	const char *fixed = t_strcut(path, '%');

	return p_strdup_until(pool, fixed, strrchr(fixed, '/') + 1);
}

static int
passdb_json_create(pool_t pool, const struct passdb_json_settings *set,
		   const char *fields_key, struct passdb_module **module_r,
		   const char **error_r)
{
	struct passdb_json *json;
	const char *error;
	bool own_files;

	if (!passdb_json_settings_check(set, error_r))
		return -1;
	if (compat_user_vars_check(set->passdb_json_path, &own_files,
				   &error) < 0) {
		*error_r = t_strdup_printf("path: %s", error);
		return -1;
	}
	json = p_new(pool, struct passdb_json, 1);
	json->set = *set;
	json->set.pool = pool;
	json->set.passdb_json_path = p_strdup(pool, set->passdb_json_path);
	if (own_files)
		json->users_folder = get_users_folder(pool, json);
	json->module.default_cache_key = make_cache_key(pool, fields_key);
	/* of what is kept in the cache, which always says it */
	json->module.default_pass_scheme = "SSHA256";
	*module_r = &json->module;
	return 0;
}

static void passdb_json_init(struct passdb_module *module)
{
	struct passdb_json *json =
		container_of(module, struct passdb_json, module);
	struct password_hasher_settings set;
	const char *error;

	/* Else a check would stop all logins of the server. 2.4 sets this to
	   what the admin says after preinit(), so it is done here. */
	module->blocking = TRUE;

	passdb_json_hasher_settings(&json->set, &set);
	if (password_hasher_init(&set, &json->hasher, &error) < 0)
		i_fatal("passdb json: %s", error);
	if (!worker)
		return;
	json->store = credential_store_init(STORE_MAX_SIZE, auth_event);
	json->after_logins = after_logins_init(json->hasher, json->store,
					       auth_event);
	if (!worker_memory_check(json->set.passdb_json_hash_memory, &error))
		e_error(auth_event, "passdb json: %s", error);
}

static void passdb_json_deinit(struct passdb_module *module)
{
	struct passdb_json *json =
		container_of(module, struct passdb_json, module);

	if (json->after_logins != NULL)
		after_logins_deinit(&json->after_logins);
	if (json->store != NULL)
		credential_store_deinit(&json->store);
	password_hasher_deinit(&json->hasher);
}

static struct passdb_module_interface passdb_json = {
	.name = "json",

	.init = passdb_json_init,
	.deinit = passdb_json_deinit,

	.verify_plain = passdb_json_verify_plain,
	.lookup_credentials = passdb_json_lookup_credentials,
};

void authdb_json_init(void)
{
	compat_passdb_register(&passdb_json, passdb_json_create);
}

void authdb_json_deinit(void)
{
	passdb_unregister_module(&passdb_json);
}
