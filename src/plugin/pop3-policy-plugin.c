/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "module-dir.h"
#include "mail-user.h"
#include "master-service.h"
#include "pop3-policy-store.h"
#include "pop3-symbols.h"
#include "mail-hooks.h"
#include "sync-hooks.h"
#include "session-begin.h"
#include "pop3-policy-plugin.h"

const char *pop3_policy_plugin_version = DOVECOT_ABI_VERSION;

static struct module *pop3_policy_module;
static pop3_client_created_func_t *next_hook_client_created;

static void pop3_policy_client_created(struct client **client)
{
	if (mail_user_is_plugin_loaded((*client)->user, pop3_policy_module))
		pop3_policy_session_begin(*client);
	if (next_hook_client_created != NULL)
		next_hook_client_created(client);
}

static bool is_doveadm(void)
{
	return strcmp(master_service_get_name(master_service), "doveadm") == 0;
}

void pop3_policy_plugin_init(struct module *module)
{
	pop3_policy_module = module;
	/* others that load the plugin have neither sessions nor UIDLs */
	if (pop3_client_created_hook_set != NULL) {
		next_hook_client_created = pop3_client_created_hook_set(
			pop3_policy_client_created);
		mail_hooks_add(module);
	} else if (is_doveadm()) {
		sync_hooks_add(module);
	}
}

void pop3_policy_plugin_deinit(void)
{
	pop3_policy_store_unload();
	if (pop3_client_created_hook_set != NULL) {
		mail_hooks_remove();
		pop3_client_created_hook_set(next_hook_client_created);
	} else if (is_doveadm()) {
		sync_hooks_remove();
	}
}
