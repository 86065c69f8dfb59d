/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "read-full.h"
#include "test-common.h"
#include "test-home.h"
#include "test-store-use.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES POP3_QUOTA_BYTES
#define DAY POP3_QUOTA_WINDOW_DAY

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
		test_assert_idx(test_store_bytes(store) == 0, i);
		test_assert_idx(test_dir_count(test_home_path(""), "",
					       &name) == 0, i);

		if (test_store_begin(store, &state)) {
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

		test_store_add(store, 1, 1);
		test_assert_idx(test_file_mode(test_home_path(
				"a/b/pop3-policy/state.json")) == 0600, i);
		test_assert_idx(test_dir_count(test_home_path(
				"a/b/pop3-policy"), "", &name) == 2, i);
		test_assert_idx(test_store_bytes(store) == 1, i);
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
	writer = test_store_init("pop3-policy");
	reader = test_store_init("pop3-policy");
	test_store_add(writer, 100, 1);
	fd = open(test_home_path("pop3-policy/state.json"), O_RDONLY);
	i_zero(&before);
	test_assert(fd != -1 && fstat(fd, &before) == 0);

	if (test_store_begin(writer, &state)) {
		policy_state_quota(state)->window[DAY].used.n[BYTES] = 200;
		test_assert(test_store_bytes(reader) == 100);
		policy_store_rollback(writer);
		policy_state_deinit(&state);
	}
	test_assert(test_store_bytes(reader) == 100);

	if (test_store_begin(writer, &state)) {
		policy_state_quota(state)->window[DAY].used.n[BYTES] = 300;
		test_assert(test_store_bytes(reader) == 100);
		test_store_commit(writer, &state);
	}
	test_assert(test_store_bytes(reader) == 300);

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
	store = test_store_init("pop3-policy");
	other = test_store_init("pop3-policy");
	test_store_add(store, 100, 1);

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
	test_assert(test_store_bytes(store) == 100);
	if (test_store_begin(store, &first)) {
		policy_state_quota(first)->window[DAY].used.n[BYTES] = 5;
		policy_store_rollback(store);
		policy_state_deinit(&first);
	}
	test_assert(test_store_bytes(store) == 100);

	/* changed after it was written */
	if (test_store_begin(store, &first)) {
		policy_state_quota(first)->window[DAY].used.n[BYTES] = 200;
		test_assert(policy_store_commit(store, first, &error) ==
			    POLICY_STORE_OK);
		policy_state_quota(first)->window[DAY].used.n[BYTES] = 5;
		policy_state_deinit(&first);
	}
	test_assert(test_store_bytes(store) == 200);

	/* written by others, also in the same second and with the same size */
	test_store_add(other, 100, 1);
	test_assert(test_store_bytes(store) == 300);
	test_store_add(store, 100, 1);
	test_assert(test_store_bytes(other) == 400);
	path = test_home_path("pop3-policy/state.json");
	for (i = 1000; i < 1010; i++) {
		test_file_write(path, t_strdup_printf(format, i));
		test_assert_idx(test_store_bytes(store) == i, i);
	}
	test_assert(unlink(path) == 0);
	test_assert(test_store_bytes(store) == 0);
	test_file_write(path, t_strdup_printf(format, 1009));
	test_assert(test_store_bytes(store) == 1009);
	policy_store_deinit(&store);
	policy_store_deinit(&other);
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
	store = test_store_init("pop3-policy");
	test_store_add(store, 1, 1);
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
	test_store_add(store, 3, 1);
	test_assert(test_store_bytes(store) == 3);
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
	store = test_store_init("pop3-policy");
	test_store_add(store, 1, 1);
	path = test_home_path("pop3-policy/state.json.tmp");
	test_file_write(path, "{\"version\":1,\"quota\":{\"windows\":{\"day\":"
			"{\"start\":0,\"bytes\":9,\"messages\":9}}}} ...");
	test_assert(chmod(path, 0444) == 0);
	test_assert(test_store_bytes(store) == 1);
	test_store_add(store, 2, 1);
	test_assert(test_store_bytes(store) == 3);
	test_assert(test_file_read(path) == NULL);
	test_assert(test_file_mode(test_home_path(
				"pop3-policy/state.json")) == 0600);
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
		test_too_new,
		test_left_temporary_file,
		NULL
	};
	return test_run(test_functions);
}
