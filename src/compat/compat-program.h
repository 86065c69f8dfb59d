#ifndef POP3_POLICY_COMPAT_PROGRAM_H
#define POP3_POLICY_COMPAT_PROGRAM_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* Start the script of the service that listens on this socket, with these
   arguments and, if the service lets it in, the name of the user as USER. Its
   end is not waited for. When it could not be started Dovecot says so in the
   log. */
void compat_program_start(struct event *event, const char *socket_path,
			  const char *const *args, const char *username);

#endif
