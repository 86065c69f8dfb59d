/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "settings-parser.h"
#include "pop3-policy-settings.h"
#include "pop3-policy-settings-info.h"

#undef DEF
#define DEF(type, name) SETTING_DEFINE_STRUCT_##type(#name, name, \
						     struct pop3_policy_settings)

static const struct setting_define setting_defines[] = {
	DEF(STR, pop3_policy_quota),
	DEF(STR, pop3_policy_quota_warning),
	DEF(ENUM, pop3_policy_quota_top),
	DEF(STR, pop3_policy_quota_action),
	DEF(STR, pop3_policy_rate),
	/* expanded when a session needs it: a user without a home must not
	   fail for a folder that nothing asks for */
	DEF(STR_NOVARS, pop3_policy_state),
	DEF(ENUM, pop3_policy_on_error),
	DEF(STR, pop3_policy_login_delay),
	DEF(STR, pop3_policy_login_burst),
	/* a percent sign is no variable */
	DEF(STR_NOVARS, pop3_policy_uidl_alarm),
	DEF(ENUM, pop3_policy_fast_polls),
	DEF(STR, pop3_policy_view),
	DEF(STR, pop3_policy_keep_downloaded),
	DEF(STR, pop3_policy_keep_undownloaded),
	DEF(STR, pop3_policy_keep_max_messages),
	DEF(STR, pop3_policy_keep_max_size),
	DEF(STR, pop3_policy_expire_action),
	DEF(STR, pop3_policy_exempt),
	DEF(STR, pop3_policy_device),
	DEF(STR, pop3_policy_keep_devices),
	DEF(ENUM, pop3_policy_report_only),

	SETTING_DEFINE_LIST_END
};

const struct pop3_policy_settings pop3_policy_default_settings = {
	.pop3_policy_quota = "",
	.pop3_policy_quota_warning = "",
	/* the first one is the default */
	.pop3_policy_quota_top = "headers:deny",
	.pop3_policy_quota_action = "deny",
	.pop3_policy_rate = "none",
	.pop3_policy_state = "file:%{home}/pop3-policy",
	.pop3_policy_on_error = "fail:ignore",
	.pop3_policy_login_delay = "0",
	.pop3_policy_login_burst = "0",
	.pop3_policy_uidl_alarm = "50",
	.pop3_policy_fast_polls = "yes:no",
	.pop3_policy_view = "",
	.pop3_policy_keep_downloaded = "forever",
	.pop3_policy_keep_undownloaded = "forever",
	.pop3_policy_keep_max_messages = "unlimited",
	.pop3_policy_keep_max_size = "unlimited",
	.pop3_policy_expire_action = "expunge",
	.pop3_policy_exempt = "FLAGGED",
	.pop3_policy_device = "",
	.pop3_policy_keep_devices = "",
	.pop3_policy_report_only = "no:yes",
};

const struct setting_parser_info pop3_policy_setting_parser_info = {
	.name = "pop3_policy",
	.plugin_dependency = "lib20_pop3_policy_plugin",

	.defines = setting_defines,
	.defaults = &pop3_policy_default_settings,

	.struct_size = sizeof(struct pop3_policy_settings),
	.pool_offset1 = 1 + offsetof(struct pop3_policy_settings, pool),
	.check_func = pop3_policy_settings_check,
};
