/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "read-full.h"
#include "test-common.h"
#include "test-home.h"
#include "test-store-use.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BYTES POP3_QUOTA_BYTES
#define MESSAGES POP3_QUOTA_MESSAGES
#define DAY POP3_QUOTA_WINDOW_DAY

/* Ten seconds have passed. */
static void lock_wait_ends(int signo ATTR_UNUSED)
{
	test_time += 10;
}

/* A process that has the lock until it is killed, and does soon what alarm()
   would do in ten seconds. */
static pid_t fork_holder(void)
{
	struct policy_store *store;
	struct policy_state *state;
	const char *error;
	int fd[2];
	char byte;
	pid_t pid;

	if (pipe(fd) < 0 || (pid = fork()) == -1)
		i_fatal("fork() failed: %m");
	if (pid != 0) {
		i_close_fd(&fd[1]);
		if (read_full(fd[0], &byte, 1) <= 0)
			i_fatal("the holder of the lock failed");
		i_close_fd(&fd[0]);
		return pid;
	}
	store = test_store_init("pop3-policy");
	if (policy_store_begin(store, &state, &error) != POLICY_STORE_OK ||
	    write(fd[1], "x", 1) != 1)
		_exit(1);
	(void)usleep(500 * 1000);
	(void)kill(getppid(), SIGALRM);
	for (;;)
		(void)pause();
}

static void test_lock(void)
{
	struct sigaction action = { .sa_handler = lock_wait_ends };
	struct policy_store *store;
	struct policy_state *state = NULL;
	const char *error = NULL;
	pid_t holder;
	int status;

	test_begin("store: locked by another process");
	test_home_begin();
	store = test_store_init("pop3-policy");
	test_store_add(store, 1, 1);
	test_time = time(NULL);
	if (sigaction(SIGALRM, &action, NULL) < 0)
		i_fatal("sigaction() failed: %m");
	holder = fork_holder();
	/* readers do not wait */
	test_assert(test_store_bytes(store) == 1);
	test_assert(policy_store_begin(store, &state, &error) ==
		    POLICY_STORE_UNUSABLE);
	test_time = 0;
	test_assert(state == NULL);
	test_assert(strstr(error, "pop3-policy/state.lock") != NULL &&
		    strstr(error, "Timed out after 10 seconds") != NULL);
	test_assert(test_store_bytes(store) == 1);

	/* the lock goes with its process */
	test_assert(kill(holder, SIGKILL) == 0);
	test_assert(waitpid(holder, &status, 0) == holder);
	test_store_add(store, 1, 1);
	test_assert(test_store_bytes(store) == 2);
	policy_store_deinit(&store);
	test_home_end();
	test_end();
}

static pid_t fork_adder(unsigned int count)
{
	struct policy_store *store;
	unsigned int i;
	pid_t pid = fork();

	if (pid == -1)
		i_fatal("fork() failed: %m");
	if (pid != 0)
		return pid;
	store = test_store_init("pop3-policy");
	for (i = 0; i < count && !test_has_failed(); i++) T_BEGIN {
		test_store_add(store, 3, 1);
	} T_END;
	policy_store_deinit(&store);
	test_exit(test_has_failed() ? 1 : 0);
}

static void test_two_processes(void)
{
	enum { COUNT = 200 };
	struct policy_store *store;
	struct policy_state *state;
	struct pop3_quota_amount used;
	pid_t pid[2];
	unsigned int i;
	int status;

	test_begin("store: two processes lose nothing");
	test_home_begin();
	for (i = 0; i < N_ELEMENTS(pid); i++)
		pid[i] = fork_adder(COUNT);
	for (i = 0; i < N_ELEMENTS(pid); i++) {
		test_assert_idx(waitpid(pid[i], &status, 0) == pid[i] &&
				status == 0, i);
	}
	store = test_store_init("pop3-policy");
	if (test_store_begin(store, &state)) {
		used = policy_state_quota(state)->window[DAY].used;
		test_assert(used.n[MESSAGES] == N_ELEMENTS(pid) * COUNT);
		test_assert(used.n[BYTES] == N_ELEMENTS(pid) * COUNT * 3);
		policy_store_rollback(store);
		policy_state_deinit(&state);
	}
	policy_store_deinit(&store);
	test_home_end();
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_lock,
		test_two_processes,
		NULL
	};
	return test_run(test_functions);
}
