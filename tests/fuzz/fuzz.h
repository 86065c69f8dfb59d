#ifndef POP3_POLICY_FUZZ_H
#define POP3_POLICY_FUZZ_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* A fuzzer is a program with this function. It is linked with libFuzzer, or
   with fuzz-run.c for "make check"; what is wrong with the code fails an
   i_assert(). */

/* The folder below corpus/ that has its first inputs. */
extern const char *const fuzz_corpus;

/* Always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* To be called first; may be called again. */
void fuzz_init(void);
/* A copy of the input as text: whatever is behind a NUL is left out. In the
   data stack, in memory of its own. */
const char *fuzz_text(const uint8_t *data, size_t size);
/* An error there must be, which may be logged or shown on a terminal. */
void fuzz_check_error(const char *error);

#endif
