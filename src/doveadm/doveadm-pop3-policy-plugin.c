/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "module-dir.h"
#include "doveadm-mail.h"
#include "pop3-policy-store.h"
#include "doveadm-pop3-policy-plugin.h"

const char *doveadm_pop3_policy_plugin_version = DOVECOT_ABI_VERSION;

void doveadm_pop3_policy_plugin_init(struct module *module ATTR_UNUSED)
{
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_check);
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_quota_get);
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_quota_reset);
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_retention_run);
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_retention_status);
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_status);
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_top);
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_uidl_list);
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_uidl_verify);
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_uidl_adopt);
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_uidl_accept);
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_uidl_export);
	doveadm_cmd_register_ver2(&doveadm_cmd_pop3_uidl_import);
}

void doveadm_pop3_policy_plugin_deinit(void)
{
	pop3_policy_store_unload();
}
