/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "settings-parser.h"
#include "passdb-json-settings.h"
#include "passdb-json-settings-info.h"

#undef DEF
#define DEF(type, name) SETTING_DEFINE_STRUCT_##type(#name, name, \
						     struct passdb_json_settings)

static const struct setting_define setting_defines[] = {
	{ .type = SET_FILTER_NAME, .key = "passdb_json" },
	DEF(STR, passdb_json_path),
	DEF(SIZE, passdb_json_hash_memory),
	DEF(UINT, passdb_json_hash_passes),

	SETTING_DEFINE_LIST_END
};

/* Settings are also checked where there is no such passdb, and by doveconf when
   the value of one with variables is not known. */
static bool
check_if_used(void *_set, pool_t pool ATTR_UNUSED, const char **error_r)
{
	struct passdb_json_settings set =
		*(const struct passdb_json_settings *)_set;
	const char *error;

	if (*set.passdb_json_path == '\0' ||
	    set.passdb_json_path == set_value_unknown)
		set.passdb_json_path = "/";
	if (passdb_json_settings_check(&set, &error))
		return TRUE;
	*error_r = t_strdup_printf("passdb_json_%s", error);
	return FALSE;
}

const struct setting_parser_info passdb_json_setting_parser_info = {
	.name = "passdb_json",
	.plugin_dependency = "auth/libauthdb_json",

	.defines = setting_defines,
	.defaults = &passdb_json_default_settings,

	.struct_size = sizeof(struct passdb_json_settings),
	.pool_offset1 = 1 + offsetof(struct passdb_json_settings, pool),
	.check_func = check_if_used,
};
