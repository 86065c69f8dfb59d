/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "read-full.h"
#include "test-common.h"
#include "store.h"
#include "test-home.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BYTES POP3_QUOTA_BYTES
#define MESSAGES POP3_QUOTA_MESSAGES
#define DAY POP3_QUOTA_WINDOW_DAY

#define STATE_SIZE_MAX (64 * 1024)

static struct policy_store *store_init(const char *dir)
{
	return policy_store_init(test_home_path(dir), FALSE, NULL);
}

/* Day bytes of the state on disk; what is wrong is a failure of the test. */
static uint64_t read_bytes(struct policy_store *store)
{
	struct policy_state *state = NULL;
	const char *error;
	uint64_t bytes;

	if (policy_store_read(store, &state, &error) != POLICY_STORE_OK) {
		test_assert_strcmp(error, NULL);
		return UINT64_MAX;
	}
	bytes = policy_state_quota(state)->window[DAY].used.n[BYTES];
	policy_state_deinit(&state);
	return bytes;
}

static bool begin(struct policy_store *store, struct policy_state **state_r)
{
	const char *error = NULL;

	*state_r = NULL;
	if (policy_store_begin(store, state_r, &error) == POLICY_STORE_OK)
		return TRUE;
	test_assert_strcmp(error, NULL);
	policy_state_deinit(state_r);
	return FALSE;
}

static void commit(struct policy_store *store, struct policy_state **state)
{
	const char *error = NULL;

	test_assert(policy_store_commit(store, *state, &error) ==
		    POLICY_STORE_OK);
	test_assert_strcmp(error, NULL);
	policy_state_deinit(state);
}

/* Add to the counters as a session does. */
static void add(struct policy_store *store, uint64_t bytes, uint64_t messages)
{
	struct policy_state *state;
	struct pop3_quota_amount *used;

	if (!begin(store, &state))
		return;
	used = &policy_state_quota(state)->window[DAY].used;
	used->n[BYTES] += bytes;
	used->n[MESSAGES] += messages;
	commit(store, &state);
}

static void test_new_folder(void)
{
	static const mode_t umasks[] = { 0, 022, 077 };
	struct policy_store *store;
	struct policy_state *state;
	const char *name;
	unsigned int i;

	test_begin("store: a new folder");
	for (i = 0; i < N_ELEMENTS(umasks) * 2; i++) {
		mode_t old_umask = umask(umasks[i / 2]);

		test_home_begin();
		/* with and without fsync */
		store = policy_store_init(test_home_path("a/b/pop3-policy"),
					  i % 2 != 0, NULL);
		test_assert_idx(read_bytes(store) == 0, i);
		test_assert_idx(test_dir_count(test_home_path(""), "",
					       &name) == 0, i);

		if (begin(store, &state)) {
			policy_store_rollback(store);
			policy_state_deinit(&state);
		}
		test_assert_idx(test_file_mode(test_home_path("a")) == 0700, i);
		test_assert_idx(test_file_mode(test_home_path("a/b")) == 0700,
				i);
		test_assert_idx(test_file_mode(test_home_path(
					"a/b/pop3-policy")) == 0700, i);
		test_assert_idx(test_file_mode(test_home_path(
				"a/b/pop3-policy/state.lock")) == 0600, i);
		test_assert_idx(test_dir_count(test_home_path(
				"a/b/pop3-policy"), "", &name) == 1, i);

		add(store, 1, 1);
		test_assert_idx(test_file_mode(test_home_path(
				"a/b/pop3-policy/state.json")) == 0600, i);
		test_assert_idx(test_dir_count(test_home_path(
				"a/b/pop3-policy"), "", &name) == 2, i);
		test_assert_idx(read_bytes(store) == 1, i);
		policy_store_deinit(&store);
		test_assert_idx(store == NULL, i);
		policy_store_deinit(&store);
		test_home_end();
		umask(old_umask);
	}
	test_end();
}

