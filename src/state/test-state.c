/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "state.h"
#include "test-state-text.h"

#define BYTES POP3_QUOTA_BYTES
#define MESSAGES POP3_QUOTA_MESSAGES
#define DAY POP3_QUOTA_WINDOW_DAY

static enum policy_state_parse_result
parse(const char *text, struct policy_state **state_r, const char **error_r)
{
	*state_r = NULL;
	*error_r = NULL;
	return policy_state_parse(text, strlen(text), state_r, error_r);
}

static const char *print(struct policy_state *state)
{
	string_t *text = t_str_new(1024);

	policy_state_print(state, text);
	return str_c(text);
}

static void test_new_user(void)
{
	struct policy_state *state = policy_state_init();
	const struct pop3_quota_counters *counters = policy_state_quota(state);
	unsigned int w;

	test_begin("state: a new user");
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		test_assert_idx(counters->window[w].start == 0, w);
		test_assert_idx(counters->window[w].used.n[BYTES] == 0, w);
		test_assert_idx(counters->window[w].used.n[MESSAGES] == 0, w);
	}
	policy_state_deinit(&state);
	test_assert(state == NULL);
	policy_state_deinit(&state);
	test_end();
}

static void test_round_trip(void)
{
	static const char *const expected =
		"{\n"
		" \"version\": 1,\n"
		" \"quota\": {\n"
		"  \"windows\": {\n"
		"   \"hour\": {\n"
		"    \"start\": 1001,\n"
		"    \"bytes\": 1002,\n"
		"    \"messages\": 1003\n"
		"   },\n"
		"   \"day\": {\n"
		"    \"start\": 9000000001,\n"
		"    \"bytes\": 9000000002,\n"
		"    \"messages\": 9000000003\n"
		"   },\n"
		"   \"week\": {\n"
		"    \"start\": 3001,\n"
		"    \"bytes\": 3002,\n"
		"    \"messages\": 3003\n"
		"   },\n"
		"   \"month\": {\n"
		"    \"start\": 4001,\n"
		"    \"bytes\": 4002,\n"
		"    \"messages\": 4003\n"
		"   }\n"
		"  }\n"
		" }\n"
		"}\n";
	struct policy_state *state;
	struct pop3_quota_counters *counters;
	string_t *appended = t_str_new(64);
	const char *text, *error;
	unsigned int w;

	test_begin("state: parse and print");
	test_assert(parse(STATE_TEXT, &state, &error) == POLICY_STATE_PARSED);
	counters = policy_state_quota(state);
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		const struct pop3_quota_counter *counter = &counters->window[w];

		test_assert_idx(counter->start == 1001 + 1000 * (time_t)w, w);
		test_assert_idx(counter->used.n[BYTES] == 1002 + 1000 * w, w);
		test_assert_idx(counter->used.n[MESSAGES] == 1003 + 1000 * w, w);
	}
	counters->window[DAY].start = 9000000001;
	counters->window[DAY].used.n[BYTES] = 9000000002;
	counters->window[DAY].used.n[MESSAGES] = 9000000003;
	text = print(state);
	test_assert_strcmp(text, expected);
	policy_state_deinit(&state);

	test_assert(parse(text, &state, &error) == POLICY_STATE_PARSED);
	test_assert_strcmp(print(state), expected);
	policy_state_deinit(&state);

	/* printing appends, and can be done again */
	test_assert(parse(text, &state, &error) == POLICY_STATE_PARSED);
	str_append(appended, "before ");
	policy_state_print(state, appended);
	policy_state_print(state, appended);
	test_assert_strcmp(str_c(appended), t_strconcat("before ", expected,
							expected, NULL));
	policy_state_deinit(&state);
	test_end();
}

