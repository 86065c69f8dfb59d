/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "journal-memory.h"

#include <sys/resource.h>

enum { MB = 1024 * 1024 };

static void test_init(void)
{
	struct journal_memory memory;
	struct rlimit old, limit;

	test_begin("journal memory: the limit");
	if (getrlimit(RLIMIT_AS, &old) < 0)
		i_fatal("getrlimit() failed: %m");
	journal_memory_init(&memory);
	test_assert(old.rlim_cur != RLIM_INFINITY || memory.limit == 0);
	/* more than any program of a test has, also under valgrind */
	limit = old;
	limit.rlim_cur = (rlim_t)1 << 44;
	if (limit.rlim_cur <= limit.rlim_max &&
	    setrlimit(RLIMIT_AS, &limit) == 0) {
		journal_memory_init(&memory);
		test_assert(memory.limit == limit.rlim_cur);
		test_assert(memory.used_at_begin > MB);
		if (setrlimit(RLIMIT_AS, &old) < 0)
			i_fatal("setrlimit() failed: %m");
	}
	test_end();
}

static void test_check(void)
{
	static const struct {
		uint64_t limit_mb;
		uoff_t done, size;
		unsigned int lines;
		int ret;
	} tests[] = {
		/* no limit */
		{ 0, 10, 1000000, 1000000, 0 },
		/* too early to tell */
		{ 1, 10, 1000000, 98, 0 },
		{ 1, 0, 1000000, 1000000, 0 },
		{ 1, 10, 1000000, 100, -1 },
		{ 1, 10, 10, 1000000, -1 },
		/* as much again as this program has, for each octet */
		{ (uint64_t)1 << 40, 10, 10, 100, 0 },
		{ (uint64_t)1 << 24, 1, 1000000000, 100, -1 },
	};
	struct journal_memory memory;
	const char *error;
	unsigned int i;
	int ret;

	test_begin("journal memory: what it takes");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		i_zero(&memory);
		memory.limit = tests[i].limit_mb * MB;
		memory.used_at_begin = 1;
		memory.next_lines = 100;
		error = NULL;
		ret = journal_memory_check(&memory, tests[i].lines,
					   tests[i].done, tests[i].size,
					   &error);
		test_assert_idx(ret == tests[i].ret, i);
		test_assert_idx((ret < 0) == (error != NULL &&
			strstr(error, " MB of vsz_limit: raise") != NULL), i);
		/* not again for each line */
		test_assert_idx(journal_memory_check(&memory,
			tests[i].lines + 1, tests[i].done, tests[i].size,
			&error) == 0, i);
	}
	/* nothing was taken */
	i_zero(&memory);
	memory.limit = 1;
	memory.used_at_begin = UINT64_MAX;
	test_assert(journal_memory_check(&memory, 100, 10, 1000,
					 &error) == 0);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_init,
		test_check,
		NULL
	};
	return test_run(test_functions);
}
