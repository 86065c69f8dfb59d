/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "chance.h"

/* A counter whose bits are mixed: each step is a bijection of 64 bits, in
   which every bit of the input changes about half of those of the output. */
static uint64_t next(struct chance *chance)
{
	uint64_t n = chance->state += 0x9e3779b97f4a7c15ULL;

	n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9ULL;
	n = (n ^ (n >> 27)) * 0x94d049bb133111ebULL;
	return n ^ (n >> 31);
}

void chance_init(struct chance *chance, uint64_t seed, uint32_t a, uint32_t b)
{
	chance->state = seed;
	chance->state = next(chance) ^ a;
	chance->state = next(chance) ^ b;
}

uint32_t chance_below(struct chance *chance, uint32_t below)
{
	return ((next(chance) >> 32) * below) >> 32;
}

void chance_shuffle(struct chance *chance, uint32_t *numbers, uint32_t count)
{
	uint32_t i, other, number;

	for (i = 0; i < count; i++)
		numbers[i] = i;
	for (i = count; i > 1; i--) {
		other = chance_below(chance, i);
		number = numbers[i - 1];
		numbers[i - 1] = numbers[other];
		numbers[other] = number;
	}
}
