#ifndef POP3_POLICY_APP_PASSWORD_OPTIONS_H
#define POP3_POLICY_APP_PASSWORD_OPTIONS_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct app_password;
struct doveadm_cmd_context;

/* What an app password may do, as the options of a command say it: label,
   expires, network, protocol and setting, of which the last three may be
   repeated. Fills in all of the app password but its id and hash; what it
   points to is in the pool. Returns 0, or -1 and an error that says which
   option is wrong and what was expected. */
int app_password_options_parse(const struct doveadm_cmd_context *cctx,
			       time_t now, pool_t pool,
			       struct app_password *app,
			       const char **error_r);

#endif
