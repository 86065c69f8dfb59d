/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "compat-mail-user.h"
#include "mail-storage-settings.h"

#if DOVECOT_PREREQ(2, 4, 0)

#include "settings.h"

bool compat_mail_user_wants_fsync(struct mail_user *user)
{
	const struct mail_storage_settings *set;
	const char *error;
	bool wants;

	if (settings_get(user->event, &mail_storage_setting_parser_info, 0,
			 &set, &error) < 0) {
		e_error(user->event, "%s", error);
		return TRUE;
	}
	wants = set->parsed_fsync_mode != FSYNC_MODE_NEVER;
	settings_free(set);
	return wants;
}

#else

bool compat_mail_user_wants_fsync(struct mail_user *user)
{
	return mail_user_set_get_storage_set(user)->parsed_fsync_mode !=
		FSYNC_MODE_NEVER;
}

#endif
