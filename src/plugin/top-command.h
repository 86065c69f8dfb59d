#ifndef POP3_POLICY_TOP_COMMAND_H
#define POP3_POLICY_TOP_COMMAND_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct istream;

/* Who asks for so many lines does not look what a message is about but fetches
   it, as fetchmail does with messages that it leaves on the server: it is a
   download if it is sent whole. */
#define TOP_DOWNLOAD_LINES 1000000

/* How many body lines the TOP command asks for that the pop3 process is at,
   for the message with this number (from 1). The process does not hand its
   arguments on, but the line still stands in the buffer of the client's input,
   before where the stream is now, and not before earlier_offset (of
   input->v_offset), where a line has ended that was seen already. UOFF_T_MAX
   if it is not to be understood; where a NUL in it leaves two readings, the
   one with more lines. */
uoff_t top_command_lines(struct istream *input, uoff_t earlier_offset,
			 uint32_t pop3_msn);

struct top_reply_size {
	/* what the reply may have at the most, in octets */
	uoff_t max_size;
	/* headers and so many lines are all of the message */
	bool is_whole;
};

/* What TOP with so many lines will send. The message must be at its beginning
   and is put back there; it is read as far as it will be sent. Returns 0, or
   -1 if reading it failed: then the stream is of no more use, so it must not
   be the one that the client will get. */
int top_command_measure(struct istream *message, uoff_t lines,
			struct top_reply_size *size_r);

#endif
