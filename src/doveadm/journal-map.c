/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "epoch.h"
#include "journal.h"
#include "maildrop-cmd.h"
#include "journal-map.h"

int journal_map_init(struct journal_map *map_r, struct maildrop_cmd *cmd,
		     const char **error_r)
{
	const struct pop3_message *message;
	struct policy_journal *journal = NULL;
	int ret = 1;

	if (cmd->epoch != NULL && cmd->epoch->journal_generation != 0) {
		ret = policy_journal_read(cmd->store,
					  cmd->epoch->journal_generation,
					  &journal, error_r);
		if (ret < 0)
			return -1;
	}
	i_zero(map_r);
	map_r->journal = journal;
	hash_table_create_direct(&map_r->messages, default_pool, 0);
	if (journal == NULL)
		return ret;
	array_foreach(&journal->messages, message) {
		if (message->uid != 0) {
			hash_table_insert(map_r->messages,
					  POINTER_CAST(message->uid), message);
		}
	}
	return ret;
}

void journal_map_deinit(struct journal_map *map)
{
	hash_table_destroy(&map->messages);
	policy_journal_free(&map->journal);
}

const struct pop3_message *
journal_map_find(const struct journal_map *map, uint32_t uid)
{
	return hash_table_lookup(map->messages, POINTER_CAST(uid));
}