static void test_transactions(void)
{
	struct policy_store *writer, *reader;
	struct policy_state *state;
	struct stat before, after;
	char first;
	int fd;

	test_begin("store: readers see old or new");
	test_home_begin();
	writer = store_init("pop3-policy");
	reader = store_init("pop3-policy");
	add(writer, 100, 1);
	fd = open(test_home_path("pop3-policy/state.json"), O_RDONLY);
	i_zero(&before);
	test_assert(fd != -1 && fstat(fd, &before) == 0);

	if (begin(writer, &state)) {
		policy_state_quota(state)->window[DAY].used.n[BYTES] = 200;
		test_assert(read_bytes(reader) == 100);
		policy_store_rollback(writer);
		policy_state_deinit(&state);
	}
	test_assert(read_bytes(reader) == 100);

	if (begin(writer, &state)) {
		policy_state_quota(state)->window[DAY].used.n[BYTES] = 300;
		test_assert(read_bytes(reader) == 100);
		commit(writer, &state);
	}
	test_assert(read_bytes(reader) == 300);

	/* who has the old file open reads it to its end */
	i_zero(&after);
	test_assert(fstat(fd, &after) == 0);
	test_assert(after.st_nlink == 0 && after.st_size == before.st_size &&
		    after.st_mtime == before.st_mtime);
	test_assert(read_full(fd, &first, 1) == 1 && first == '{');
	i_close_fd(&fd);
	policy_store_deinit(&writer);
	policy_store_deinit(&reader);
	test_home_end();
	test_end();
}

/* What a store has read or written before is known to it, but must never be
   mistaken for what is on disk now. */
static void test_known_state(void)
{
	static const char *const format = "{\"version\":1,\"quota\":"
		"{\"windows\":{\"day\":{\"start\":1,\"bytes\":%u,"
		"\"messages\":1}}}}";
	struct policy_store *store, *other;
	struct policy_state *first, *second;
	const char *path, *error;
	unsigned int i;

	test_begin("store: what is known and what is there");
	test_home_begin();
	store = store_init("pop3-policy");
	other = store_init("pop3-policy");
	add(store, 100, 1);

	/* changed by who does not write it */
	test_assert(policy_store_read(store, &first, &error) ==
		    POLICY_STORE_OK);
	policy_state_quota(first)->window[DAY].used.n[BYTES] = 5;
	test_assert(policy_store_read(store, &second, &error) ==
		    POLICY_STORE_OK);
	test_assert(policy_state_quota(second)->window[DAY].used.n[BYTES] ==
		    100);
	test_assert(policy_state_quota(first)->window[DAY].used.n[BYTES] == 5);
	policy_state_deinit(&first);
	policy_state_deinit(&second);
	test_assert(read_bytes(store) == 100);
	if (begin(store, &first)) {
		policy_state_quota(first)->window[DAY].used.n[BYTES] = 5;
		policy_store_rollback(store);
		policy_state_deinit(&first);
	}
	test_assert(read_bytes(store) == 100);

	/* changed after it was written */
	if (begin(store, &first)) {
		policy_state_quota(first)->window[DAY].used.n[BYTES] = 200;
		test_assert(policy_store_commit(store, first, &error) ==
			    POLICY_STORE_OK);
		policy_state_quota(first)->window[DAY].used.n[BYTES] = 5;
		policy_state_deinit(&first);
	}
	test_assert(read_bytes(store) == 200);

	/* written by others, also in the same second and with the same size */
	add(other, 100, 1);
	test_assert(read_bytes(store) == 300);
	add(store, 100, 1);
	test_assert(read_bytes(other) == 400);
	path = test_home_path("pop3-policy/state.json");
	for (i = 1000; i < 1010; i++) {
		test_file_write(path, t_strdup_printf(format, i));
		test_assert_idx(read_bytes(store) == i, i);
	}
	test_assert(unlink(path) == 0);
	test_assert(read_bytes(store) == 0);
	test_file_write(path, t_strdup_printf(format, 1009));
	test_assert(read_bytes(store) == 1009);
	policy_store_deinit(&store);
	policy_store_deinit(&other);
	test_home_end();
	test_end();
}

