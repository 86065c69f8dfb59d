/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "quota-text.h"
#include "pop3-policy-settings.h"

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
	const size_t prefix_len = strlen(POP3_POLICY_STATE_FILE_PREFIX);

	return strncmp(state, POP3_POLICY_STATE_FILE_PREFIX, prefix_len) == 0 &&
		(state[prefix_len] == '/' || state[prefix_len] == '%');
}

/* "50", "50%" or "50 %". */
static int
parse_percent(const char *name, const char *value, unsigned int *percent_r,
	      const char **error_r)
{
	const char *end;
	unsigned int percent;

	if (str_parse_uint(value, &percent, &end) == 0 && percent <= 100) {
		while (*end == ' ')
			end++;
		if (*end == '\0' || strcmp(end, "%") == 0) {
			*percent_r = percent;
			return 0;
		}
	}
	*error_r = t_strdup_printf("%s: bad value \"%s\", expected a percentage "
				   "from 0 to 100", name, value);
	return -1;
}

bool pop3_policy_settings_check(void *_set, pool_t pool ATTR_UNUSED,
				const char **error_r)
{
	struct pop3_policy_settings *set = _set;
	const char *error;
	bool slow_polls;

	if (pop3_quota_limits_parse(set->pop3_policy_quota, &set->quota,
				    &error) < 0) {
		*error_r = t_strdup_printf("pop3_policy_quota: %s", error);
		return FALSE;
	}
	if (!state_is_valid(set->pop3_policy_state)) {
		*error_r = t_strdup_printf("pop3_policy_state: unknown store "
			"\"%s\", expected "POP3_POLICY_STATE_FILE_PREFIX
			" and an absolute path", set->pop3_policy_state);
		return FALSE;
	}
	if (parse_choice("pop3_policy_quota_top", set->pop3_policy_quota_top,
			 "headers", "deny", &set->quota_top_deny,
			 error_r) < 0 ||
	    parse_choice("pop3_policy_on_error", set->pop3_policy_on_error,
			 "fail", "ignore", &set->ignore_errors, error_r) < 0 ||
	    parse_choice("pop3_policy_fast_polls", set->pop3_policy_fast_polls,
			 "yes", "no", &slow_polls, error_r) < 0 ||
	    parse_percent("pop3_policy_uidl_alarm", set->pop3_policy_uidl_alarm,
			  &set->uidl_alarm_percent, error_r) < 0)
		return FALSE;
	set->fast_polls = !slow_polls;
	return TRUE;
}
