#ifndef POP3_POLICY_DICT_CLOCK_H
#define POP3_POLICY_DICT_CLOCK_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* Milliseconds that nobody sets. */
uint64_t dict_clock_msecs(void);
void dict_clock_sleep(unsigned int msecs);

#endif
