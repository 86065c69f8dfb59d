#ifndef POP3_POLICY_UIDL_LIST_FILE_H
#define POP3_POLICY_UIDL_LIST_FILE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "message.h"

struct istream;
struct uidl_format_option;

/* A longer line is not one of ours. */
#define UIDL_LIST_MAX_LINE_LEN 1024
#define UIDL_LIST_MAX_LINES 10000000

enum uidl_list_result {
	/* the message is told this UIDL already */
	UIDL_LIST_KEPT,
	/* it will be */
	UIDL_LIST_NEW,
	/* it cannot be, because of another message or another line */
	UIDL_LIST_CONFLICT,
	/* there is no such message */
	UIDL_LIST_UNKNOWN,
	/* the line is not one of the format */
	UIDL_LIST_INVALID,

	UIDL_LIST_RESULT_COUNT
};

/* A line of a list of UIDLs that is about a message. */
struct uidl_list_line {
	unsigned int number;
	enum uidl_list_result result;
	/* for the results that are not as they should be */
	const char *reason;
	/* as the list names the message, if it does so by its number; else 0 */
	uint32_t msgno;
};
ARRAY_DEFINE_TYPE(uidl_list_line, struct uidl_list_line);

struct uidl_list_file {
	ARRAY_TYPE(uidl_list_line) lines;
	/* What the lines say, by the same indexes; of a line that is invalid
	   nothing. The UID is not set; the GUID may be made of a file name. */
	ARRAY_TYPE(pop3_message) messages;
};

/* Read a list until its end; strings are in the pool. Lines that say nothing
   about the UIDL of a message are left out, invalid ones are not. Returns 0, or
   -1 and an error. */
int uidl_list_file_read(struct uidl_list_file *list_r, struct istream *input,
			const struct uidl_format_option *option, pool_t pool,
			const char **error_r);

#endif
