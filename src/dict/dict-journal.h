#ifndef POP3_POLICY_DICT_JOURNAL_H
#define POP3_POLICY_DICT_JOURNAL_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "dict-kv.h"

/* The text of the journal, in pieces of whole lines: one after the other they
   are messages.jsonl. A key says of which generation they are and how many, as
   not every dict can list its keys. */
struct dict_journal;

struct dict_journal *dict_journal_init(struct dict_kv *kv);
void dict_journal_deinit(struct dict_journal **journal);

/* As find_journal and get_journal of struct policy_dict_vfuncs. */
int dict_journal_find(struct dict_journal *journal, uint32_t generation,
		      string_t *text, bool *damaged_r, const char **error_r);
int dict_journal_read(struct dict_journal *journal, uint32_t generation,
		      string_t *text, bool *damaged_r, const char **error_r);

/* Changes are kept until they are written by the transaction, or forgotten.
   Appending returns 1, 0 if there is no such journal, -1 and an error. */
int dict_journal_append(struct dict_journal *journal, uint32_t generation,
			const string_t *lines, const char **error_r);
void dict_journal_replace(struct dict_journal *journal, uint32_t generation,
			  const string_t *text);
/* Under the lock, before a write: what is there to be replaced. Returns 0, or
   -1 and an error. */
int dict_journal_look_ahead(struct dict_journal *journal,
			    const char **error_r);
void dict_journal_write(struct dict_journal *journal,
			struct dict_kv_transaction *trans);
void dict_journal_forget(struct dict_journal *journal);

#endif
