#ifndef POP3_POLICY_COMPAT_MODULE_H
#define POP3_POLICY_COMPAT_MODULE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct module;

/* Load the module of this name from the folder, unless it is among these
   already. Returns 0, or -1 and an error. */
int compat_module_load(struct module **modules, const char *dir,
		       const char *name, const char **error_r);

#endif
