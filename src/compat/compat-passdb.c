/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "auth-common.h"
#include "passdb.h"
#include "passdb-json-settings.h"
#include "compat-passdb.h"

#if DOVECOT_PREREQ(2, 4, 0)
#  include "settings.h"
#  include "auth-settings.h"
#  include "auth-cache.h"
#  include "passdb-json-settings-info.h"
#else
#  include "passdb-template.h"
#endif

static compat_passdb_create_t *passdb_create;

#if DOVECOT_PREREQ(2, 4, 0)
/* The variables of passdb { fields {} }. */
static int
get_fields_key(struct event *event, const char **key_r,
	       const char **error_r)
{
	const struct auth_passdb_post_settings *set;

	if (settings_get(event, &auth_passdb_post_setting_parser_info,
			 SETTINGS_GET_FLAG_NO_CHECK |
			 SETTINGS_GET_FLAG_NO_EXPAND, &set, error_r) < 0)
		return -1;
	*key_r = auth_cache_parse_key_and_fields(pool_datastack_create(), "",
						 &set->fields, "json");
	settings_free(set);
	return 0;
}

static int
passdb_preinit_settings(pool_t pool, struct event *event,
			struct passdb_module **module_r, const char **error_r)
{
	const struct passdb_json_settings *set;
	const char *fields_key;
	int ret;

	if (settings_get(event, &passdb_json_setting_parser_info,
			 SETTINGS_GET_FLAG_NO_EXPAND, &set, error_r) < 0)
		return -1;
	ret = get_fields_key(event, &fields_key, error_r);
	if (ret == 0)
		ret = passdb_create(pool, set, fields_key, module_r, error_r);
	settings_free(set);
	return ret;
}
#else
static struct passdb_module *
passdb_preinit_settings(pool_t pool, const char *args)
{
	struct passdb_json_settings set;
	struct passdb_module *module;
	const char *error;

	if (passdb_json_settings_parse_args(args, pool, &set, &error) < 0 ||
	    passdb_create(pool, &set, "", &module, &error) < 0)
		i_fatal("passdb json: %s", error);
	return module;
}
#endif

void compat_passdb_register(struct passdb_module_interface *iface,
			    compat_passdb_create_t *create)
{
	passdb_create = create;
	iface->preinit = passdb_preinit_settings;
	passdb_register_module(iface);
}

const char *compat_passdb_cache_key(const char *salt)
{
	/* the user comes first, as "doveadm auth cache flush" needs it */
#if DOVECOT_PREREQ(2, 4, 0)
	return t_strdup_printf("%%{user}\t%%{protocol}\t%%{password | "
			       "sha256(salt='%s') | truncate(4) | hexlify}",
			       salt);
#else
	return t_strdup_printf("%%u\t%%s\t%%{sha256;truncate=32,salt=%s:"
			       "password}", salt);
#endif
}

const char *compat_passdb_protocol(const struct auth_request *request)
{
#if DOVECOT_PREREQ(2, 4, 0)
	return request->fields.protocol;
#else
	return request->fields.service;
#endif
}

int compat_passdb_set_fields(struct auth_request *request)
{
#if DOVECOT_PREREQ(2, 4, 0)
	return auth_request_set_passdb_fields(request, NULL);
#else
	const char *error;

	if (passdb_template_export(request->passdb->default_fields_tmpl,
				   request, &error) < 0) {
		e_error(authdb_event(request),
			"Failed to expand default_fields: %s", error);
		return -1;
	}
	return 0;
#endif
}

void compat_passdb_log_unknown_user(struct auth_request *request)
{
#if DOVECOT_PREREQ(2, 4, 0)
	auth_request_db_log_unknown_user(request);
#else
	auth_request_log_unknown_user(request, AUTH_SUBSYS_DB);
#endif
}

void compat_passdb_log_mismatch(struct auth_request *request)
{
#if DOVECOT_PREREQ(2, 4, 0)
	auth_request_db_log_password_mismatch(request);
#else
	auth_request_log_password_mismatch(request, AUTH_SUBSYS_DB);
#endif
}
