/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "passdb-json-settings.h"

/* The hashes are those of password_hasher_defaults. */
const struct passdb_json_settings passdb_json_default_settings = {
	.passdb_json_path = "",
	.passdb_json_hash_memory = 64 * 1024 * 1024,
	.passdb_json_hash_passes = 2,
};

bool passdb_json_settings_check(const struct passdb_json_settings *set,
				const char **error_r)
{
	if (*set->passdb_json_path == '\0') {
		*error_r = "path: not set, expected the absolute path of a "
			"credential file";
		return FALSE;
	}
	if (*set->passdb_json_path != '/') {
		*error_r = t_strdup_printf("path: \"%s\" is not an absolute "
					   "path", set->passdb_json_path);
		return FALSE;
	}
	if (set->passdb_json_hash_memory < PASSDB_JSON_HASH_MEMORY_MIN ||
	    set->passdb_json_hash_memory > PASSDB_JSON_HASH_MEMORY_MAX) {
		*error_r = t_strdup_printf("hash_memory: %"PRIuUOFF_T" octets, "
			"expected 1M to 1G", set->passdb_json_hash_memory);
		return FALSE;
	}
	if (set->passdb_json_hash_passes == 0 ||
	    set->passdb_json_hash_passes > PASSDB_JSON_HASH_PASSES_MAX) {
		*error_r = t_strdup_printf("hash_passes: %u, expected 1 to %u",
			set->passdb_json_hash_passes,
			PASSDB_JSON_HASH_PASSES_MAX);
		return FALSE;
	}
	return TRUE;
}
