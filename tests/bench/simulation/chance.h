#ifndef POP3_POLICY_CHANCE_H
#define POP3_POLICY_CHANCE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* Numbers that look like chance and are the same for the same seed, on any
   machine. */
struct chance {
	uint64_t state;
};

/* A stream of its own for each pair of numbers, such as user and round: so
   nothing has to be remembered of a user. */
void chance_init(struct chance *chance, uint64_t seed, uint32_t a, uint32_t b);
/* From 0 to below - 1. */
uint32_t chance_below(struct chance *chance, uint32_t below);
/* Put the numbers from 0 to count - 1 into an order. */
void chance_shuffle(struct chance *chance, uint32_t *numbers, uint32_t count);

#endif
