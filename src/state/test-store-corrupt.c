/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "test-home.h"
#include "test-store-use.h"

#include <unistd.h>

#define BYTES POP3_QUOTA_BYTES
#define DAY POP3_QUOTA_WINDOW_DAY

#define STATE_SIZE_MAX (64 * 1024)

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
		store = test_store_init("pop3-policy");
		test_store_add(store, 1, 1);
		path = test_home_path("pop3-policy/state.json");
		test_file_write(path, tests[i].text);

		test_expect_error_string(tests[i].log);
		if (!tests[i].begin) {
			test_assert_idx(test_store_bytes(store) == 0, i);
		} else if (test_store_begin(store, &state)) {
			test_assert_idx(policy_state_quota(state)->
					window[DAY].used.n[BYTES] == 0, i);
			policy_store_rollback(store);
			policy_state_deinit(&state);
		}
		test_expect_no_more_errors();
		/* logged once */
		test_assert_idx(test_store_bytes(store) == 0, i);
		test_assert_idx(test_file_read(path) == NULL, i);
		test_store_add(store, 5, 1);
		test_assert_idx(test_store_bytes(store) == 5, i);

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
	store = test_store_init("pop3-policy");
	test_store_add(store, 1, 1);
	path = test_home_path("pop3-policy/state.json");
	corrupt = test_home_path("pop3-policy/"
				 "state.json.corrupt-20261124T225959Z");
	test_file_write(path, "first");
	test_expect_error_string("Z and went on");
	test_assert(test_store_bytes(store) == 0);
	test_file_write(path, "second");
	test_expect_error_string("Z-2 and went on");
	test_store_add(store, 1, 1);
	test_file_write(path, "third");
	/* something else has that name: a link to nothing is there as well */
	test_assert(symlink("nothing", t_strconcat(corrupt, "-3", NULL)) == 0);
	test_expect_error_string("Z-4 and went on");
	test_assert(test_store_bytes(store) == 0);
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
	store = test_store_init("pop3-policy");
	test_store_add(store, 7, 1);
	path = test_home_path("pop3-policy/state.json");
	str_append(text, test_file_read(path));
	while (str_len(text) < STATE_SIZE_MAX)
		str_append_c(text, '\n');
	test_file_write(path, str_c(text));
	test_assert(test_store_bytes(store) == 7);

	str_append_c(text, '\n');
	test_file_write(path, str_c(text));
	test_expect_error_string("65537 octets, expected at most 65536");
	test_assert(test_store_bytes(store) == 0);
	test_expect_no_more_errors();
	test_assert(test_dir_count(test_home_path("pop3-policy"),
				   "state.json.corrupt-", &name) == 1);

	/* a hole costs neither memory nor time */
	test_file_write(path, "{");
	test_assert(truncate(path, (off_t)1 << 40) == 0);
	test_expect_error_string("1099511627776 octets");
	test_assert(test_store_bytes(store) == 0);
	test_expect_no_more_errors();
	policy_store_deinit(&store);
	test_home_end();
	test_end();
}

static void test_look(void)
{
	struct policy_store *store;
	struct policy_state *state;
	const char *path, *name, *error = "";

	test_begin("store: a corrupt file is only looked at");
	test_home_begin();
	store = test_store_init("pop3-policy");
	path = test_home_path("pop3-policy/state.json");
	test_assert(policy_store_look(store, &state, &error) ==
		    POLICY_STORE_OK && state != NULL);
	policy_state_deinit(&state);
	test_assert(test_file_read(path) == NULL);

	test_store_add(store, 7, 1);
	test_assert(policy_store_look(store, &state, &error) ==
		    POLICY_STORE_OK && state != NULL);
	test_assert(policy_state_quota(state)->window[DAY].used.n[BYTES] == 7);
	policy_state_deinit(&state);

	test_file_write(path, "{\"version\":1");
	test_assert(policy_store_look(store, &state, &error) ==
		    POLICY_STORE_OK && state == NULL);
	test_assert(strstr(error, "line 1") != NULL);
	test_assert_strcmp(test_file_read(path), "{\"version\":1");

	test_file_write(path, "{\"version\":2}");
	test_assert(policy_store_look(store, &state, &error) ==
		    POLICY_STORE_UNUSABLE);
	test_assert(test_dir_count(test_home_path("pop3-policy"),
				   "state.json.corrupt-", &name) == 0);
	policy_store_deinit(&store);
	test_home_end();
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_corrupt,
		test_corrupt_again,
		test_size,
		test_look,
		NULL
	};
	return test_run(test_functions);
}
