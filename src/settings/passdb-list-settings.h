#ifndef PASSDB_LIST_SETTINGS_H
#define PASSDB_LIST_SETTINGS_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "array-decl.h"

/* What doveadm has to know of Dovecot's own settings to find the passdb that is
   ours and the users in it, on 2.4. */

struct passdb_list_settings {
	pool_t pool;
	/* names of passdb {} blocks */
	ARRAY_TYPE(const_string) passdbs;
	/* with its variables */
	const char *auth_username_format;
};

struct passdb_driver_settings {
	pool_t pool;
	const char *passdb_driver;
};

extern const struct setting_parser_info passdb_list_setting_parser_info;
extern const struct setting_parser_info passdb_driver_setting_parser_info;

#endif
