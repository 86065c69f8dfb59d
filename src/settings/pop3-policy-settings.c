/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "pop3-policy-settings.h"

void pop3_policy_settings_free(const struct pop3_policy_settings **_set)
{
	const struct pop3_policy_settings *set = *_set;
	pool_t pool;

	if (set == NULL)
		return;
	*_set = NULL;
	pool = set->pool;
	pool_unref(&pool);
}

/* User names may be in the path, and some sites allow "..". */
static bool path_leads_up(const char *path)
{
	return strstr(t_strconcat(path, "/", NULL), "/../") != NULL;
}

bool pop3_policy_settings_use_dict(const struct pop3_policy_settings *set)
{
	return strncmp(set->pop3_policy_state, POP3_POLICY_STATE_DICT_PREFIX,
		       strlen(POP3_POLICY_STATE_DICT_PREFIX)) == 0;
}

int pop3_policy_settings_state_dir(const struct pop3_policy_settings *set,
				   struct mail_user *user, const char **dir_r,
				   const char **error_r)
{
	const char *dir, *error;
	size_t len;

	if (pop3_policy_settings_use_dict(set)) {
		*error_r = "pop3_policy_state: the state is in a dict, not in "
			"a folder";
		return -1;
	}
	if (pop3_policy_settings_expand(set, user, &dir, &error) < 0) {
		*error_r = t_strdup_printf("pop3_policy_state: %s", error);
		return -1;
	}
	dir += strlen(POP3_POLICY_STATE_FILE_PREFIX);
	if (*dir != '/') {
		*error_r = t_strdup_printf("pop3_policy_state: \"%s\" is not "
			"an absolute path", dir);
		return -1;
	}
	if (path_leads_up(dir)) {
		*error_r = t_strdup_printf("pop3_policy_state: \"%s\" has \"..\" "
			"in it, expected a path without", dir);
		return -1;
	}
	/* a slash at the end would follow a link in place of the folder */
	for (len = strlen(dir); len > 1 && dir[len - 1] == '/';)
		len--;
	*dir_r = t_strndup(dir, len);
	return 0;
}
