/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "compat.h"
#include "doveadm-mail.h"
#include "pop3-policy-setting-value.h"
#include "credential.h"
#include "credential-check.h"
#include "exempt.h"
#include "app-password-options.h"

#include <ctype.h>
#include <time.h>

/* The name of the device is the label, so that each has one of its own. */
#define SETTING_DEVICE APP_PASSWORD_SETTING_PREFIX"device"
#define SETTING_EXEMPT APP_PASSWORD_SETTING_PREFIX"exempt"

static bool is_date(const char *text)
{
	const char *pattern = "dddd-dd-dd";

	for (; *pattern != '\0'; pattern++, text++) {
		if (*pattern == 'd' ? !i_isdigit(*text) : *text != *pattern)
			return FALSE;
	}
	return *text == '\0';
}

/* The first second of a day here. */
static int parse_date(const char *text, time_t *time_r)
{
	struct tm tm = { .tm_isdst = -1 };
	int month;

	if (str_to_int(t_strndup(text, 4), &tm.tm_year) < 0 ||
	    str_to_int(t_strndup(text + 5, 2), &month) < 0 ||
	    str_to_int(text + 8, &tm.tm_mday) < 0)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon = month - 1;
	*time_r = mktime(&tm);
	/* it takes the 30th of February for one of March */
	return *time_r == (time_t)-1 || tm.tm_mon != month - 1 ? -1 : 0;
}

static int
parse_expires(const char *text, time_t now, time_t *expires_r,
	      const char **error_r)
{
	unsigned int seconds;
	time_t expires;
	int ret;

	if (is_date(text)) {
		ret = parse_date(text, &expires);
	} else {
		ret = compat_str_parse_time(text, &seconds);
		expires = now + seconds;
	}
	if (ret < 0) {
		*error_r = t_strdup_printf("--expires: \"%s\" is neither a "
			"time such as 90d nor a date such as 2030-12-31", text);
		return -1;
	}
	if (expires <= now) {
		*error_r = t_strdup_printf("--expires: \"%s\" is over already, "
			"expected a time in the future", text);
		return -1;
	}
	*expires_r = expires;
	return 0;
}

static int
get_list(const struct doveadm_cmd_context *cctx, const char *name,
	 unsigned int max, const char *const **list_r, const char **error_r)
{
	*list_r = NULL;
	(void)doveadm_cmd_param_array(cctx, name, list_r);
	if (*list_r != NULL && str_array_length(*list_r) > max) {
		*error_r = t_strdup_printf("--%s: there may be at most %u",
					   name, max);
		return -1;
	}
	return 0;
}

static int
parse_networks(const struct doveadm_cmd_context *cctx, struct app_password *app,
	       const char **error_r)
{
	struct credential_network network;
	const char *const *list, *error;

	if (get_list(cctx, "network", APP_PASSWORD_NETWORKS_MAX, &list,
		     error_r) < 0)
		return -1;
	for (; list != NULL && *list != NULL; list++) {
		if (credential_network_parse(*list, &network, &error) < 0) {
			*error_r = t_strdup_printf("--network: %s", error);
			return -1;
		}
		array_push_back(&app->networks, &network);
	}
	return 0;
}

static int
parse_protocols(const struct doveadm_cmd_context *cctx, pool_t pool,
		struct app_password *app, const char **error_r)
{
	const char *const *list, *const *name, *error;

	if (get_list(cctx, "protocol", CREDENTIAL_PROTOCOLS_MAX, &list,
		     error_r) < 0)
		return -1;
	if (list == NULL)
		return 0;
	for (name = list; *name != NULL; name++) {
		if (!credential_protocol_is_valid(*name, &error)) {
			*error_r = t_strdup_printf("--protocol: %s", error);
			return -1;
		}
	}
	app->protocols = p_strarray_dup(pool, list);
	return 0;
}

static bool has_setting(const struct app_password *app, const char *name)
{
	const struct credential_pair *setting;

	array_foreach(&app->settings, setting) {
		if (strcmp(setting->name, name) == 0)
			return TRUE;
	}
	return FALSE;
}

/* What is mistyped shall not wait for the first login of the device. */
static bool
setting_is_valid(const struct app_password *app,
		 const struct credential_pair *setting, const char **error_r)
{
	if (has_setting(app, setting->name)) {
		*error_r = t_strdup_printf("%s is there twice", setting->name);
		return FALSE;
	}
	if (strcmp(setting->name, SETTING_DEVICE) == 0) {
		*error_r = SETTING_DEVICE" cannot be set, as the label names "
			"the device";
		return FALSE;
	}
	return app_password_setting_name_is_valid(setting->name, error_r) &&
		credential_text_is_valid(setting->value,
					 CREDENTIAL_FIELD_VALUE_MAX_LEN,
					 error_r) &&
		pop3_policy_setting_is_valid(setting->name, setting->value,
					     error_r);
}

static int
check_setting(const struct app_password *app,
	      const struct credential_pair *setting, const char **error_r)
{
	if (!setting_is_valid(app, setting, error_r))
		return -1;
	return strcmp(setting->name, SETTING_EXEMPT) != 0 ? 0 :
		retention_exempt_check(setting->value, error_r);
}

static int
parse_settings(const struct doveadm_cmd_context *cctx, pool_t pool,
	       struct app_password *app, const char **error_r)
{
	struct credential_pair setting;
	const char *const *list, *value, *error;

	if (get_list(cctx, "setting", APP_PASSWORD_SETTINGS_MAX, &list,
		     error_r) < 0)
		return -1;
	for (; list != NULL && *list != NULL; list++) {
		value = strchr(*list, '=');
		if (value == NULL) {
			*error_r = t_strdup_printf("--setting: \"%s\" has no "
				"value, expected NAME=VALUE", *list);
			return -1;
		}
		setting.name = p_strdup_until(pool, *list, value);
		setting.value = p_strdup(pool, value + 1);
		if (check_setting(app, &setting, &error) < 0) {
			*error_r = t_strdup_printf("--setting: %s", error);
			return -1;
		}
		array_push_back(&app->settings, &setting);
	}
	return 0;
}

static int
parse_label(const struct doveadm_cmd_context *cctx, pool_t pool,
	    struct app_password *app, const char **error_r)
{
	const char *label, *error;

	if (!doveadm_cmd_param_str(cctx, "label", &label))
		return 0;
	if (!credential_text_is_valid(label, CREDENTIAL_LABEL_MAX_LEN,
				      &error)) {
		*error_r = t_strdup_printf("--label: %s", error);
		return -1;
	}
	app->label = p_strdup(pool, label);
	return 0;
}

int app_password_options_parse(const struct doveadm_cmd_context *cctx,
			       time_t now, pool_t pool,
			       struct app_password *app, const char **error_r)
{
	const char *expires;

	app_password_init(app, "", "", pool);
	app->created = now;
	if (doveadm_cmd_param_str(cctx, "expires", &expires) &&
	    parse_expires(expires, now, &app->expires, error_r) < 0)
		return -1;
	return parse_label(cctx, pool, app, error_r) < 0 ||
		parse_networks(cctx, app, error_r) < 0 ||
		parse_protocols(cctx, pool, app, error_r) < 0 ||
		parse_settings(cctx, pool, app, error_r) < 0 ? -1 : 0;
}
