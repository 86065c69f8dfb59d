/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "socket-name.h"

int pop3_socket_name_check(const char *name, const char **error_r)
{
	const char *p;

	for (p = name; *p > ' ' && *p < 0x7f; p++) ;
	if (*p == '\0' && p - name <= POP3_SOCKET_MAX_LEN)
		return 0;
	*error_r = t_strdup_printf("bad socket \"%s\", expected the name of a "
		"socket in base_dir or an absolute path, of at most %u printable "
		"characters without spaces", name, POP3_SOCKET_MAX_LEN);
	return -1;
}

const char *pop3_socket_path(const char *name, const char *base_dir)
{
	return *name == '/' ? name : t_strconcat(base_dir, "/", name, NULL);
}
