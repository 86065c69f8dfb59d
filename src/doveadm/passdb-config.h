#ifndef POP3_POLICY_PASSDB_CONFIG_H
#define POP3_POLICY_PASSDB_CONFIG_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "passdb-json-settings.h"

/* What the configuration of Dovecot says to the auth service of users and the
   credential file: there is no second setting for doveadm. */
struct passdb_config {
	/* of the first passdb of driver json */
	struct passdb_json_settings set;
	/* what auth makes of each name before it looks for the user; "" leaves
	   it as it is */
	const char *username_format;
};

/* Read and check it; a server need not be running. The strings are in the pool.
   Returns 0, or -1 and an error, also if there is no such passdb. */
int passdb_config_read(pool_t pool, struct passdb_config *config_r,
		       const char **error_r);

/* The name by which auth looks for a user who logs in by this one, in the data
   stack. Returns 0, or -1 and an error if a credential file cannot have it. */
int passdb_config_username(const struct passdb_config *config,
			   const char *login_name, const char **username_r,
			   const char **error_r);

/* The path of the file that a user is in, in the data stack. Returns 0, or -1
   and an error, such as that the name has a slash. */
int passdb_config_path(const struct passdb_config *config, const char *username,
		       const char **path_r, const char **error_r);

/* Within passdb_config_read(): read it as this Dovecot says it. */
int passdb_config_load(pool_t pool, struct passdb_config *config_r,
		       const char **error_r);

#endif
