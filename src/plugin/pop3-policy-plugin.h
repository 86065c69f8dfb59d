#ifndef POP3_POLICY_PLUGIN_H
#define POP3_POLICY_PLUGIN_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* The names by which Dovecot finds the plugin. */
extern const char *pop3_policy_plugin_version;

void pop3_policy_plugin_init(struct module *module);
void pop3_policy_plugin_deinit(void);

#endif