static void test_corrupt(void)
{
	static const struct {
		const char *text, *log;
		bool begin;
	} tests[] = {
		{ "", "state.json is corrupt (line 1 column 0", FALSE },
		{ "", "state.json is corrupt (line 1 column 0", TRUE },
		{ "{\"version\":1", "state.json is corrupt (line 1 ", FALSE },
		{ "[]\n", "state.json is corrupt (not a JSON object): renamed "
		  "it to state.json.corrupt-20261124T225959Z", TRUE },
		{ "{\"version\":1,\"quota\":7}",
		  "(quota is not an object)", FALSE },
	};
	const char *name, *dir, *path;
	struct policy_store *store;
	struct policy_state *state;
	unsigned int i;

	test_begin("store: a corrupt file is set aside");
	test_time = 1795561199; /* 2026-11-24 22:59:59 UTC */
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		test_home_begin();
		store = store_init("pop3-policy");
		add(store, 1, 1);
		path = test_home_path("pop3-policy/state.json");
		test_file_write(path, tests[i].text);

		test_expect_error_string(tests[i].log);
		if (!tests[i].begin) {
			test_assert_idx(read_bytes(store) == 0, i);
		} else if (begin(store, &state)) {
			test_assert_idx(policy_state_quota(state)->
					window[DAY].used.n[BYTES] == 0, i);
			policy_store_rollback(store);
			policy_state_deinit(&state);
		}
		test_expect_no_more_errors();
		/* logged once */
		test_assert_idx(read_bytes(store) == 0, i);
		test_assert_idx(test_file_read(path) == NULL, i);
		add(store, 5, 1);
		test_assert_idx(read_bytes(store) == 5, i);

		dir = test_home_path("pop3-policy");
		test_assert_idx(test_dir_count(dir, "state.json.corrupt-",
					       &name) == 1, i);
		test_assert_strcmp(name, "state.json.corrupt-20261124T225959Z");
		test_assert_strcmp(test_file_read(t_strconcat(dir, "/", name,
							      NULL)),
				   tests[i].text);
		policy_store_deinit(&store);
		test_home_end();
	}
	test_time = 0;
	test_end();
}

static void test_corrupt_again(void)
{
	struct policy_store *store;
	const char *path, *corrupt, *name;

	test_begin("store: corrupt twice in one second");
	test_home_begin();
	test_time = 1795561199;
	store = store_init("pop3-policy");
	add(store, 1, 1);
	path = test_home_path("pop3-policy/state.json");
	corrupt = test_home_path("pop3-policy/"
				 "state.json.corrupt-20261124T225959Z");
	test_file_write(path, "first");
	test_expect_error_string("Z and went on");
	test_assert(read_bytes(store) == 0);
	test_file_write(path, "second");
	test_expect_error_string("Z-2 and went on");
	add(store, 1, 1);
	test_file_write(path, "third");
	/* something else has that name: a link to nothing is there as well */
	test_assert(symlink("nothing", t_strconcat(corrupt, "-3", NULL)) == 0);
	test_expect_error_string("Z-4 and went on");
	test_assert(read_bytes(store) == 0);
	test_expect_no_more_errors();

	test_assert_strcmp(test_file_read(corrupt), "first");
	test_assert_strcmp(test_file_read(t_strconcat(corrupt, "-2", NULL)),
			   "second");
	test_assert_strcmp(test_file_read(t_strconcat(corrupt, "-4", NULL)),
			   "third");
	test_assert(test_dir_count(test_home_path("pop3-policy"),
				   "state.json.corrupt-", &name) == 4);
	policy_store_deinit(&store);
	test_time = 0;
	test_home_end();
	test_end();
}

static void test_size(void)
{
	struct policy_store *store;
	const char *path, *name;
	string_t *text = t_str_new(STATE_SIZE_MAX + 2);

	test_begin("store: a large file");
	test_home_begin();
	store = store_init("pop3-policy");
	add(store, 7, 1);
	path = test_home_path("pop3-policy/state.json");
	str_append(text, test_file_read(path));
	while (str_len(text) < STATE_SIZE_MAX)
		str_append_c(text, '\n');
	test_file_write(path, str_c(text));
	test_assert(read_bytes(store) == 7);

	str_append_c(text, '\n');
	test_file_write(path, str_c(text));
	test_expect_error_string("65537 octets, expected at most 65536");
	test_assert(read_bytes(store) == 0);
	test_expect_no_more_errors();
	test_assert(test_dir_count(test_home_path("pop3-policy"),
				   "state.json.corrupt-", &name) == 1);

	/* a hole costs neither memory nor time */
	test_file_write(path, "{");
	test_assert(truncate(path, (off_t)1 << 40) == 0);
	test_expect_error_string("1099511627776 octets");
	test_assert(read_bytes(store) == 0);
	test_expect_no_more_errors();
	policy_store_deinit(&store);
	test_home_end();
	test_end();
}

