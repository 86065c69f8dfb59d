#ifndef POP3_POLICY_COMPAT_MAIL_USER_H
#define POP3_POLICY_COMPAT_MAIL_USER_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "mail-user.h"

/* Whether mail_fsync lets files of this user be synced. */
bool compat_mail_user_wants_fsync(struct mail_user *user);

#endif
