#ifndef POP3_POLICY_PASSWORD_INPUT_H
#define POP3_POLICY_PASSWORD_INPUT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* A password that somebody types, or that a program writes to standard input.
   It is never on a command line, which others can see. */

#define PASSWORD_INPUT_MAX_LEN 512

struct password_input {
	char text[PASSWORD_INPUT_MAX_LEN + 1];
};

/* If standard input is a terminal, ask for the password there by the prompt,
   without echo, and with a second prompt that is not NULL once more. Else read
   one line from standard input. Returns 0, or -1 and an error that has nothing
   of the password. */
int password_input_read(struct password_input *input_r, const char *prompt,
			const char *prompt_again, const char **error_r);
/* Forget it. */
void password_input_wipe(struct password_input *input);

#endif
