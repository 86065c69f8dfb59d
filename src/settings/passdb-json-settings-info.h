#ifndef POP3_POLICY_PASSDB_JSON_SETTINGS_INFO_H
#define POP3_POLICY_PASSDB_JSON_SETTINGS_INFO_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* How Dovecot 2.4 parses the settings of passdb json {}. */
extern const struct setting_parser_info passdb_json_setting_parser_info;

#endif
