#ifndef DOVEADM_POP3_POLICY_PLUGIN_H
#define DOVEADM_POP3_POLICY_PLUGIN_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* The names by which doveadm finds the plugin. */
extern const char *doveadm_pop3_policy_plugin_version;

void doveadm_pop3_policy_plugin_init(struct module *module);
void doveadm_pop3_policy_plugin_deinit(void);

/* doveadm pop3 check|status|top */
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_check;
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_status;
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_top;

/* doveadm pop3 quota get|reset */
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_quota_get;
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_quota_reset;

/* doveadm pop3 retention run|status */
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_retention_run;
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_retention_status;

/* doveadm pop3 uidl list|verify|adopt|accept|export|import */
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_uidl_list;
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_uidl_verify;
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_uidl_adopt;
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_uidl_accept;
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_uidl_export;
extern struct doveadm_cmd_ver2 doveadm_cmd_pop3_uidl_import;

/* The columns of struct recovery_counts. */
void doveadm_pop3_uidl_print_recovery_headers(void);

#endif
