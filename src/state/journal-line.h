#ifndef POP3_POLICY_JOURNAL_LINE_H
#define POP3_POLICY_JOURNAL_LINE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "message.h"

/* A longer line is not ours. */
#define JOURNAL_LINE_MAX_SIZE 4096
/* 22 characters are in use. */
#define JOURNAL_HASH_MAX_LEN 32

/* The first line of a journal. */
struct policy_journal_header {
	uint32_t epoch;
	uint32_t generation;
};

enum policy_journal_header_result {
	POLICY_JOURNAL_HEADER_OK,
	/* it may be a message */
	POLICY_JOURNAL_HEADER_DAMAGED,
	/* written by a version that is newer than this one */
	POLICY_JOURNAL_HEADER_TOO_NEW
};

void policy_journal_header_print(string_t *dest,
				 const struct policy_journal_header *header);
/* *error_r is set for both failures. */
enum policy_journal_header_result
policy_journal_header_parse(const void *line, size_t size,
			    struct policy_journal_header *header_r,
			    const char **error_r);

/* Append one message as a line of JSON with its line end: members that have
   nothing to say are left out. */
void policy_journal_line_print(string_t *dest,
			       const struct pop3_message *message);
/* The strings of *message_r live in the pool. The UIDL is valid by
   pop3_uidl_is_valid(), GUID and fingerprint are printable and bounded, names
   of devices valid by pop3_device_name_is_valid(). Returns
   0, or -1 and an error that says what is wrong and what was expected. */
int policy_journal_line_parse(const void *line, size_t size, pool_t pool,
			      struct pop3_message *message_r,
			      const char **error_r);

#endif
