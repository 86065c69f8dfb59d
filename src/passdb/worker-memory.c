/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "worker-memory.h"

#include <sys/mman.h>
#include <sys/resource.h>

/* What a worker has beside it. */
#define WORKER_MEMORY ((uint64_t)64 * 1024 * 1024)

#define MEGABYTE ((uint64_t)1024 * 1024)

bool worker_memory_check(uint64_t memory, const char **error_r)
{
	struct rlimit limit;
	void *found;

	found = mmap(NULL, memory, PROT_READ | PROT_WRITE,
		     MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
	if (found != MAP_FAILED) {
		(void)munmap(found, memory);
		return TRUE;
	}
	if (getrlimit(RLIMIT_AS, &limit) < 0 ||
	    limit.rlim_cur == RLIM_INFINITY) {
		*error_r = t_strdup_printf("hash_memory: cannot get %"PRIu64
					   "M: %m", memory / MEGABYTE);
		return FALSE;
	}
	*error_r = t_strdup_printf("hash_memory: cannot get %"PRIu64"M, as "
		"vsz_limit of service auth-worker is %"PRIu64"M: expected a "
		"vsz_limit of at least %"PRIu64"M", memory / MEGABYTE,
		(uint64_t)limit.rlim_cur / MEGABYTE,
		(memory + WORKER_MEMORY) / MEGABYTE);
	return FALSE;
}
