/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "policy-dict-funcs.h"
#include "pop3-policy-dict-plugin.h"

const char *pop3_policy_dict_plugin_version = DOVECOT_ABI_VERSION;

const struct policy_dict_vfuncs pop3_policy_dict_plugin_vfuncs = {
	.interface = POLICY_DICT_INTERFACE,
	.open = policy_dict_open,
	.close = policy_dict_close,
	.get_state = policy_dict_get_state,
	.get_quota = policy_dict_get_quota,
	.lock = policy_dict_lock,
	.unlock = policy_dict_unlock,
	.write = policy_dict_write,
	.set_aside = policy_dict_set_aside,
	.get_journal = policy_dict_get_journal,
	.find_journal = policy_dict_find_journal,
	.append_journal = policy_dict_append_journal,
	.replace_journal = policy_dict_replace_journal,
	.get_login_stamp = policy_dict_get_login_stamp,
	.set_login_stamp = policy_dict_set_login_stamp,
};

void pop3_policy_dict_plugin_init(struct module *module ATTR_UNUSED)
{
}

void pop3_policy_dict_plugin_deinit(void)
{
}
