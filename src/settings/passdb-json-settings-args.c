/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "compat.h"
#include "passdb-json-settings.h"

static int
parse_arg(const char *arg, pool_t pool, struct passdb_json_settings *set,
	  const char **error_r)
{
	const char *name = t_strcut(arg, '=');
	const char *value = strchr(arg, '=');
	uint64_t memory;

	if (value != NULL)
		value++;
	else
		value = "";
	if (strcmp(name, "path") == 0) {
		set->passdb_json_path = p_strdup(pool, value);
	} else if (strcmp(name, "hash_memory") == 0) {
		if (compat_str_parse_size(value, &memory) < 0) {
			*error_r = t_strdup_printf("hash_memory: \"%s\" is no "
				"amount of octets, expected one such as 64M",
				value);
			return -1;
		}
		set->passdb_json_hash_memory = memory;
	} else if (strcmp(name, "hash_passes") == 0) {
		if (str_to_uint(value, &set->passdb_json_hash_passes) < 0) {
			*error_r = t_strdup_printf("hash_passes: \"%s\" is not "
						   "a number", value);
			return -1;
		}
	} else {
		*error_r = t_strdup_printf("unknown argument \"%s\", expected "
			"path=, hash_memory= or hash_passes=", arg);
		return -1;
	}
	return 0;
}

int passdb_json_settings_parse_args(const char *args, pool_t pool,
				    struct passdb_json_settings *set_r,
				    const char **error_r)
{
	struct passdb_json_settings set = passdb_json_default_settings;
	const char *const *words = t_strsplit_spaces(args, " ");

	set.pool = pool;
	for (; *words != NULL; words++) {
		if (parse_arg(*words, pool, &set, error_r) < 0)
			return -1;
	}
	if (!passdb_json_settings_check(&set, error_r))
		return -1;
	*set_r = set;
	return 0;
}
