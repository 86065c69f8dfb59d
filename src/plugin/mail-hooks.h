#ifndef POP3_POLICY_MAIL_HOOKS_H
#define POP3_POLICY_MAIL_HOOKS_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct module;

/* Put the session between the pop3 process and the mailbox and messages that it
   opens. */
void mail_hooks_add(struct module *module);
void mail_hooks_remove(void);

#endif
