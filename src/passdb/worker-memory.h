#ifndef POP3_POLICY_WORKER_MEMORY_H
#define POP3_POLICY_WORKER_MEMORY_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* Whether this process can get so many octets of memory at once. Returns TRUE,
   or FALSE and an error that names the limit of Dovecot's. */
bool worker_memory_check(uint64_t memory, const char **error_r);

#endif
