/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "settings-parser.h"
#include "passdb-list-settings.h"

static const struct setting_define list_defines[] = {
	{ .type = SET_FILTER_ARRAY, .key = "passdb",
	  .offset = offsetof(struct passdb_list_settings, passdbs),
	  .filter_array_field_name = "passdb_name" },
	SETTING_DEFINE_STRUCT_STR_NOVARS("auth_username_format",
					 auth_username_format,
					 struct passdb_list_settings),

	SETTING_DEFINE_LIST_END
};

static const struct passdb_list_settings list_defaults = {
	.passdbs = ARRAY_INIT,
	/* as auth has it */
	.auth_username_format = "%{user | lower}",
};

const struct setting_parser_info passdb_list_setting_parser_info = {
	.name = "auth_json_passdb_list",

	.defines = list_defines,
	.defaults = &list_defaults,

	.struct_size = sizeof(struct passdb_list_settings),
	.pool_offset1 = 1 + offsetof(struct passdb_list_settings, pool),
};

static const struct setting_define driver_defines[] = {
	SETTING_DEFINE_STRUCT_STR("passdb_driver", passdb_driver,
				  struct passdb_driver_settings),

	SETTING_DEFINE_LIST_END
};

static const struct passdb_driver_settings driver_defaults = {
	.passdb_driver = "",
};

const struct setting_parser_info passdb_driver_setting_parser_info = {
	.name = "auth_json_passdb_driver",

	.defines = driver_defines,
	.defaults = &driver_defaults,

	.struct_size = sizeof(struct passdb_driver_settings),
	.pool_offset1 = 1 + offsetof(struct passdb_driver_settings, pool),
};
