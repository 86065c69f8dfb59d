#ifndef POP3_POLICY_SETTINGS_INFO_H
#define POP3_POLICY_SETTINGS_INFO_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* How Dovecot 2.4 parses the settings. */
extern const struct setting_parser_info pop3_policy_setting_parser_info;

#endif
