/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "socket-name.h"

int pop3_socket_name_parse(const char *text, const char **name_r,
			   const char **error_r)
{
	const char *p;

	for (p = text; *p > ' ' && *p < 0x7f; p++) ;
	if (*p != '\0' || p - text > POP3_SOCKET_MAX_LEN) {
		*error_r = t_strdup_printf("bad socket \"%s\", expected none, "
			"the name of a socket in base_dir or an absolute path, "
			"of at most %u printable characters without spaces",
			text, POP3_SOCKET_MAX_LEN);
		return -1;
	}
	*name_r = *text == '\0' || strcmp(text, "none") == 0 ? NULL : text;
	return 0;
}

const char *pop3_socket_path(const char *name, const char *base_dir)
{
	return *name == '/' ? name : t_strconcat(base_dir, "/", name, NULL);
}
