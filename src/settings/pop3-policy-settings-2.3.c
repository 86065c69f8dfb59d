/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "mail-user.h"
#include "pop3-policy-settings.h"
#include "pop3-policy-setting-names.h"

const struct pop3_policy_settings pop3_policy_default_settings = {
	.pop3_policy_quota = "",
	.pop3_policy_quota_warning = "",
	.pop3_policy_quota_top = "headers",
	.pop3_policy_quota_action = "deny",
	.pop3_policy_rate = "none",
	.pop3_policy_state = "file:%h/pop3-policy",
	.pop3_policy_on_error = "fail",
	.pop3_policy_login_delay = "0",
	.pop3_policy_login_burst = "0",
	.pop3_policy_uidl_alarm = "50",
	.pop3_policy_fast_polls = "yes",
	.pop3_policy_view = "",
	.pop3_policy_keep_downloaded = "forever",
	.pop3_policy_keep_undownloaded = "forever",
	.pop3_policy_keep_max_messages = "unlimited",
	.pop3_policy_keep_max_size = "unlimited",
	.pop3_policy_expire_action = "expunge",
	.pop3_policy_exempt = "FLAGGED",
	.pop3_policy_device = "",
	.pop3_policy_keep_devices = "",
	.pop3_policy_report_only = "no",
};

int pop3_policy_settings_get(struct mail_user *user,
			     const struct pop3_policy_settings **set_r,
			     const char **error_r)
{
	const struct pop3_policy_setting_name *def;
	struct pop3_policy_settings *set;

	/* the values of plugin {} live as long as the user */
	set = p_new(user->pool, struct pop3_policy_settings, 1);
	*set = pop3_policy_default_settings;
	for (def = pop3_policy_setting_names; def->name != NULL; def++) {
		const char **value = PTR_OFFSET(set, def->offset);
		const char *given = mail_user_plugin_getenv(user, def->name);

		if (given != NULL)
			*value = given;
	}
	if (!pop3_policy_settings_check(set, user->pool, error_r))
		return -1;
	set->pool = user->pool;
	pool_ref(set->pool);
	*set_r = set;
	return 0;
}

int pop3_policy_settings_expand(const struct pop3_policy_settings *set,
				struct mail_user *user, const char **value_r,
				const char **error_r)
{
	const char *home;

	if (set->pop3_policy_state !=
	    pop3_policy_default_settings.pop3_policy_state) {
		/* Dovecot has expanded plugin {} already */
		*value_r = set->pop3_policy_state;
		return 0;
	}
	if (mail_user_get_home(user, &home) <= 0) {
		*error_r = t_strdup_printf("the user has no home directory for "
					   "\"%s\"", set->pop3_policy_state);
		return -1;
	}
	*value_r = t_strdup_printf("file:%s/pop3-policy", home);
	return 0;
}
