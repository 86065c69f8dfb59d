#ifndef POP3_POLICY_UIDL_IMPORT_H
#define POP3_POLICY_UIDL_IMPORT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "assign.h"
#include "uidl-match.h"
#include "uidl-list-file.h"

struct maildrop_cmd;

/* A list of UIDLs, and the messages of a maildrop that it names. */
struct uidl_import {
	pool_t pool;
	struct maildrop_cmd *cmd;
	struct uidl_list_file *list;
	bool jsonl;

	/* the messages of the maildrop in the order of POP3, and by the same
	   indexes what clients are told of each */
	ARRAY_TYPE(pop3_found_message) found;
	ARRAY_TYPE(const_string) told;
	/* of these, the index + 1 that each line of the list names; 0 for
	   none */
	ARRAY_TYPE(uint32_t) named;

	unsigned int counts[UIDL_LIST_RESULT_COUNT];
};

/* Find the message of each line, and set the results of the lines. Memory comes
   from the pool. Returns 0, or -1 and an error. */
int uidl_import_resolve(struct uidl_import *import, const char **error_r);

/* The UID of the message that a line names; 0 for none. */
uint32_t uidl_import_uid(const struct uidl_import *import, unsigned int idx);
/* What is to be written, which may be nothing. */
void uidl_import_get_assignments(const struct uidl_import *import,
				 ARRAY_TYPE(uidl_assignment) *dest);

#endif
