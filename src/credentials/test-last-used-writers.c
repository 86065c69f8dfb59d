/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "test-home.h"
#include "test-last-used-use.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define WRITERS 8
#define SHARED_USERS 6
#define HOURS 4
/* Enough that the file is written anew several times. */
#define COMPACTOR_NOTES 3500
#define START 1795446000

/* Of all processes. */
struct board {
	/* how many have come to the end of an hour */
	unsigned int arrived[HOURS];
	/* how often a note of these was written */
	unsigned int written[HOURS][SHARED_USERS];
};

static time_t hour_time(unsigned int hour)
{
	return START + (time_t)hour * 3600;
}

static bool is_noted(struct last_used *used, const char *name, time_t time)
{
	return strcmp(test_last_used_show(used, name),
		      t_strdup_printf("@%"PRIdTIME_T"/::1", time)) == 0;
}

/* Until it is in the file: busy is no answer here. Returns TRUE if this process
   wrote it. */
static bool note(struct last_used *used, const char *name, time_t now)
{
	const char *error;
	bool done = FALSE;
	int ret = 0;

	while (!done) T_BEGIN {
		ret = last_used_note(used, name, "", "::1", now, &error);
		if (ret < 0)
			i_fatal("%s", error);
		done = ret > 0 || is_noted(used, name, now);
		if (!done)
			usleep(100);
	} T_END;
	return ret > 0;
}

static void wait_for_others(struct board *board, unsigned int hour)
{
	(void)__sync_add_and_fetch(&board->arrived[hour], 1);
	while (__sync_add_and_fetch(&board->arrived[hour], 0) < WRITERS)
		usleep(1000);
}

static void
write_hour(struct board *board, struct last_used *used, unsigned int writer,
	   unsigned int hour)
{
	unsigned int i, user;

	for (i = 0; i < SHARED_USERS; i++) T_BEGIN {
		user = (i + writer) % SHARED_USERS;
		if (note(used, t_strdup_printf("shared%u", user),
			 hour_time(hour))) {
			(void)__sync_add_and_fetch(
				&board->written[hour][user], 1);
		}
		if (!note(used, t_strdup_printf("own%u.%u", writer, i),
			  hour_time(hour)))
			_exit(1);
	} T_END;
}

static pid_t writer_start(struct board *board, unsigned int writer)
{
	struct last_used *used;
	unsigned int hour;
	pid_t pid = fork();

	if (pid == -1)
		i_fatal("fork() failed: %m");
	if (pid != 0)
		return pid;
	used = test_last_used_init();
	for (hour = 0; hour < HOURS; hour++) {
		write_hour(board, used, writer, hour);
		wait_for_others(board, hour);
	}
	last_used_deinit(&used);
	_exit(0);
}

static pid_t compactor_start(void)
{
	struct last_used *used;
	unsigned int i;
	pid_t pid = fork();

	if (pid == -1)
		i_fatal("fork() failed: %m");
	if (pid != 0)
		return pid;
	used = test_last_used_init();
	for (i = 0; i < COMPACTOR_NOTES; i++) T_BEGIN {
		if (!note(used, "compactor", hour_time(i)))
			_exit(1);
	} T_END;
	last_used_deinit(&used);
	_exit(0);
}

static void expect_last(const char *name, unsigned int hour, unsigned int idx)
{
	test_assert_strcmp_idx(test_last_used_show_new(name),
			       t_strdup_printf("@%"PRIdTIME_T"/::1",
					       hour_time(hour)), idx);
}

static void check_board(const struct board *board)
{
	unsigned int hour, i, writer;

	for (hour = 0; hour < HOURS; hour++) {
		for (i = 0; i < SHARED_USERS; i++)
			test_assert_idx(board->written[hour][i] == 1, i);
	}
	for (i = 0; i < SHARED_USERS; i++) T_BEGIN {
		expect_last(t_strdup_printf("shared%u", i), HOURS - 1, i);
		for (writer = 0; writer < WRITERS; writer++) {
			expect_last(t_strdup_printf("own%u.%u", writer, i),
				    HOURS - 1, i);
		}
	} T_END;
	expect_last("compactor", COMPACTOR_NOTES - 1, 0);
}

static void test_writers(void)
{
	pid_t pids[WRITERS + 1];
	struct board *board;
	unsigned int i;
	int status;

	test_begin("last used: writers at once, one of which writes it anew");
	test_home_begin();
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED)
		i_fatal("mmap() failed: %m");
	pids[WRITERS] = compactor_start();
	for (i = 0; i < WRITERS; i++)
		pids[i] = writer_start(board, i);
	for (i = 0; i <= WRITERS; i++) {
		test_assert_idx(waitpid(pids[i], &status, 0) == pids[i], i);
		test_assert_idx(status == 0, i);
	}
	check_board(board);
	/* it was written anew, and no line is damaged */
	test_assert(test_last_used_count("") < COMPACTOR_NOTES);
	test_assert(test_last_used_count("") ==
		    test_last_used_count(",\"address\":\"::1\"}"));
	if (munmap(board, sizeof(*board)) < 0)
		i_fatal("munmap() failed: %m");
	test_home_end();
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_writers,
		NULL
	};
	return test_run(test_functions);
}
