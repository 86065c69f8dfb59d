/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "compat-user-vars.h"
#include "credential-check.h"
#include "credential-path.h"
#include "passdb-config.h"

/* What auth would not start with, and what it knows of a login but nobody knows
   here. */
static int check(const struct passdb_config *config, const char **error_r)
{
	const char *error;
	bool has_vars;

	if (!passdb_json_settings_check(&config->set, &error)) {
		*error_r = t_strdup_printf("passdb json: %s", error);
		return -1;
	}
	if (compat_user_vars_check(config->set.passdb_json_path, &has_vars,
				   &error) < 0) {
		*error_r = t_strdup_printf("passdb json: path: %s", error);
		return -1;
	}
	if (compat_user_vars_check(config->username_format, &has_vars,
				   &error) < 0) {
		*error_r = t_strdup_printf("auth_username_format: %s", error);
		return -1;
	}
	return 0;
}

int passdb_config_read(pool_t pool, struct passdb_config *config_r,
		       const char **error_r)
{
	struct passdb_config config;

	if (passdb_config_load(pool, &config, error_r) < 0 ||
	    check(&config, error_r) < 0)
		return -1;
	*config_r = config;
	return 0;
}

int passdb_config_username(const struct passdb_config *config,
			   const char *login_name, const char **username_r,
			   const char **error_r)
{
	const char *username = login_name, *error;

	if (*config->username_format != '\0' &&
	    compat_user_vars_expand(config->username_format, login_name, NULL,
				    &username, &error) < 0) {
		*error_r = t_strdup_printf("auth_username_format: %s", error);
		return -1;
	}
	if (!credential_user_name_is_valid(username, &error)) {
		*error_r = t_strdup_printf("bad name of a user: %s", error);
		return -1;
	}
	*username_r = username;
	return 0;
}

int passdb_config_path(const struct passdb_config *config, const char *username,
		       const char **path_r, const char **error_r)
{
	return credential_path_make(config->set.passdb_json_path, username,
				    path_r, error_r) > 0 ? 0 : -1;
}
