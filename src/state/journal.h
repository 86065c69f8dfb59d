#ifndef POP3_POLICY_JOURNAL_H
#define POP3_POLICY_JOURNAL_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "message.h"
#include "store.h"

/* DIR/messages.jsonl: a first line that names the version, the epoch and the
   generation, then one line of JSON for each message, in the order in which
   they were taken in; doc/journal.schema.json describes both. A later line for
   the same UID is the news about that message.

   A journal that is written anew lies beside the old one, as
   messages.jsonl.new, until the state that names its generation is written:
   policy_store_commit() then renames it. If a crash comes between, who reads
   finds it by its generation, and who writes renames it. */
struct policy_journal {
	pool_t pool;
	/* of the first line; 0 if that is damaged */
	uint32_t epoch;
	uint32_t generation;
	/* In the order of the first line of each message; what later lines said
	   is already put in, but first downloads stand. UIDs are unique, but
	   for 0. */
	ARRAY_TYPE(pop3_message) messages;
	/* whole lines without the first one, unless that is damaged */
	uint32_t lines;
	/* lines that could not be read as a message, and were left out */
	uint32_t damaged;
	/* the last line has no end, and was left out */
	bool torn;
};

/* Read the journal whole, with the lock or without. With generation 0 (the
   state was lost) any will do, also one whose first line is damaged. A torn
   last line is left out; each damaged line is left out and counted. Returns 1
   and *journal_r, 0 if there is none of this generation (without the lock: or
   it was replaced since the state was read), -1 and an error if it cannot be
   read, is not a file of ours, is too large, or was written by a newer
   version. */
int policy_journal_read(struct policy_store *store, uint32_t generation,
			struct policy_journal **journal_r,
			const char **error_r);
void policy_journal_free(struct policy_journal **journal);
/* Whether there is a journal of this generation (0 for any): reads its first
   line. Returns 1, 0, or -1 and an error. */
int policy_journal_exists(struct policy_store *store, uint32_t generation,
			  const char **error_r);

/* Whether the last line of the journal of this generation is torn: it may have
   been about a message that the state counts. Returns 1, 0 also if there is no
   journal, or -1 and an error. */
int policy_journal_is_torn(struct policy_store *store, uint32_t generation,
			   const char **error_r);

/* Under the lock: copy what lies in the place of the journal, whatever it is,
   to messages.jsonl.corrupt-TIME, so that nothing is lost when it is written
   anew. Returns 1 and the name in the data stack, 0 if there is nothing, as in a
   dict, of which no copy is kept, -1 and an error. */
int policy_journal_keep_copy(struct policy_store *store, const char **name_r,
			     const char **error_r);

/* To append and to replace needs the lock of policy_store_begin(), and is to be
   followed by policy_store_commit() of the state that counts these lines, or by
   a rollback. When they fail, nothing is left of what they began, and *error_r
   is set. */

/* The generation of a journal that takes the place of one of this generation
   (0 for none). The largest one is followed by 1: somebody may have written it
   into a file. */
uint32_t policy_journal_next_generation(uint32_t generation);
/* Append one line for each message with a single write, to a journal of this
   generation that exists and was not replaced in the same transaction; a torn
   last line is cut off first. The lines stay after a rollback, and a crash:
   what they say of downloads is true without the state, but a UIDL that is not
   Dovecot's own is told only once the state has it as a stored one. */
enum policy_store_result
policy_journal_append(struct policy_store *store, uint32_t generation,
		      const ARRAY_TYPE(pop3_message) *messages,
		      const char **error_r);
/* Write a journal with these messages that takes the place of the old one when
   the state is committed, and vanishes at a rollback. */
enum policy_store_result
policy_journal_replace(struct policy_store *store, uint32_t epoch,
		       uint32_t generation,
		       const ARRAY_TYPE(pop3_message) *messages,
		       const char **error_r);

#endif
