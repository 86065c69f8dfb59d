#ifndef POP3_POLICY_COMPAT_DICT_H
#define POP3_POLICY_COMPAT_DICT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct dict;

/* Open a dict. 2.3: name is a URI, "redis:host=127.0.0.1" or "proxy::NAME",
   where a socket is looked for in base_dir. 2.4: name is that of a block
   "dict NAME { ... }" of the settings that the event leads to. Returns 0, or -1
   and an error. */
int compat_dict_init(const char *name, const char *base_dir,
		     struct event *event, struct dict **dict_r,
		     const char **error_r);

#endif
