#ifndef POP3_POLICY_SETTING_VALUE_H
#define POP3_POLICY_SETTING_VALUE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* Whether there is a setting of this name that can have this value. If not,
   *error_r says why. */
bool pop3_policy_setting_is_valid(const char *name, const char *value,
				  const char **error_r);

#endif
