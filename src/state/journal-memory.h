#ifndef POP3_POLICY_JOURNAL_MEMORY_H
#define POP3_POLICY_JOURNAL_MEMORY_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* Dovecot ends a process that gets no more memory (vsz_limit) in the middle of
   what it does, and its client is told nothing. A journal that is too large for
   the process must be an error before that. */
struct journal_memory {
	/* in octets; 0 if there is no limit, or it is not known what is used */
	uint64_t limit, used_at_begin;
	unsigned int next_lines;
};

void journal_memory_init(struct journal_memory *memory_r);
/* After so many lines of a journal, of which so many octets were read. Returns
   0, or -1 and an error if all of it will take more than there is, with what is
   made of it then. */
int journal_memory_check(struct journal_memory *memory, unsigned int lines,
			 uoff_t done, uoff_t size, const char **error_r);

#endif
