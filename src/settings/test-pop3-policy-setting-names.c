/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "pop3-policy-settings.h"
#include "pop3-policy-setting-names.h"
#include "pop3-policy-setting-value.h"

static void test_good(void)
{
	static const struct {
		const char *name, *value;
	} tests[] = {
		{ "pop3_policy_quota", "500M/day 10msg/hour" },
		{ "pop3_policy_quota", "" },
		{ "pop3_policy_quota_warning", "pop3-policy-warning" },
		{ "pop3_policy_quota_warning", "none" },
		{ "pop3_policy_quota_top", "headers" },
		{ "pop3_policy_quota_top", "deny" },
		{ "pop3_policy_quota_action", "deny" },
		{ "pop3_policy_quota_action", "throttle 64k/s" },
		{ "pop3_policy_rate", "2M/s" },
		{ "pop3_policy_rate", "none" },
		{ "pop3_policy_state", "file:/var/lib/x" },
		{ "pop3_policy_on_error", "ignore" },
		{ "pop3_policy_login_delay", "60s" },
		{ "pop3_policy_login_burst", "3" },
		{ "pop3_policy_uidl_alarm", "70%" },
		{ "pop3_policy_fast_polls", "no" },
		{ "pop3_policy_view", "NOT KEYWORD $Junk" },
		{ "pop3_policy_view", "" },
		{ "pop3_policy_keep_downloaded", "14d" },
		{ "pop3_policy_keep_undownloaded", "forever" },
		{ "pop3_policy_keep_max_messages", "1000" },
		{ "pop3_policy_keep_max_size", "1G" },
		{ "pop3_policy_expire_action", "move Old" },
		{ "pop3_policy_exempt", "FLAGGED" },
		{ "pop3_policy_device", "phone" },
		{ "pop3_policy_keep_devices", "phone desktop" },
		{ "pop3_policy_report_only", "yes" },
	};
	const char *error;
	unsigned int i;

	test_begin("setting names: good values");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		test_assert_idx(pop3_policy_setting_is_valid(tests[i].name,
						tests[i].value, &error), i);
	}
	test_end();
}

static void test_bad(void)
{
	static const struct {
		const char *name, *value, *error;
	} tests[] = {
		{ "pop3_policy_quota", "500M",
		  "pop3_policy_quota: no window in \"500M\"" },
		{ "pop3_policy_quota_warning", "two words",
		  "pop3_policy_quota_warning: bad socket \"two words\"" },
		{ "pop3_policy_quota_top", "headers:deny",
		  "pop3_policy_quota_top: unknown value \"headers:deny\"" },
		{ "pop3_policy_login_delay", "soon",
		  "pop3_policy_login_delay: bad time \"soon\"" },
		{ "pop3_policy_login_burst", "many",
		  "pop3_policy_login_burst: bad number of logins \"many\"" },
		{ "pop3_policy_quota_action", "throttle",
		  "pop3_policy_quota_action: bad rate \"\" after" },
		{ "pop3_policy_rate", "64k",
		  "pop3_policy_rate: bad rate \"64k\", expected" },
		{ "pop3_policy_keep_downloaded", "soon",
		  "pop3_policy_keep_downloaded: " },
		{ "pop3_policy_device", "a b", "pop3_policy_device: " },
		{ "pop3_policy_report_only", "",
		  "pop3_policy_report_only: unknown value \"\"" },
		{ "pop3_policy_quotas", "500M/day",
		  "there is no setting pop3_policy_quotas" },
		{ "pop3_policy_", "", "there is no setting pop3_policy_" },
		{ "", "", "there is no setting " },
		{ "mail_path", "/", "there is no setting mail_path" },
	};
	const char *error;
	unsigned int i;

	test_begin("setting names: bad names and values");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		error = "";
		test_assert_idx(!pop3_policy_setting_is_valid(tests[i].name,
						tests[i].value, &error), i);
		test_assert_strcmp_idx(t_strndup(error,
						 strlen(tests[i].error)),
				       tests[i].error, i);
	}
	test_end();
}

/* Each text of the struct has its name here, in the order of the struct. */
static void test_complete(void)
{
	const struct pop3_policy_setting_name *def = pop3_policy_setting_names;
	size_t offset;

	test_begin("setting names: all of them");
	for (offset = offsetof(struct pop3_policy_settings, pop3_policy_quota);
	     offset < offsetof(struct pop3_policy_settings, quota);
	     offset += sizeof(const char *)) {
		test_assert(def->name != NULL && def->offset == offset);
		def++;
	}
	test_assert(def->name == NULL);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_good,
		test_bad,
		test_complete,
		NULL
	};

	return test_run(test_functions);
}