static void test_too_new(void)
{
	static const char *const text = "{\"version\":2,\"quota\":\"new\"}";
	struct policy_store *store;
	struct policy_state *state = NULL;
	const char *name, *error = NULL;

	test_begin("store: a file of a newer version");
	test_home_begin();
	store = store_init("pop3-policy");
	add(store, 1, 1);
	test_file_write(test_home_path("pop3-policy/state.json"), text);
	test_assert(policy_store_read(store, &state, &error) ==
		    POLICY_STORE_UNUSABLE);
	test_assert(state == NULL);
	test_assert(strstr(error, "version 2 is newer") != NULL);
	error = NULL;
	test_assert(policy_store_begin(store, &state, &error) ==
		    POLICY_STORE_UNUSABLE);
	test_assert(state == NULL);
	test_assert(strstr(error, "version 2 is newer") != NULL);
	test_assert_strcmp(test_file_read(test_home_path(
				"pop3-policy/state.json")), text);
	test_assert(test_dir_count(test_home_path("pop3-policy"), "",
				   &name) == 2);

	/* the lock was given back: another can go on when it has gone */
	test_assert(unlink(test_home_path("pop3-policy/state.json")) == 0);
	add(store, 3, 1);
	test_assert(read_bytes(store) == 3);
	policy_store_deinit(&store);
	test_home_end();
	test_end();
}

static void test_left_temporary_file(void)
{
	struct policy_store *store;
	const char *path;

	test_begin("store: a temporary file was left");
	test_home_begin();
	store = store_init("pop3-policy");
	add(store, 1, 1);
	path = test_home_path("pop3-policy/state.json.tmp");
	test_file_write(path, "{\"version\":1,\"quota\":{\"windows\":{\"day\":"
			"{\"start\":0,\"bytes\":9,\"messages\":9}}}} ...");
	test_assert(chmod(path, 0444) == 0);
	test_assert(read_bytes(store) == 1);
	add(store, 2, 1);
	test_assert(read_bytes(store) == 3);
	test_assert(test_file_read(path) == NULL);
	test_assert(test_file_mode(test_home_path(
				"pop3-policy/state.json")) == 0600);
	policy_store_deinit(&store);
	test_home_end();
	test_end();
}

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
	store = store_init("pop3-policy");
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
	store = store_init("pop3-policy");
	add(store, 1, 1);
	test_time = time(NULL);
	if (sigaction(SIGALRM, &action, NULL) < 0)
		i_fatal("sigaction() failed: %m");
	holder = fork_holder();
	/* readers do not wait */
	test_assert(read_bytes(store) == 1);
	test_assert(policy_store_begin(store, &state, &error) ==
		    POLICY_STORE_UNUSABLE);
	test_time = 0;
	test_assert(state == NULL);
	test_assert(strstr(error, "pop3-policy/state.lock") != NULL &&
		    strstr(error, "Timed out after 10 seconds") != NULL);
	test_assert(read_bytes(store) == 1);

	/* the lock goes with its process */
	test_assert(kill(holder, SIGKILL) == 0);
	test_assert(waitpid(holder, &status, 0) == holder);
	add(store, 1, 1);
	test_assert(read_bytes(store) == 2);
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
	store = store_init("pop3-policy");
	for (i = 0; i < count && !test_has_failed(); i++) T_BEGIN {
		add(store, 3, 1);
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
	store = store_init("pop3-policy");
	if (begin(store, &state)) {
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
		test_new_folder,
		test_transactions,
		test_known_state,
		test_corrupt,
		test_corrupt_again,
		test_size,
		test_too_new,
		test_left_temporary_file,
		test_lock,
		test_two_processes,
		NULL
	};
	return test_run(test_functions);
}
