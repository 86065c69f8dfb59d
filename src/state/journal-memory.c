/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "strnum.h"
#include "journal-memory.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Lines of a few milliseconds. */
#define CHECK_LINES 16384
/* A recovery copies the messages, and looks for them in tables. */
#define FACTOR 4
#define OCTETS_OF_MB (1024 * 1024)

/* All that counts for the limit, or 0 if that is not known. */
static uint64_t memory_used(void)
{
	char buf[64];
	uint64_t pages = 0;
	const char *end;
	ssize_t size;
	int fd;

	fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return 0;
	size = read(fd, buf, sizeof(buf) - 1);
	i_close_fd(&fd);
	if (size <= 0)
		return 0;
	buf[size] = '\0';
	if (str_parse_uint64(buf, &pages, &end) < 0)
		return 0;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void journal_memory_init(struct journal_memory *memory_r)
{
	struct rlimit limit;

	i_zero(memory_r);
	memory_r->next_lines = CHECK_LINES;
	if (getrlimit(RLIMIT_AS, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return;
	memory_r->used_at_begin = memory_used();
	if (memory_r->used_at_begin > 0)
		memory_r->limit = limit.rlim_cur;
}

int journal_memory_check(struct journal_memory *memory, unsigned int lines,
			 uoff_t done, uoff_t size, const char **error_r)
{
	uint64_t used;
	double taken, needed;

	if (memory->limit == 0 || lines < memory->next_lines || done == 0)
		return 0;
	memory->next_lines = lines + CHECK_LINES;
	used = memory_used();
	if (used <= memory->used_at_begin)
		return 0;
	/* it may be more than any integer holds */
	taken = used - memory->used_at_begin;
	needed = memory->used_at_begin + FACTOR * taken * size / done;
	if (needed <= memory->limit)
		return 0;
	*error_r = t_strdup_printf("needs about %.0f MB of memory, more "
		"than the %"PRIu64" MB of vsz_limit: raise that of the "
		"service", needed / OCTETS_OF_MB,
		memory->limit / OCTETS_OF_MB);
	return -1;
}
