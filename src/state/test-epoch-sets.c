/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "test-common.h"
#include "test-state-text.h"
#include "test-epoch-text.h"
#include "test-epoch-use.h"

static void test_devices(void)
{
	static const char *const no_devices[] = {
		"{}", "{\"phone\":\"\"}",
	};
	struct policy_state *state;
	struct policy_epoch epoch;
	pool_t pool = pool_alloconly_create("test devices", 4096);
	unsigned int i;

	test_begin("epoch: devices");
	for (i = 0; i < N_ELEMENTS(no_devices); i++) {
		state = parse(replace(EPOCH_STATE_TEXT, DEVICES_TEXT,
				      no_devices[i]));
		policy_epoch_copy(pool, policy_state_epoch(state), &epoch);
		epoch.number++;
		policy_state_set_epoch(state, &epoch);
		/* nothing is left of them */
		test_assert_idx(strstr(print(state), "devices") == NULL, i);
		policy_state_deinit(&state);
	}

	state = parse(EPOCH_STATE_TEXT);
	policy_epoch_copy(pool, policy_state_epoch(state), &epoch);
	test_assert(policy_epoch_device_has(&epoch, "phone", 9));
	test_assert(!policy_epoch_device_has(&epoch, "phone", 5));
	test_assert(!policy_epoch_device_has(&epoch, "Phone", 9));
	policy_epoch_device_add(pool, &epoch, "tablet", 3);
	policy_epoch_device_add(pool, &epoch, "laptop", 3);
	test_assert_strcmp(devices_text(&epoch),
			   "phone=1:4,9 laptop=2:3 tablet=3");
	/* the state has its own */
	test_assert_strcmp(devices_text(policy_state_epoch(state)),
			   "phone=1:4,9 laptop=2");
	policy_state_set_epoch(state, &epoch);
	test_assert(strstr(print(state), "\"devices\":{\"phone\":\"1:4,9\","
		"\"laptop\":\"2:3\",\"tablet\":\"3\"},") != NULL);
	array_delete(&epoch.devices, 1, 2);
	policy_state_set_epoch(state, &epoch);
	test_assert(strstr(print(state), "\"devices\":{\"phone\":\"1:4,9\"},")
		    != NULL);
	policy_state_deinit(&state);
	pool_unref(&pool);
	test_end();
}

static void test_too_many_devices(void)
{
	struct policy_epoch epoch;
	pool_t pool = pool_alloconly_create("test devices", 4096);
	const struct policy_epoch none = { .uidl_format = "" };
	unsigned int i, uid;

	test_begin("epoch: too many devices");
	policy_epoch_copy(pool, &none, &epoch);
	test_assert(!policy_epoch_device_has(&epoch, "d0", 1));
	/* d0 has 20 UIDs, d7 only one, the others more */
	for (i = 0; i < POP3_DEVICES_MAX; i++) {
		for (uid = 1; uid <= (i == 7 ? 1 : 20 - i); uid++) {
			policy_epoch_device_add(pool, &epoch,
				t_strdup_printf("d%u", i), uid);
		}
	}
	test_assert(array_count(&epoch.devices) == POP3_DEVICES_MAX);
	policy_epoch_device_add(pool, &epoch, "d3", 30);
	test_assert(policy_epoch_device_has(&epoch, "d7", 1));
	policy_epoch_device_add(pool, &epoch, "new", 1);
	test_assert(array_count(&epoch.devices) == POP3_DEVICES_MAX);
	test_assert(!policy_epoch_device_has(&epoch, "d7", 1));
	test_assert(policy_epoch_device_has(&epoch, "new", 1));
	policy_epoch_device_add(pool, &epoch, "newer", 2);
	test_assert(!policy_epoch_device_has(&epoch, "new", 1));
	test_assert(policy_epoch_device_has(&epoch, "newer", 2));
	for (i = 0; i < POP3_DEVICES_MAX; i++) {
		test_assert_idx(i == 7 || policy_epoch_device_has(&epoch,
			t_strdup_printf("d%u", i), 20 - i), i);
	}
	pool_unref(&pool);
	test_end();
}

static void test_ranges(void)
{
	static const struct {
		const char *text, *result;
	} tests[] = {
		{ "", "" },
		{ "1", "1" },
		{ "1:1", "1" },
		{ "4294967295", "4294967295" },
		{ "1:4294967295", "1:4294967295" },
		{ "4294967294:4294967295", "4294967294:4294967295" },
		{ "9:7", "7:9" },
		{ "5,3,4", "3:5" },
		{ "1:5,2:9,7:8", "1:9" },
		{ "007", "7" },
		{ "2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32,34,36",
		  "2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32,34,36" },
	};
	struct policy_state *state;
	unsigned int i;

	test_begin("epoch: sets of UIDs");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		state = parse(replace(EPOCH_STATE_TEXT, "1:5000,6000:6001",
				      tests[i].text));
		test_assert_strcmp_idx(ranges_text(&policy_state_epoch(state)->
						   recorded),
				       tests[i].result, i);
		policy_state_deinit(&state);
	}
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_devices,
		test_too_many_devices,
		test_ranges,
		NULL
	};
	return test_run(test_functions);
}
