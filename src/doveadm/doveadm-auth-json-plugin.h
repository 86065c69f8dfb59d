#ifndef DOVEADM_AUTH_JSON_PLUGIN_H
#define DOVEADM_AUTH_JSON_PLUGIN_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* The names by which doveadm finds the plugin. */
extern const char *doveadm_auth_json_plugin_version;

void doveadm_auth_json_plugin_init(struct module *module);
void doveadm_auth_json_plugin_deinit(void);

/* doveadm pop3 app-password add|list|revoke */
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_app_password_add;
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_app_password_list;
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_app_password_revoke;

/* doveadm pop3 password set|verify|disable|enable|remove|import */
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_password_set;
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_password_verify;
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_password_disable;
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_password_enable;
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_password_remove;
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_password_import;

#endif
