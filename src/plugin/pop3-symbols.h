#ifndef POP3_POLICY_POP3_SYMBOLS_H
#define POP3_POLICY_POP3_SYMBOLS_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "pop3-common.h"
#include "pop3-client.h"

/* The plugin may be enabled for all of Dovecot, but only the pop3 process has
   these. Weak, so that the others can load the plugin too. */
#define POP3_SYMBOL(name) extern __typeof__(name) name __attribute__((weak))

POP3_SYMBOL(pop3_client_created_hook_set);
POP3_SYMBOL(pop3_module_register);
POP3_SYMBOL(client_disconnect);

#endif