/* It is there only when there is something to tell. */
static void test_warned(void)
{
	struct policy_state *state;
	struct pop3_quota_counter *day;
	const char *text, *error;

	test_begin("state: what was told of a quota");
	text = replace(STATE_TEXT, "\"messages\":2003",
		       "\"messages\":2003,\"warned_messages\":2004");
	test_assert(parse(text, &state, &error) == POLICY_STATE_PARSED);
	day = &policy_state_quota(state)->window[DAY];
	test_assert(day->warned.n[MESSAGES] == 2004);
	test_assert(day->warned.n[BYTES] == 0);
	test_assert(day[1].warned.n[MESSAGES] == 0);
	day->warned.n[BYTES] = 2005;
	text = print(state);
	test_assert(strstr(text, "\"warned_messages\": 2004") != NULL);
	test_assert(strstr(text, "\"warned_bytes\": 2005") != NULL);
	policy_state_deinit(&state);

	test_assert(parse(text, &state, &error) == POLICY_STATE_PARSED);
	day = &policy_state_quota(state)->window[DAY];
	test_assert(day->warned.n[BYTES] == 2005);
	i_zero(&day->warned);
	test_assert(strstr(print(state), "warned") == NULL);
	policy_state_deinit(&state);

	text = replace(STATE_TEXT, "\"messages\":2003",
		       "\"messages\":2003,\"warned_bytes\":-1");
	test_assert(parse(text, &state, &error) == POLICY_STATE_CORRUPT);
	test_assert_strcmp(error, "quota.windows.day: warned_bytes is not a "
			   "whole number of 0 or more");
	test_end();
}

static void test_missing_members(void)
{
	static const char *const texts[] = {
		"{\"version\":1}",
		"{\"version\":1,\"quota\":{}}",
		"{\"version\":1,\"quota\":{\"windows\":{}}}",
		" \r\n\t{ \"version\" : 1 } \n",
	};
	struct policy_state *state, *fresh = policy_state_init();
	const char *error;
	unsigned int i;

	test_begin("state: members that are missing are empty");
	for (i = 0; i < N_ELEMENTS(texts); i++) {
		test_assert_idx(parse(texts[i], &state, &error) ==
				POLICY_STATE_PARSED, i);
		test_assert_strcmp(print(state), print(fresh));
		policy_state_deinit(&state);
	}
	policy_state_deinit(&fresh);

	test_assert(parse("{\"version\":1,\"quota\":{\"windows\":{\"day\":"
			  DAY_TEXT "}}}", &state, &error) ==
		    POLICY_STATE_PARSED);
	test_assert(policy_state_quota(state)->window[DAY].start == 2001);
	test_assert(policy_state_quota(state)->window[DAY + 1].start == 0);
	policy_state_deinit(&state);
	test_end();
}

static void test_unknown_members(void)
{
	static const char *const unknown =
		"\"x-old\": [1, -2.5, null, true, \"\xc3\xa4\\u0001\\\\\"]";
	static const struct {
		const char *from, *to;
	} places[] = {
		{ "{\"version\"", "{%s, \"version\"" },
		{ ",\"quota\"", ", %s, \"quota\"" },
		{ "{\"windows\"", "{%s, \"windows\"" },
		{ "{\"hour\"", "{%s, \"hour\"" },
		{ "{\"start\":4001", "{%s, \"start\":4001" },
		{ "\"messages\":1003", "\"messages\":1003, %s" },
	};
	static const char *const dumped =
		"\"x-old\": [ 1, -2.5, null, true, "
		"\"\xc3\xa4\\u0001\\\\\" ]";
	struct policy_state *state;
	const char *error, *text;
	unsigned int i;

	test_begin("state: unknown members are kept");
	for (i = 0; i < N_ELEMENTS(places); i++) {
		const char *to = replace(places[i].to, "%s", unknown);

		text = replace(STATE_TEXT, places[i].from, to);
		test_assert_idx(parse(text, &state, &error) ==
				POLICY_STATE_PARSED, i);
		policy_state_quota(state)->window[DAY].used.n[BYTES] = 5;
		/* line ends and indents are one space in the comparison */
		text = t_strarray_join(t_strsplit_spaces(print(state), " \n"),
				       " ");
		test_assert_idx(strstr(text, dumped) != NULL, i);
		test_assert_idx(strstr(text, "\"bytes\": 5,") != NULL, i);
		test_assert_idx(strstr(text, "\"bytes\": 4002,") != NULL, i);
		policy_state_deinit(&state);
	}
	test_end();
}

