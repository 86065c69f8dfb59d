#ifndef POP3_POLICY_LAST_USED_LINE_H
#define POP3_POLICY_LAST_USED_LINE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "net.h"

#include <time.h>

/* Of {"user":"a","time":1} */
#define LAST_USED_LINE_MIN_SIZE 21
/* A longer line is not ours. */
#define LAST_USED_LINE_MAX_SIZE 4096

struct last_used_line {
	const char *user;
	/* "" for the main password */
	const char *id;
	time_t time;
	/* of no family if it is not known */
	struct ip_addr ip;
};

/* The address of a client, or "". */
int last_used_address_parse(const char *address, struct ip_addr *ip_r,
			    const char **error_r);
/* Whether user and id may stand in a line. */
bool last_used_line_is_valid(const struct last_used_line *line,
			     const char **error_r);

/* Append the line with its end. */
void last_used_line_print(string_t *dest, const struct last_used_line *line);
/* The strings of *line_r are in the data stack, and valid. Returns 0, or -1 and
   an error. */
int last_used_line_parse(const void *text, size_t size,
			 struct last_used_line *line_r, const char **error_r);

#endif
