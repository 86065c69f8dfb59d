/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "pop3-policy-settings.h"
#include "pop3-policy-setting-names.h"

#define DEF(name) { #name, offsetof(struct pop3_policy_settings, name) }

const struct pop3_policy_setting_name pop3_policy_setting_names[] = {
	DEF(pop3_policy_quota),
	DEF(pop3_policy_quota_warning),
	DEF(pop3_policy_quota_top),
	DEF(pop3_policy_quota_action),
	DEF(pop3_policy_rate),
	DEF(pop3_policy_state),
	DEF(pop3_policy_on_error),
	DEF(pop3_policy_login_delay),
	DEF(pop3_policy_login_burst),
	DEF(pop3_policy_uidl_alarm),
	DEF(pop3_policy_fast_polls),
	DEF(pop3_policy_view),
	DEF(pop3_policy_keep_downloaded),
	DEF(pop3_policy_keep_undownloaded),
	DEF(pop3_policy_keep_max_messages),
	DEF(pop3_policy_keep_max_size),
	DEF(pop3_policy_expire_action),
	DEF(pop3_policy_exempt),
	DEF(pop3_policy_device),
	DEF(pop3_policy_keep_devices),
	DEF(pop3_policy_report_only),
	{ NULL, 0 }
};
