#ifndef POP3_POLICY_SETTINGS_MODULE_H
#define POP3_POLICY_SETTINGS_MODULE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* The names by which Dovecot 2.4 finds settings in a module of its folder
   "settings". doveconf loads that one without the storage library. */
extern const char *pop3_policy_settings_version;
extern const struct setting_parser_info *pop3_policy_settings_set_infos[];

#endif
