/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "settings-parser.h"
#include "auth-json-settings-module.h"
#include "passdb-list-settings.h"
#include "passdb-json-settings-info.h"

const char *auth_json_settings_version = DOVECOT_ABI_VERSION;

const struct setting_parser_info *auth_json_settings_set_infos[] = {
	&passdb_json_setting_parser_info,
	&passdb_list_setting_parser_info,
	&passdb_driver_setting_parser_info,
	NULL
};
