#ifndef POP3_POLICY_COMPAT_USER_VARS_H
#define POP3_POLICY_COMPAT_USER_VARS_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* A text whose variables stand for a user: the name, with modifiers or filters,
   and on 2.3 also its local part and domain. There are no others. */

/* Find the variables in a text. Returns 0 and whether there is any, or -1 and
   an error. */
int compat_user_vars_check(const char *text, bool *has_vars_r,
			   const char **error_r);

/* What stands in for a value: before the modifiers on 2.3, also if the text
   does not have the variable; after the filters on 2.4. */
typedef const char *compat_user_vars_escape_t(const char *value);

/* Replace the variables; escape NULL leaves the values as they are. The result
   is in the data stack. Returns 0, or -1 and an error. */
int compat_user_vars_expand(const char *text, const char *username,
			    compat_user_vars_escape_t *escape,
			    const char **result_r, const char **error_r);

#endif
