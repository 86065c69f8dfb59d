/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "settings.h"
#include "var-expand.h"
#include "mail-user.h"
#include "pop3-policy-settings.h"
#include "pop3-policy-settings-info.h"

int pop3_policy_settings_get(struct mail_user *user,
			     const struct pop3_policy_settings **set_r,
			     const char **error_r)
{
	return settings_get(user->event, &pop3_policy_setting_parser_info, 0,
			    set_r, error_r);
}

int pop3_policy_settings_expand(const struct pop3_policy_settings *set,
				struct mail_user *user, const char **value_r,
				const char **error_r)
{
	string_t *value = t_str_new(128);
	const char *error;

	if (var_expand(value, set->pop3_policy_state,
		       mail_user_var_expand_params(user), &error) < 0) {
		*error_r = t_strdup_printf("\"%s\": %s",
					   set->pop3_policy_state, error);
		return -1;
	}
	*value_r = str_c(value);
	return 0;
}
