/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "module-dir.h"
#include "mail-user.h"
#include "mail-storage-settings.h"
#include "compat-module.h"
#include "policy-dict.h"
#include "pop3-policy-settings.h"
#include "pop3-policy-store.h"

/* Below the plugins. */
#define MODULE_FOLDER "pop3-policy"
#define DICT_MODULE "pop3_policy_dict"
#define DICT_SYMBOL DICT_MODULE"_plugin_vfuncs"
/* Below the home: locks of this host. */
#define LOCK_FOLDER "pop3-policy"

static struct module *dict_modules;

/* Its symbols are many, and cost each session that would have them: so they are
   in a module of its own. */
static const struct policy_dict_vfuncs *
load_dict_module(struct mail_user *user, const char **error_r)
{
	const struct policy_dict_vfuncs *dict_v;

	if (dict_modules == NULL &&
	    compat_module_load(&dict_modules,
			       t_strconcat(user->set->mail_plugin_dir,
					   "/"MODULE_FOLDER, NULL),
			       DICT_MODULE, error_r) < 0)
		return NULL;
	dict_v = module_get_symbol(dict_modules, DICT_SYMBOL);
	if (dict_v == NULL || dict_v->interface != POLICY_DICT_INTERFACE) {
		*error_r = t_strdup_printf("%s is of another version",
					   dict_modules->path);
		return NULL;
	}
	return dict_v;
}

static const char *lock_folder(struct mail_user *user)
{
	const char *home;

	return mail_user_get_home(user, &home) <= 0 ? "" :
		t_strconcat(home, "/"LOCK_FOLDER, NULL);
}

static int
open_dict(const struct pop3_policy_settings *set, struct mail_user *user,
	  struct event *event_parent, struct policy_store **store_r,
	  const char **error_r)
{
	struct policy_dict_settings dict_set = {
		.username = user->username,
		.base_dir = user->set->base_dir,
		.event_parent = event_parent,
	};
	const struct policy_dict_vfuncs *dict_v;
	struct policy_dict *dict;
	const char *value;

	if (pop3_policy_settings_expand(set, user, &value, error_r) < 0)
		return -1;
	dict_set.name = value + strlen(POP3_POLICY_STATE_DICT_PREFIX);
	dict_v = load_dict_module(user, error_r);
	if (dict_v == NULL || dict_v->open(&dict_set, &dict, error_r) < 0)
		return -1;
	*store_r = policy_store_init_dict(dict, dict_v, lock_folder(user),
					  event_parent);
	return 0;
}

int pop3_policy_store_open(const struct pop3_policy_settings *set,
			   struct mail_user *user, bool fsync,
			   struct event *event_parent,
			   struct policy_store **store_r,
			   const char **error_r)
{
	const char *dir, *error;

	if (pop3_policy_settings_use_dict(set)) {
		if (open_dict(set, user, event_parent, store_r, &error) == 0)
			return 0;
		*error_r = t_strdup_printf("pop3_policy_state: %s", error);
		return -1;
	}
	if (pop3_policy_settings_state_dir(set, user, &dir, error_r) < 0)
		return -1;
	*store_r = policy_store_init(dir, fsync, event_parent);
	return 0;
}

void pop3_policy_store_unload(void)
{
	if (dict_modules != NULL)
		module_dir_unload(&dict_modules);
}
