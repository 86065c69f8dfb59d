/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "password-hash.h"
#include "passdb-json-settings.h"
#include "passdb-json-hasher.h"

void passdb_json_hasher_settings(const struct passdb_json_settings *set,
				 struct password_hasher_settings *set_r)
{
	struct password_hash_cost cost =
		password_hash_cost(set->passdb_json_hash_passes,
				   set->passdb_json_hash_memory);

	set_r->opslimit = set->passdb_json_hash_passes;
	set_r->memlimit = set->passdb_json_hash_memory;
	set_r->max = password_hasher_defaults.max;
	set_r->max.memory = I_MAX(set_r->max.memory, 2 * cost.memory);
	set_r->max.work = I_MAX(set_r->max.work, 4 * cost.work);
}
