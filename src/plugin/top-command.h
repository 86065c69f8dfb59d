#ifndef POP3_POLICY_TOP_COMMAND_H
#define POP3_POLICY_TOP_COMMAND_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct istream;

/* How many body lines the TOP command asks for that the pop3 process is at. It
   does not hand its arguments on, but they still stand in the buffer of the
   client's input, from line_offset (of input->v_offset, where the line began) to
   where the stream is now. UOFF_T_MAX if they do not: rather too many. */
uoff_t top_command_lines(struct istream *input, uoff_t line_offset);

/* TRUE if headers and so many lines of the body are all of the message. The
   stream must be at its beginning and is put back there. */
bool top_command_sends_whole(struct istream *message, uoff_t lines);

#endif
