#ifndef AUTH_JSON_SETTINGS_MODULE_H
#define AUTH_JSON_SETTINGS_MODULE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* As in pop3-policy-settings-module.h, for the settings of passdb json {}. */
extern const char *auth_json_settings_version;
extern const struct setting_parser_info *auth_json_settings_set_infos[];

#endif
