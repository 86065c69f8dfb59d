/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "module-dir.h"
#include "compat-module.h"

int compat_module_load(struct module **modules, const char *dir,
		       const char *name, const char **error_r)
{
	const struct module_dir_load_settings set = {
		.abi_version = DOVECOT_ABI_VERSION,
		.require_init_funcs = TRUE,
	};
#if DOVECOT_PREREQ(2, 4, 0)
	const char *const names[] = { name, NULL };
#else
	const char *names = name;
#endif

	return module_dir_try_load_missing(modules, dir, names, &set, error_r);
}
