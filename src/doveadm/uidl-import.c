/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "seq-range-array.h"
#include "epoch.h"
#include "maildrop-cmd.h"
#include "uidl-import-match.h"
#include "uidl-import.h"

/* A UIDL, and the index + 1 of the line that gives it to a message. */
HASH_TABLE_DEFINE_TYPE(uidl_owners, const char *, void *);

static unsigned int
lookup_owner(HASH_TABLE_TYPE(uidl_owners) owners, const char *uidl)
{
	return POINTER_CAST_TO(hash_table_lookup(owners, uidl), unsigned int);
}

static void ATTR_FORMAT(4, 5)
set_result(struct uidl_import *import, unsigned int idx,
	   enum uidl_list_result result, const char *format, ...)
{
	struct uidl_list_line *line =
		array_idx_modifiable(&import->list->lines, idx);
	va_list args;

	line->result = result;
	va_start(args, format);
	line->reason = p_strdup_vprintf(import->pool, format, args);
	va_end(args);
}

static unsigned int
line_number(const struct uidl_import *import, unsigned int idx)
{
	const struct uidl_list_line *line =
		array_idx(&import->list->lines, idx);

	return line->number;
}

/* A line about a message that another line has named already. */
static void
resolve_repeated(struct uidl_import *import, unsigned int idx,
		 unsigned int first_idx)
{
	const struct pop3_message *message =
		array_idx(&import->list->messages, idx);
	struct pop3_message *first =
		array_idx_modifiable(&import->list->messages, first_idx);

	if (strcmp(first->uidl, message->uidl) != 0) {
		set_result(import, idx, UIDL_LIST_CONFLICT,
			   "line %u gives the message another UIDL",
			   line_number(import, first_idx));
		return;
	}
	if (first->downloaded == 0)
		first->downloaded = message->downloaded;
	set_result(import, idx, UIDL_LIST_KEPT, "line %u says the same",
		   line_number(import, first_idx));
}

/* line_of has the index + 1 of the line that names a message. */
static void
resolve_line(struct uidl_import *import, unsigned int idx, uint32_t *line_of,
	     HASH_TABLE_TYPE(uidl_owners) owners)
{
	const struct pop3_message *message =
		array_idx(&import->list->messages, idx);
	struct uidl_list_line *line =
		array_idx_modifiable(&import->list->lines, idx);
	uint32_t named = *array_idx(&import->named, idx);
	unsigned int owner;

	if (line->result == UIDL_LIST_INVALID)
		return;
	/* of an earlier try */
	line->reason = NULL;
	if (named == 0) {
		set_result(import, idx, UIDL_LIST_UNKNOWN,
			   "there is no such message");
		return;
	}
	if (line_of[named - 1] != 0) {
		resolve_repeated(import, idx, line_of[named - 1] - 1);
		return;
	}
	line_of[named - 1] = idx + 1;
	owner = lookup_owner(owners, message->uidl);
	if (owner != 0) {
		set_result(import, idx, UIDL_LIST_CONFLICT,
			   "line %u gives this UIDL to another message",
			   line_number(import, owner - 1));
		return;
	}
	hash_table_insert(owners, message->uidl, POINTER_CAST(idx + 1));
	line->result = strcmp(array_idx_elem(&import->told, named - 1),
			      message->uidl) == 0 ?
		UIDL_LIST_KEPT : UIDL_LIST_NEW;
}

/* UIDLs of messages that the list does not name stay theirs. */
static void
find_told_conflicts(struct uidl_import *import, const uint32_t *line_of,
		    HASH_TABLE_TYPE(uidl_owners) owners)
{
	const struct pop3_found_message *found;
	unsigned int idx, owner;

	array_foreach(&import->found, found) {
		idx = array_foreach_idx(&import->found, found);
		if (line_of[idx] != 0)
			continue;
		owner = lookup_owner(owners,
				     array_idx_elem(&import->told, idx));
		if (owner != 0) {
			set_result(import, owner - 1, UIDL_LIST_CONFLICT,
				   "UID %u is told this UIDL", found->uid);
		}
	}
}

int uidl_import_resolve(struct uidl_import *import, const char **error_r)
{
	HASH_TABLE_TYPE(uidl_owners) owners;
	const struct uidl_list_line *line;
	uint32_t *line_of;
	unsigned int idx;

	if (uidl_import_match(import, error_r) < 0)
		return -1;
	hash_table_create(&owners, default_pool, 0, str_hash, strcmp);
	line_of = p_new(import->pool, uint32_t,
			array_count(&import->found) + 1);
	for (idx = 0; idx < array_count(&import->list->lines); idx++)
		resolve_line(import, idx, line_of, owners);
	find_told_conflicts(import, line_of, owners);
	hash_table_destroy(&owners);

	i_zero(&import->counts);
	array_foreach(&import->list->lines, line)
		import->counts[line->result]++;
	return 0;
}

uint32_t uidl_import_uid(const struct uidl_import *import, unsigned int idx)
{
	const struct pop3_found_message *found;
	uint32_t named = *array_idx(&import->named, idx);

	if (named == 0)
		return 0;
	found = array_idx(&import->found, named - 1);
	return found->uid;
}

/* Without an epoch nobody knows yet that a message is told what it is. */
static bool
is_news(const struct uidl_import *import, const struct uidl_list_line *line,
	const struct uidl_assignment *assignment)
{
	const struct policy_epoch *epoch = import->cmd->epoch;

	if (line->result == UIDL_LIST_NEW || epoch == NULL)
		return TRUE;
	return assignment->downloaded != 0 &&
		!seq_range_exists(&epoch->downloaded, assignment->uid);
}

void uidl_import_get_assignments(const struct uidl_import *import,
				 ARRAY_TYPE(uidl_assignment) *dest)
{
	const struct pop3_message *message;
	const struct uidl_list_line *line;
	struct uidl_assignment assignment;

	array_foreach(&import->list->lines, line) {
		unsigned int idx =
			array_foreach_idx(&import->list->lines, line);

		/* a line that repeats another one has a reason too */
		if ((line->result != UIDL_LIST_KEPT &&
		     line->result != UIDL_LIST_NEW) || line->reason != NULL)
			continue;
		message = array_idx(&import->list->messages, idx);
		i_zero(&assignment);
		assignment.uid = uidl_import_uid(import, idx);
		assignment.uidl = message->uidl;
		assignment.downloaded = message->downloaded;
		if (is_news(import, line, &assignment))
			array_push_back(dest, &assignment);
	}
}