/* Our own members fill a kilobyte, those of others may be of any size. */
static void test_unknown_large_members(void)
{
	struct policy_state *state;
	const char *error, *text, *member;
	char *value;
	size_t size;

	test_begin("state: large unknown members");
	for (size = 1; size < 3000; size += 7) T_BEGIN {
		value = t_malloc0(size + 1);
		memset(value, 'x', size);
		member = t_strdup_printf("{\"a\": \"%s\",", value);
		text = replace(STATE_TEXT, "{\"version\":1,",
			       t_strconcat(member, "\"version\":1,", NULL));
		test_assert_idx(parse(text, &state, &error) ==
				POLICY_STATE_PARSED, size);
		text = print(state);
		policy_state_deinit(&state);
		test_assert_idx(strncmp(text, t_strdup_printf(
				"{\n \"a\": \"%s\",\n \"version\": 1,", value),
				size + 26) == 0, size);
		test_assert_idx(parse(text, &state, &error) ==
				POLICY_STATE_PARSED, size);
		policy_state_deinit(&state);
	} T_END;
	test_end();
}

/* A state that is held twice is one of which the second holder knows what it
   was before the first one changed it. */
static void test_ref(void)
{
	struct policy_state *state, *again;
	struct pop3_quota_counters *counters;
	const char *error;

	test_begin("state: held twice");
	test_assert(parse(STATE_TEXT, &state, &error) == POLICY_STATE_PARSED);
	counters = policy_state_quota(state);
	counters->window[DAY].used.n[BYTES] = 7;
	again = policy_state_ref(state);
	test_assert(again == state && counters->window[DAY].used.n[BYTES] == 7);
	test_assert(policy_state_ref_unchanged(state) == NULL);
	test_assert(counters->window[DAY].used.n[BYTES] == 7);
	policy_state_deinit(&again);
	test_assert(again == NULL);

	again = policy_state_ref_unchanged(state);
	test_assert(again == state);
	test_assert(counters->window[DAY].used.n[BYTES] == 2002);
	policy_state_deinit(&again);

	/* what was printed is what it is */
	counters->window[DAY].used.n[BYTES] = 8;
	(void)print(state);
	counters->window[DAY].used.n[BYTES] = 9;
	again = policy_state_ref_unchanged(state);
	test_assert(counters->window[DAY].used.n[BYTES] == 8);
	policy_state_deinit(&again);
	policy_state_deinit(&state);
	test_end();
}

static void test_large_numbers(void)
{
	struct policy_state *state;
	struct pop3_quota_counters *counters;
	const char *text, *error;
	unsigned int w, r;

	test_begin("state: large numbers");
	text = replace(STATE_TEXT, "\"bytes\":2002",
		       "\"bytes\":9223372036854775807");
	test_assert(parse(text, &state, &error) == POLICY_STATE_PARSED);
	test_assert(policy_state_quota(state)->window[DAY].used.n[BYTES] ==
		    INT64_MAX);
	policy_state_deinit(&state);

	/* JSON text of ours has no larger number than it can read */
	state = policy_state_init();
	counters = policy_state_quota(state);
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		counters->window[w].start = (time_t)INT64_MAX;
		for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
			counters->window[w].used.n[r] =
				UINT64_MAX - (w % 2) * INT64_MAX;
		}
	}
	text = print(state);
	policy_state_deinit(&state);
	test_assert(strlen(text) < 4096);
	test_assert(parse(text, &state, &error) == POLICY_STATE_PARSED);
	counters = policy_state_quota(state);
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		test_assert_idx(counters->window[w].start == INT64_MAX, w);
		for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
			test_assert_idx(counters->window[w].used.n[r] ==
					INT64_MAX, w);
		}
	}
	policy_state_deinit(&state);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_new_user,
		test_round_trip,
		test_warned,
		test_missing_members,
		test_unknown_members,
		test_unknown_large_members,
		test_ref,
		test_large_numbers,
		NULL
	};
	return test_run(test_functions);
}
