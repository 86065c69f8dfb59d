/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "quota-text.h"
#include "pop3-policy-settings.h"

#define STATE_FILE_PREFIX "file:"

/* Find value among two choices, the first of which is the default. */
static int
parse_choice(const char *name, const char *value, const char *first,
	     const char *second, bool *is_second_r, const char **error_r)
{
	if (strcmp(value, first) != 0 && strcmp(value, second) != 0) {
		*error_r = t_strdup_printf("%s: unknown value \"%s\", "
			"expected %s or %s", name, value, first, second);
		return -1;
	}
	*is_second_r = strcmp(value, second) == 0;
	return 0;
}

/* The path may begin with a variable. */
static bool state_is_valid(const char *state)
{
	const size_t prefix_len = strlen(STATE_FILE_PREFIX);

	return strncmp(state, STATE_FILE_PREFIX, prefix_len) == 0 &&
		(state[prefix_len] == '/' || state[prefix_len] == '%');
}

bool pop3_policy_settings_check(void *_set, pool_t pool ATTR_UNUSED,
				const char **error_r)
{
	struct pop3_policy_settings *set = _set;
	const char *error;

	if (pop3_quota_limits_parse(set->pop3_policy_quota, &set->quota,
				    &error) < 0) {
		*error_r = t_strdup_printf("pop3_policy_quota: %s", error);
		return FALSE;
	}
	if (!state_is_valid(set->pop3_policy_state)) {
		*error_r = t_strdup_printf("pop3_policy_state: unknown store "
			"\"%s\", expected "STATE_FILE_PREFIX" and an absolute "
			"path", set->pop3_policy_state);
		return FALSE;
	}
	return parse_choice("pop3_policy_quota_top", set->pop3_policy_quota_top,
			    "headers", "deny", &set->quota_top_deny,
			    error_r) == 0 &&
		parse_choice("pop3_policy_on_error", set->pop3_policy_on_error,
			     "fail", "ignore", &set->ignore_errors,
			     error_r) == 0;
}

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

int pop3_policy_settings_state_dir(const struct pop3_policy_settings *set,
				   struct mail_user *user, const char **dir_r,
				   const char **error_r)
{
	const char *dir, *error;
	size_t len;

	if (pop3_policy_settings_expand(set, user, &dir, &error) < 0) {
		*error_r = t_strdup_printf("pop3_policy_state: %s", error);
		return -1;
	}
	dir += strlen(STATE_FILE_PREFIX);
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
