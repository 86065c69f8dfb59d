/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "dict.h"
#include "compat-dict.h"

#if DOVECOT_PREREQ(2, 4, 0)

int compat_dict_init(const char *name, const char *base_dir ATTR_UNUSED,
		     struct event *event, struct dict **dict_r,
		     const char **error_r)
{
	const char *error;

	if (dict_init_filter_auto(event, name, dict_r, &error) > 0)
		return 0;
	*error_r = t_strdup_printf("%s (expected the name of a block "
				   "dict NAME { ... })", error);
	return -1;
}

#else

int compat_dict_init(const char *name, const char *base_dir,
		     struct event *event, struct dict **dict_r,
		     const char **error_r)
{
	const struct dict_settings set = {
		.base_dir = base_dir,
		.event_parent = event,
	};

	return dict_init(name, &set, dict_r, error_r);
}

#endif
