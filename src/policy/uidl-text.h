#ifndef POP3_POLICY_UIDL_TEXT_H
#define POP3_POLICY_UIDL_TEXT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "guid.h"

/* Lists of UIDLs as other programs write them, one message a line. */
enum pop3_uidl_text_format {
	/* "7 0000000a5f3b": what a client is told by UIDL; a status line
	   "+OK..." before it, a "." after it and empty lines are allowed */
	POP3_UIDL_TEXT_MSGNO,
	/* Courier's courierpop3dsizelist, versions 0 to 3. In the first line
	   the number after the version is the next N, and V a time:
	     version 0  no first line    FILENAME SIZE
	     version 1  "/1 NEXT ..."    FILENAME SIZE N
	     version 2  "/2 NEXT V"      FILENAME SIZE N:V
	     version 3  "/3 NEXT V"      FILENAME SIZE N:V:UTF8
	   FILENAME may have flags (":2,S") and spaces. Clients are told
	   "UID<N>-<V>"; "UID<N>" if V is 0 or missing; and if N is 0 or missing
	   the name without flags, in which ', ", + and octets other than 0x21
	   to 0x7E are "+" and two hexadecimal digits. */
	POP3_UIDL_TEXT_COURIER,
	/* Dovecot's dovecot-uidlist, version 3: the first line
	   "3 V<uidvalidity> N<uidnext> G<guid>", then "UID P<UIDL> :FILENAME"
	   with any other fields beside P; an empty P says that the name without
	   flags is the UIDL, no P that none is stored */
	POP3_UIDL_TEXT_UIDLIST,

	POP3_UIDL_TEXT_FORMAT_COUNT
};

/* One message of such a list. */
struct pop3_uidl_entry {
	/* as the list names the message: one of these is set, the other is 0 or
	   NULL */
	uint32_t msgno;
	/* base name of a maildir file, without flags */
	const char *filename;
	/* valid by pop3_uidl_is_valid() */
	const char *uidl;
};

struct pop3_uidl_text_parser;

struct pop3_uidl_text_parser *
pop3_uidl_text_parser_init(enum pop3_uidl_text_format format);
void pop3_uidl_text_parser_deinit(struct pop3_uidl_text_parser **parser);
/* Parse the next line, given without its line end. Returns 1 and an entry,
   whose strings are in the data stack, 0 if the line says nothing about the
   UIDL of a message, -1 and an error that says what was wrong and what was
   expected, with no octet that could harm a log or a terminal; the caller adds
   the number of the line. After an error the next line may be parsed; but if
   the first line of a list was bad that names its version, all others are
   errors too. */
int pop3_uidl_text_parse_line(struct pop3_uidl_text_parser *parser,
			      const char *line, struct pop3_uidl_entry *entry_r,
			      const char **error_r);

/* A message to be printed. */
struct pop3_uidl_text_message {
	uint32_t msgno;
	uint32_t uid;
	uint64_t size;
	/* base name of the maildir file; NULL if it is not one */
	const char *filename;
	const char *uidl;
};

/* The mailbox that the messages are in, for the first line. Courier makes the
   UIDLs of new messages from uidvalidity and from uidnext on. */
struct pop3_uidl_text_mailbox {
	uint32_t uidvalidity;
	uint32_t uidnext;
	/* empty if it is not known */
	guid_128_t guid;
};

/* Append the first line of a list, if its format has one. */
void pop3_uidl_text_print_begin(string_t *dest,
				enum pop3_uidl_text_format format,
				const struct pop3_uidl_text_mailbox *mailbox);
/* Append a line with its line end; Dovecot wants those of a uidlist in the
   order of their UIDs. Returns 0, or -1 and an error if the format cannot say
   this, such as one that needs a file name; nothing is then appended. */
int pop3_uidl_text_print(string_t *dest, enum pop3_uidl_text_format format,
			 const struct pop3_uidl_text_message *message,
			 const char **error_r);

/* "msgno", "courier", "uidlist". Returns 0 or -1. */
int pop3_uidl_text_format_parse(const char *name,
				enum pop3_uidl_text_format *format_r);

#endif
