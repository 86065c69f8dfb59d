#ifndef POP3_POLICY_FUZZ_HOME_H
#define POP3_POLICY_FUZZ_HOME_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* For fuzzers that need files. */

/* Make a home that vanishes at the end; may be called again. */
void fuzz_home_init(void);
/* The folder of the state in it, in the data stack. */
const char *fuzz_home_dir(void);
/* Put this in the place of a file of that folder. */
void fuzz_home_write(const char *name, const void *data, size_t size);

/* Errors and warnings are as they should be, and many: log none. */
void fuzz_ignore_errors(void);

#endif
