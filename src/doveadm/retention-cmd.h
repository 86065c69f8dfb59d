#ifndef POP3_POLICY_RETENTION_CMD_H
#define POP3_POLICY_RETENTION_CMD_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct mail_user;
struct maildrop_cmd;
struct pop3_policy_settings;

/* Whether POP3 sessions have left anything behind: mail of users who do not use
   POP3 is left alone. The mailbox is not opened. Returns 1, 0, or -1 and an
   error. */
int retention_cmd_uses_pop3(struct mail_user *user,
			    const struct pop3_policy_settings *set,
			    const char **error_r);

/* Whether the journal knows the messages of the maildrop, as it must before a
   rule is applied. Returns 1, 0 and a reason that says what to do, or -1 and an
   error, also if it cannot be known what is exempt. */
int retention_cmd_check(struct maildrop_cmd *cmd, const char **error_r);

#endif
