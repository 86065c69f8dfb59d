#ifndef POP3_POLICY_PRINTABLE_H
#define POP3_POLICY_PRINTABLE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* For errors that quote what users can write: the text with "?" in the place of
   what could forge a line of a log or steer a terminal, which are control
   characters, also those of eight bits, and what is not UTF-8. In the data
   stack, or text itself. */
const char *pop3_printable(const char *text);

#endif
