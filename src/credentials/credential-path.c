/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "compat-user-vars.h"
#include "credential-path.h"

/* Stands in for each octet of a value that is refused. The path may not have
   the value, so it cannot be refused at once. */
#define REFUSED '\001'

static const char *escape(const char *value)
{
	char *refused;

	if (*value != '.' && strchr(value, '/') == NULL)
		return value;
	refused = t_strdup_noconst(value);
	memset(refused, REFUSED, strlen(refused));
	return refused;
}

static unsigned int count_hidden(const char *path)
{
	unsigned int count = 0;

	while ((path = strstr(path, "/.")) != NULL) {
		path++;
		count++;
	}
	return count;
}

static bool is_valid(const char *path, const char *with_vars)
{
	/* a modifier may cut a value so that a dot comes to the front; where
	   a value is empty one may come there, or no name be left */
	return strchr(path, REFUSED) == NULL &&
		count_hidden(path) <= count_hidden(with_vars) &&
		path[strlen(path) - 1] != '/';
}

int credential_path_make(const char *with_vars, const char *username,
			 const char **path_r, const char **error_r)
{
	const char *path, *error;

	if (compat_user_vars_expand(with_vars, username, escape, &path,
				    &error) < 0) {
		*error_r = t_strdup_printf("%s: %s", with_vars, error);
		return -1;
	}
	if (!is_valid(path, with_vars)) {
		*error_r = "the name of the user has a \"/\" or begins with a "
			"dot, or is empty, where the path of a credential file "
			"has a part of it";
		return 0;
	}
	*path_r = path;
	return 1;
}
