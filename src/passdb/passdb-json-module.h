#ifndef POP3_POLICY_PASSDB_JSON_MODULE_H
#define POP3_POLICY_PASSDB_JSON_MODULE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* The names by which auth knows the module libauthdb_json. */
extern const char *authdb_json_version;

void authdb_json_init(void);
void authdb_json_deinit(void);

#endif
