/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "test-state-text.h"
#include "test-epoch-text.h"
#include "test-epoch-use.h"

/* What is read of the retention, and whether printing that gives it again. */
static void test_retention(void)
{
	static const struct {
		const char *text, *times, *printed;
	} tests[] = {
		{ RETENTION_TEXT, "1600000001 1600000002 1600000003 "
		  "1600000004 1600000005", RETENTION_TEXT },
		{ "{}", "0 0 0 0 0", NULL },
		{ "{\"checked\":0,\"recheck\":0}", "0 0 0 0 0", NULL },
		{ "{\"checked\":1}", "1 0 0 0 0", "{\"checked\":1}" },
		{ "{\"oldest_downloaded\":9223372036854775807}",
		  "0 9223372036854775807 0 0 0",
		  "{\"oldest_downloaded\":9223372036854775807}" },
		{ "{\"oldest_undownloaded\":4294967296}",
		  "0 0 4294967296 0 0",
		  "{\"oldest_undownloaded\":4294967296}" },
		{ "{\"recheck\":2147483648}", "0 0 0 2147483648 0",
		  "{\"recheck\":2147483648}" },
		{ "{\"clock_jumped\":5}", "0 0 0 0 5",
		  "{\"clock_jumped\":5}" },
		{ "{\"x-old\":1,\"recheck\":0}", "0 0 0 0 0",
		  "{\"x-old\":1}" },
	};
	struct policy_state *state;
	struct policy_epoch epoch;
	const char *text;
	unsigned int i;

	test_begin("epoch: what is known of retention");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		state = parse(replace(EPOCH_STATE_TEXT, RETENTION_TEXT,
				      tests[i].text));
		epoch = *policy_state_epoch(state);
		test_assert_strcmp_idx(times_text(&epoch.retention),
				       tests[i].times, i);
		policy_state_set_epoch(state, &epoch);
		text = print(state);
		if (tests[i].printed == NULL) {
			test_assert_idx(strstr(text, "retention") == NULL, i);
		} else {
			test_assert_idx(strstr(text, t_strconcat(
				"\"retention\":", tests[i].printed, ",",
				NULL)) != NULL, i);
		}
		policy_state_deinit(&state);
	}
	test_end();
}

/* Times that are over go, and none is written that could not be read. */
static void test_retention_over(void)
{
	struct policy_state *state = parse(EPOCH_STATE_TEXT);
	struct policy_epoch epoch = *policy_state_epoch(state);

	test_begin("epoch: retention of which nothing is known any more");
	epoch.retention.recheck = 0;
	epoch.retention.clock_jumped = -1;
	epoch.retention.checked = (time_t)INT64_MIN;
	policy_state_set_epoch(state, &epoch);
	test_assert(strstr(print(state), "\"retention\":{"
		"\"oldest_downloaded\":1600000002,"
		"\"oldest_undownloaded\":1600000003},") != NULL);
	epoch = *policy_state_epoch(state);
	i_zero(&epoch.retention);
	policy_state_set_epoch(state, &epoch);
	test_assert(strstr(print(state), "retention") == NULL);
	policy_state_deinit(&state);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_retention,
		test_retention_over,
		NULL
	};
	return test_run(test_functions);
}
