#ifndef POP3_POLICY_RETENTION_CMD_H
#define POP3_POLICY_RETENTION_CMD_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct mail_user;
struct maildrop_cmd;
struct pop3_policy_settings;
struct pop3_retention_bounds;

/* What is known of retention, without a look at the mailbox. Returns 1; 0 if
   this is not a user of POP3, whose mail is left alone; -1 and an error. */
int retention_cmd_read_bounds(struct mail_user *user,
			      const struct pop3_policy_settings *set,
			      struct pop3_retention_bounds *bounds_r,
			      const char **error_r);

/* Whether the journal knows the messages of the maildrop, as it must before a
   rule is applied. Returns 1, 0 and a reason that says what to do, or -1 and an
   error, also if it cannot be known what is exempt or hidden. */
int retention_cmd_check(struct maildrop_cmd *cmd, const char **error_r);

#endif
