#ifndef POP3_POLICY_PASSDB_JSON_SETTINGS_H
#define POP3_POLICY_PASSDB_JSON_SETTINGS_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* The settings of the passdb driver "json": words of its args on 2.3, where
   they have no prefix, and a block passdb json {} on 2.4. */
struct passdb_json_settings {
	pool_t pool;

	/* the credential file; one file for each user if it has variables,
	   which are still in it here */
	const char *passdb_json_path;
	/* of new hashes: octets of memory, and how often it is gone over */
	uoff_t passdb_json_hash_memory;
	unsigned int passdb_json_hash_passes;
};

/* What a server can spend on each login. */
#define PASSDB_JSON_HASH_MEMORY_MIN (1024 * 1024)
#define PASSDB_JSON_HASH_MEMORY_MAX (1024 * 1024 * 1024)
#define PASSDB_JSON_HASH_PASSES_MAX 100

extern const struct passdb_json_settings passdb_json_default_settings;

/* Returns TRUE, or FALSE and an error that says setting, value and what was
   expected. */
bool passdb_json_settings_check(const struct passdb_json_settings *set,
				const char **error_r);

/* 2.3: parse "path=PATH hash_memory=64M hash_passes=2", and check it. Returns
   0, or -1 and an error. */
int passdb_json_settings_parse_args(const char *args, pool_t pool,
				    struct passdb_json_settings *set_r,
				    const char **error_r);

#endif
