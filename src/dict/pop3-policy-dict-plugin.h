#ifndef POP3_POLICY_DICT_PLUGIN_H
#define POP3_POLICY_DICT_PLUGIN_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct module;

/* pop3_policy and doveadm load this one when a setting asks for a dict. */
extern const char *pop3_policy_dict_plugin_version;
extern const struct policy_dict_vfuncs pop3_policy_dict_plugin_vfuncs;

void pop3_policy_dict_plugin_init(struct module *module);
void pop3_policy_dict_plugin_deinit(void);

#endif
