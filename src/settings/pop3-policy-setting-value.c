/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "pop3-policy-settings.h"
#include "pop3-policy-setting-names.h"
#include "pop3-policy-setting-value.h"

/* 2.4 has all the choices in a default, with the default one first. */
static const char *default_value(const char *value)
{
	return strncmp(value, POP3_POLICY_STATE_FILE_PREFIX,
		       strlen(POP3_POLICY_STATE_FILE_PREFIX)) == 0 ? value :
		t_strcut(value, ':');
}

bool pop3_policy_setting_is_valid(const char *name, const char *value,
				  const char **error_r)
{
	struct pop3_policy_settings set = pop3_policy_default_settings;
	const struct pop3_policy_setting_name *def;
	bool found = FALSE;

	for (def = pop3_policy_setting_names; def->name != NULL; def++) {
		const char **text = PTR_OFFSET(&set, def->offset);

		if (strcmp(def->name, name) == 0) {
			*text = value;
			found = TRUE;
		} else {
			*text = default_value(*text);
		}
	}
	if (!found) {
		*error_r = t_strdup_printf("there is no setting %s", name);
		return FALSE;
	}
	return pop3_policy_settings_check(&set, pool_datastack_create(),
					  error_r);
}
