#ifndef POP3_POLICY_SOCKET_NAME_H
#define POP3_POLICY_SOCKET_NAME_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* What a path of a socket may have. */
#define POP3_SOCKET_MAX_LEN 107

/* Parse the name of a socket: one in Dovecot's base_dir or an absolute path,
   without spaces. "" and "none" are NULL. Returns 0 and *name_r, which lives as
   long as the text, or -1 and an error that says what was expected. */
int pop3_socket_name_parse(const char *text, const char **name_r,
			   const char **error_r);

/* Its path, in the data stack. */
const char *pop3_socket_path(const char *name, const char *base_dir);

#endif
