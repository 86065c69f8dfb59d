#ifndef POP3_POLICY_COMPAT_DOVEADM_H
#define POP3_POLICY_COMPAT_DOVEADM_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "doveadm-mail.h"

/* The parameters of struct doveadm_mail_cmd_vfuncs.init. */
#if DOVECOT_PREREQ(2, 4, 0)
#  define COMPAT_DOVEADM_INIT_PARAMS \
	struct doveadm_mail_cmd_context *ctx ATTR_UNUSED
#else
#  define COMPAT_DOVEADM_INIT_PARAMS \
	struct doveadm_mail_cmd_context *ctx ATTR_UNUSED, \
	const char *const args[] ATTR_UNUSED
#endif

#if !DOVECOT_PREREQ(2, 4, 0)
static inline bool
compat_doveadm_accept_option(struct doveadm_mail_cmd_context *ctx ATTR_UNUSED,
			     int option ATTR_UNUSED)
{
	return TRUE;
}
#endif

/* Let init() ask for the options of a command by doveadm_cmd_param_str() and
   others: 2.3 refuses those that nobody has taken before that. */
static inline void
compat_doveadm_accept_options(struct doveadm_mail_cmd_context *ctx ATTR_UNUSED)
{
#if !DOVECOT_PREREQ(2, 4, 0)
	ctx->v.parse_arg = compat_doveadm_accept_option;
#endif
}

#endif
