#ifndef POP3_POLICY_SYNC_HOOKS_H
#define POP3_POLICY_SYNC_HOOKS_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct module;

/* In doveadm: let the messages of INBOX say the UIDLs that POP3 clients know, so
   that doveadm sync and doveadm backup take them to the other side, which stores
   them. */
void sync_hooks_add(struct module *module);
void sync_hooks_remove(void);

#endif
