#ifndef POP3_POLICY_SETTING_NAMES_H
#define POP3_POLICY_SETTING_NAMES_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* The settings by their names, for places where Dovecot does not parse them. */

struct pop3_policy_setting_name {
	const char *name;
	/* of the text in struct pop3_policy_settings */
	size_t offset;
};

/* The last one has no name. */
extern const struct pop3_policy_setting_name pop3_policy_setting_names[];

#endif
