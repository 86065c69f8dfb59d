/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "settings-parser.h"
#include "pop3-policy-settings-module.h"
#include "pop3-policy-settings-info.h"

const char *pop3_policy_settings_version = DOVECOT_ABI_VERSION;

const struct setting_parser_info *pop3_policy_settings_set_infos[] = {
	&pop3_policy_setting_parser_info,
	NULL
};
