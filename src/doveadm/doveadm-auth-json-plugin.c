/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "module-dir.h"
#include "doveadm-mail.h"
#include "doveadm-auth-json-plugin.h"

const char *doveadm_auth_json_plugin_version = DOVECOT_ABI_VERSION;

void doveadm_auth_json_plugin_init(struct module *module ATTR_UNUSED)
{
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_app_password_add);
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_app_password_list);
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_app_password_revoke);
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_password_set);
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_password_verify);
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_password_disable);
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_password_enable);
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_password_remove);
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_password_import);
}

void doveadm_auth_json_plugin_deinit(void)
{
}
