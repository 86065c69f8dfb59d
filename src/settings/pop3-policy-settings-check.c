/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "device-names.h"
#include "login-delay-text.h"
#include "quota-text.h"
#include "rate-text.h"
#include "retention-text.h"
#include "view-text.h"
#include "socket-name.h"
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

static int parse_rates(struct pop3_policy_settings *set, const char **error_r)
{
	const char *error;

	if (pop3_quota_action_parse(set->pop3_policy_quota_action,
				    &set->quota_throttle_rate, &error) < 0) {
		*error_r = t_strdup_printf("pop3_policy_quota_action: %s",
					   error);
		return -1;
	}
	if (pop3_rate_parse(set->pop3_policy_rate, &set->rate, &error) < 0) {
		*error_r = t_strdup_printf("pop3_policy_rate: %s", error);
		return -1;
	}
	return 0;
}

/* The path may begin with a variable. */
static bool state_is_valid(const char *state)
{
	const size_t prefix_len = strlen(POP3_POLICY_STATE_FILE_PREFIX);
	const size_t dict_len = strlen(POP3_POLICY_STATE_DICT_PREFIX);

	if (strncmp(state, POP3_POLICY_STATE_DICT_PREFIX, dict_len) == 0)
		return state[dict_len] != '\0';
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

	if (str_parse_uint32(value, &percent, &end) == 0 && percent <= 100) {
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

static int
parse_keep(const char *name, const char *value,
	   int parse(const char *text, uint64_t *number_r, const char **error_r),
	   uint64_t *number_r, const char **error_r)
{
	const char *error;

	if (parse(value, number_r, &error) == 0)
		return 0;
	*error_r = t_strdup_printf("%s: %s", name, error);
	return -1;
}

static int
parse_action(const struct pop3_policy_settings *set, pool_t pool,
	     const char **move_to_r, const char **error_r)
{
	const char *mailbox, *error;

	if (pop3_expire_action_parse(set->pop3_policy_expire_action, &mailbox,
				     &error) < 0) {
		*error_r = t_strdup_printf("pop3_policy_expire_action: %s",
					   error);
		return -1;
	}
	*move_to_r = p_strdup(pool, mailbox);
	return 0;
}

/* 0 would take mail before anybody can have it. */
static int
parse_keep_undownloaded(const char *value, uint64_t *seconds_r,
			const char **error_r)
{
	uint64_t seconds;

	if (pop3_keep_time_parse(value, &seconds, error_r) < 0)
		return -1;
	if (seconds == 0) {
		*error_r = "0 would take mail before it can be downloaded, "
			"expected forever or a time such as 90d";
		return -1;
	}
	*seconds_r = seconds;
	return 0;
}

static int
parse_devices(struct pop3_policy_settings *set, pool_t pool,
	      const char **error_r)
{
	const char *name, *error;

	if (pop3_device_parse(set->pop3_policy_device, &name, &error) < 0) {
		*error_r = t_strdup_printf("pop3_policy_device: %s", error);
		return -1;
	}
	set->device = p_strdup(pool, name);
	if (pop3_devices_parse(set->pop3_policy_keep_devices, pool,
			       &set->retention.devices, &error) < 0) {
		*error_r = t_strdup_printf("pop3_policy_keep_devices: %s",
					   error);
		return -1;
	}
	return 0;
}

static int
parse_retention(const struct pop3_policy_settings *set, pool_t pool,
		struct retention_policy *policy, const char **error_r)
{
	struct pop3_retention_rules *rules = &policy->rules;

	policy->exempt = set->pop3_policy_exempt;
	policy->view = set->view;
	return parse_keep("pop3_policy_keep_downloaded",
			  set->pop3_policy_keep_downloaded,
			  pop3_keep_time_parse, &rules->keep_downloaded,
			  error_r) < 0 ||
		parse_keep("pop3_policy_keep_undownloaded",
			   set->pop3_policy_keep_undownloaded,
			   parse_keep_undownloaded, &rules->keep_undownloaded,
			   error_r) < 0 ||
		parse_keep("pop3_policy_keep_max_messages",
			   set->pop3_policy_keep_max_messages,
			   pop3_keep_count_parse, &rules->max_messages,
			   error_r) < 0 ||
		parse_keep("pop3_policy_keep_max_size",
			   set->pop3_policy_keep_max_size,
			   pop3_keep_size_parse, &rules->max_bytes,
			   error_r) < 0 ||
		parse_action(set, pool, &policy->move_to, error_r) < 0 ||
		parse_choice("pop3_policy_report_only",
			     set->pop3_policy_report_only, "no", "yes",
			     &policy->report_only, error_r) < 0 ? -1 : 0;
}

static int
parse_login_delay(const struct pop3_policy_settings *set,
		  struct pop3_login_delay *rule, const char **error_r)
{
	const char *error;

	if (pop3_login_delay_parse(set->pop3_policy_login_delay, &rule->seconds,
				   &error) < 0) {
		*error_r = t_strdup_printf("pop3_policy_login_delay: %s",
					   error);
		return -1;
	}
	if (pop3_login_burst_parse(set->pop3_policy_login_burst, &rule->burst,
				   &error) < 0) {
		*error_r = t_strdup_printf("pop3_policy_login_burst: %s",
					   error);
		return -1;
	}
	return 0;
}

bool pop3_policy_settings_check(void *_set, pool_t pool, const char **error_r)
{
	struct pop3_policy_settings *set = _set;
	const char *error;
	bool slow_polls;

	set->view = pop3_view_query(set->pop3_policy_view);
	if (pop3_quota_limits_parse(set->pop3_policy_quota, &set->quota,
				    &error) < 0) {
		*error_r = t_strdup_printf("pop3_policy_quota: %s", error);
		return FALSE;
	}
	if (pop3_socket_name_parse(set->pop3_policy_quota_warning,
				   &set->quota_warning, &error) < 0) {
		*error_r = t_strdup_printf("pop3_policy_quota_warning: %s",
					   error);
		return FALSE;
	}
	if (!state_is_valid(set->pop3_policy_state)) {
		*error_r = t_strdup_printf("pop3_policy_state: unknown store "
			"\"%s\", expected "POP3_POLICY_STATE_FILE_PREFIX
			" and an absolute path, or "
			POP3_POLICY_STATE_DICT_PREFIX" and the name of a dict",
			set->pop3_policy_state);
		return FALSE;
	}
	if (parse_choice("pop3_policy_quota_top", set->pop3_policy_quota_top,
			 "headers", "deny", &set->quota_top_deny,
			 error_r) < 0 ||
	    parse_rates(set, error_r) < 0 ||
	    parse_choice("pop3_policy_on_error", set->pop3_policy_on_error,
			 "fail", "ignore", &set->ignore_errors, error_r) < 0 ||
	    parse_login_delay(set, &set->login_delay, error_r) < 0 ||
	    parse_choice("pop3_policy_fast_polls", set->pop3_policy_fast_polls,
			 "yes", "no", &slow_polls, error_r) < 0 ||
	    parse_percent("pop3_policy_uidl_alarm", set->pop3_policy_uidl_alarm,
			  &set->uidl_alarm_percent, error_r) < 0 ||
	    parse_retention(set, pool, &set->retention, error_r) < 0 ||
	    parse_devices(set, pool, error_r) < 0)
		return FALSE;
	set->fast_polls = !slow_polls;
	return TRUE;
}
