#ifndef POP3_POLICY_JOURNAL_MAP_H
#define POP3_POLICY_JOURNAL_MAP_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "hash-decl.h"

struct maildrop_cmd;
struct pop3_message;

/* The journal of a maildrop, by UIDs. */
struct journal_map {
	/* NULL if there is none */
	struct policy_journal *journal;
	HASH_TABLE(void *, const struct pop3_message *) messages;
};

/* Read the journal of cmd->epoch. Returns 1; 0 if there is none, although there
   should be one: the map is then an empty one; or -1 and an error. */
int journal_map_init(struct journal_map *map_r, struct maildrop_cmd *cmd,
		     const char **error_r);
void journal_map_deinit(struct journal_map *map);
/* What the journal knows of the message, or NULL. */
const struct pop3_message *
journal_map_find(const struct journal_map *map, uint32_t uid);

#endif
