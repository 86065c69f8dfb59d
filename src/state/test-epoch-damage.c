/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "epoch.h"
#include "journal-line.h"
#include "state.h"
#include "uidl.h"
#include "test-state-text.h"
#include "test-epoch-text.h"

#define UINT32_WORDS "is not a whole number from 1 to 4294967295"
#define COUNT_WORDS "is not a whole number from 0 to 4294967295"
#define TIME_WORDS "is not a whole number of 0 or more"
#define NAME_WORDS \
	", expected 1 to 64 octets of UTF-8 without white space, commas, " \
	"quotes and control characters"
#define SET_WORDS "is not a set of UIDs such as \"1:7,9\""

static void
assert_corrupt(const char *text, const char *expected, unsigned int idx)
{
	struct policy_state *state = NULL;
	const char *error = "";

	test_assert_idx(policy_state_parse(text, strlen(text), &state,
					   &error) == POLICY_STATE_CORRUPT,
			idx);
	test_assert_strcmp_idx(error, expected, idx);
	policy_state_deinit(&state);
}

static void assert_parsed(const char *text, unsigned int idx)
{
	struct policy_state *state = NULL;
	const char *error = NULL;

	test_assert_idx(policy_state_parse(text, strlen(text), &state,
					   &error) == POLICY_STATE_PARSED, idx);
	test_assert_strcmp_idx(error, NULL, idx);
	policy_state_deinit(&state);
}

enum kind {
	/* what is right for a member */
	NUMBER = 1,
	STRING = 2,
	BOOLEAN = 4,
	LIST = 8,
	OBJECT = 16,
	LARGE_NUMBER = 32
};

static void test_wrong_types(void)
{
	static const struct {
		const char *member, *value;
		unsigned int kinds;
		const char *error;
	} members[] = {
		{ "uidl", EPOCH_TEXT, OBJECT, "uidl is not an object" },
		{ "epoch", "3", NUMBER, "uidl.epoch "UINT32_WORDS },
		{ "uidvalidity", "1700000000", NUMBER,
		  "uidl.uidvalidity "UINT32_WORDS },
		{ "uidnext", "100001", NUMBER, "uidl.uidnext "UINT32_WORDS },
		{ "live", "99990", NUMBER, "uidl.live "COUNT_WORDS },
		{ "listed", "1650000000", NUMBER | LARGE_NUMBER,
		  "uidl.listed "TIME_WORDS },
		{ "format", "\"%08Xu%08Xv\"", STRING,
		  "uidl.format is not a string" },
		{ "reuse_xuidl", "false", BOOLEAN,
		  "uidl.reuse_xuidl is not true or false" },
		{ "imported", "true", BOOLEAN,
		  "uidl.imported is not true or false" },
		{ "told", "[" TOLD_TEXT "]", LIST, "uidl.told is not a list" },
		{ "uidvalidity", "11", NUMBER,
		  "uidl.told: 1: uidvalidity "COUNT_WORDS },
		{ "below", "12", NUMBER, "uidl.told: 1: below "UINT32_WORDS },
		{ "recorded", "\"1:5000,6000:6001\"", STRING,
		  "uidl.recorded is not a string" },
		{ "downloaded", "\"1:10\"", STRING,
		  "uidl.downloaded is not a string" },
		{ "unsure", UNSURE_TEXT, OBJECT,
		  "uidl.unsure is not an object" },
		{ "below", "77", NUMBER, "uidl.unsure: below "UINT32_WORDS },
		{ "until", "1600000006", NUMBER | LARGE_NUMBER,
		  "uidl.unsure: until "TIME_WORDS },
		{ "devices", DEVICES_TEXT, OBJECT,
		  "uidl.devices is not an object" },
		{ "phone", "\"1:4,9\"", STRING,
		  "uidl.devices: phone is not a string" },
		{ "stored", "\"7\"", STRING, "uidl.stored is not a string" },
		{ "journal", JOURNAL_TEXT, OBJECT,
		  "uidl.journal is not an object" },
		{ "generation", "4", NUMBER,
		  "uidl.journal: generation "COUNT_WORDS },
		{ "lines", "1234", NUMBER, "uidl.journal: lines "COUNT_WORDS },
		{ "gone", "5", NUMBER, "uidl.journal: gone "COUNT_WORDS },
		{ "lost", "true", BOOLEAN,
		  "uidl.journal: lost is not true or false" },
		{ "retention", RETENTION_TEXT, OBJECT,
		  "uidl.retention is not an object" },
		{ "checked", "1600000001", NUMBER | LARGE_NUMBER,
		  "uidl.retention: checked "TIME_WORDS },
		{ "oldest_downloaded", "1600000002", NUMBER | LARGE_NUMBER,
		  "uidl.retention: oldest_downloaded "TIME_WORDS },
		{ "oldest_undownloaded", "1600000003", NUMBER | LARGE_NUMBER,
		  "uidl.retention: oldest_undownloaded "TIME_WORDS },
		{ "recheck", "1600000004", NUMBER | LARGE_NUMBER,
		  "uidl.retention: recheck "TIME_WORDS },
		{ "clock_jumped", "1600000005", NUMBER | LARGE_NUMBER,
		  "uidl.retention: clock_jumped "TIME_WORDS },
		{ "anchors", "[" ANCHOR_TEXT "," ANCHOR2_TEXT "]", LIST,
		  "uidl.anchors is not a list" },
		{ "uid", "21", NUMBER, "uidl.anchors: 1: uid "UINT32_WORDS },
		{ "guid", "\"a.guid\"", STRING,
		  "uidl.anchors: 1: guid is not a string" },
		{ "hash", "\"a.hash\"", STRING,
		  "uidl.anchors: 1: hash is not a string" },
		{ "uid", "22", NUMBER, "uidl.anchors: 2: uid "UINT32_WORDS },
		{ "uidl", "\"b.uidl\"", STRING,
		  "uidl.anchors: 2: uidl is not a string" },
	};
	static const struct {
		const char *text;
		enum kind kind;
	} values[] = {
		{ "null", 0 }, { "true", BOOLEAN }, { "\"1\"", STRING },
		{ "[]", LIST }, { "{}", OBJECT }, { "1", NUMBER },
		{ "1.0", 0 }, { "-1", 0 }, { "-9223372036854775808", 0 },
		{ "4294967296", LARGE_NUMBER },
		{ "9223372036854775807", LARGE_NUMBER },
	};
	unsigned int m, v;

	test_begin("epoch: wrong types");
	for (m = 0; m < N_ELEMENTS(members); m++) T_BEGIN {
		const char *from = t_strdup_printf("\"%s\":%s",
			members[m].member, members[m].value);

		assert_parsed(EPOCH_STATE_TEXT, m);
		for (v = 0; v < N_ELEMENTS(values); v++) {
			const char *to = t_strdup_printf("\"%s\":%s",
				members[m].member, values[v].text);

			if ((members[m].kinds & values[v].kind) != 0)
				continue;
			assert_corrupt(replace(EPOCH_STATE_TEXT, from, to),
				       members[m].error, m * 100 + v);
		}
	} T_END;
	test_end();
}

static void test_missing_members(void)
{
	static const struct {
		const char *member, *error;
	} tests[] = {
		{ "\"epoch\":3", "uidl.epoch "UINT32_WORDS },
		{ "\"uidvalidity\":17", "uidl.uidvalidity "UINT32_WORDS },
		{ "\"uidnext\":", "uidl.uidnext "UINT32_WORDS },
		{ "\"live\":", "uidl.live "COUNT_WORDS },
		{ "\"format\":", "uidl.format is missing" },
		{ "\"reuse_xuidl\":", NULL },
		{ "\"told\":", NULL },
		{ "\"uidvalidity\":11",
		  "uidl.told: 1: uidvalidity "COUNT_WORDS },
		{ "\"below\":12", "uidl.told: 1: below "UINT32_WORDS },
		{ "\"recorded\":", NULL },
		{ "\"downloaded\":", NULL },
		{ "\"devices\":", NULL },
		{ "\"unsure\":", NULL },
		{ "\"below\":77", "uidl.unsure: below "UINT32_WORDS },
		{ "\"until\":", NULL },
		{ "\"stored\":", NULL },
		{ "\"journal\":", NULL },
		{ "\"generation\":", "uidl.journal: generation "COUNT_WORDS },
		{ "\"lines\":", "uidl.journal: lines "COUNT_WORDS },
		{ "\"gone\":", "uidl.journal: gone "COUNT_WORDS },
		{ "\"retention\":", NULL },
		{ "\"checked\":", NULL },
		{ "\"oldest_downloaded\":", NULL },
		{ "\"oldest_undownloaded\":", NULL },
		{ "\"recheck\":", NULL },
		{ "\"clock_jumped\":", NULL },
		{ "\"anchors\":", NULL },
		{ "\"uid\":21", "uidl.anchors: 1: uid "UINT32_WORDS },
		{ "\"guid\":", NULL },
		{ "\"hash\":", NULL },
		{ "\"uidl\":\"b", NULL },
	};
	const char *text;
	unsigned int i;

	test_begin("epoch: members that are missing");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		text = replace(EPOCH_STATE_TEXT, tests[i].member,
			       t_strconcat("\"x-", tests[i].member + 1, NULL));
		if (tests[i].error == NULL)
			assert_parsed(text, i);
		else
			assert_corrupt(text, tests[i].error, i);
	}
	test_end();
}

static void test_values(void)
{
	static const struct {
		const char *from, *to, *error;
	} tests[] = {
		{ "\"epoch\":3", "\"epoch\":0", "uidl.epoch "UINT32_WORDS },
		{ "\"epoch\":3", "\"epoch\":4294967295", NULL },
		{ "1700000000", "0", "uidl.uidvalidity "UINT32_WORDS },
		{ "100001", "0", "uidl.uidnext "UINT32_WORDS },
		{ "99990", "0", NULL },
		{ "1650000000", "0", NULL },
		{ "1650000000", "9223372036854775807", NULL },
		{ "%08Xu%08Xv", "\xc3\xa4\\u0001", NULL },
		{ "\"uidvalidity\":11", "\"uidvalidity\":0", NULL },
		{ TOLD_TEXT, "7", "uidl.told: 1: not an object" },
		{ "\"below\":12", "\"below\":0",
		  "uidl.told: 1: below "UINT32_WORDS },
		{ "\"generation\":4", "\"generation\":0", NULL },
		{ "1600000001", "0", NULL },
		{ "1600000002", "9223372036854775807", NULL },
		{ ANCHOR2_TEXT, "[]", "uidl.anchors: 2: not an object" },
		{ "\"uid\":22", "\"uid\":0",
		  "uidl.anchors: 2: uid "UINT32_WORDS },
		{ "a.guid", "!~\\\"\\\\", NULL },
		{ "a.guid", "a guid", "uidl.anchors: 1: guid has octet 0x20 at "
		  "position 2, expected 0x21 to 0x7e" },
		{ "a.guid", "guid\\u007f", "uidl.anchors: 1: guid has octet "
		  "0x7f at position 5, expected 0x21 to 0x7e" },
		{ "a.hash", "\xc3\xa4", "uidl.anchors: 1: hash has octet 0xc3 "
		  "at position 1, expected 0x21 to 0x7e" },
		{ "1:5000,6000:6001", "0", "uidl.recorded "SET_WORDS },
		{ "1:5000,6000:6001", "*", "uidl.recorded "SET_WORDS },
		{ "1:5000,6000:6001", "1:*", "uidl.recorded "SET_WORDS },
		{ "1:5000,6000:6001", "*:1", "uidl.recorded "SET_WORDS },
		{ "1:5000,6000:6001", "1:0", "uidl.recorded "SET_WORDS },
		{ "1:5000,6000:6001", "0:1", "uidl.recorded "SET_WORDS },
		{ "1:5000,6000:6001", "1:", "uidl.recorded "SET_WORDS },
		{ "1:5000,6000:6001", ":1", "uidl.recorded "SET_WORDS },
		{ "1:5000,6000:6001", "1:2:3", "uidl.recorded "SET_WORDS },
		{ "1:5000,6000:6001", "1,", "uidl.recorded "SET_WORDS },
		{ "1:5000,6000:6001", ",1", "uidl.recorded "SET_WORDS },
		{ "1:5000,6000:6001", "1,,2", "uidl.recorded "SET_WORDS },
		{ "1:5000,6000:6001", "1, 2", "uidl.recorded "SET_WORDS },
		{ "1:5000,6000:6001", "-1", "uidl.recorded "SET_WORDS },
		{ "1:5000,6000:6001", "+1", "uidl.recorded "SET_WORDS },
		{ "1:5000,6000:6001", "1x", "uidl.recorded "SET_WORDS },
		{ "1:5000,6000:6001", "4294967296",
		  "uidl.recorded "SET_WORDS },
		{ "1:5000,6000:6001", "1:4294967297",
		  "uidl.recorded "SET_WORDS },
		{ "1:5000,6000:6001", "99999999999999999999",
		  "uidl.recorded "SET_WORDS },
		{ "\"1:10\"", "\"?\"", "uidl.downloaded "SET_WORDS },
		{ "1:4,9", "4294967295", NULL },
		{ "1:4,9", "1:*", "uidl.devices: phone "SET_WORDS },
		{ "1:4,9", "0", "uidl.devices: phone "SET_WORDS },
		{ "laptop", "phone2", NULL },
		{ "laptop", "", "uidl.devices: device name \"\" is empty"
		  NAME_WORDS },
		{ "laptop", "a b", "uidl.devices: device name \"a b\" has "
		  "white space or a control character"NAME_WORDS },
		{ "laptop", "a\\u0007", "uidl.devices: device name \"a?\" has "
		  "white space or a control character"NAME_WORDS },
		{ "laptop", "a,b", "uidl.devices: device name \"a,b\" has "
		  "a comma or a quote"NAME_WORDS },
		{ "\"stored\":\"7\"", "\"stored\":\"?\"",
		  "uidl.stored "SET_WORDS },
	};
	const char *text;
	unsigned int i;

	test_begin("epoch: values and their bounds");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		text = replace(EPOCH_STATE_TEXT, tests[i].from, tests[i].to);
		if (tests[i].error == NULL)
			assert_parsed(text, i);
		else
			assert_corrupt(text, tests[i].error, i);
	}
	test_end();
}

/* JSON text that has them is not read at all. */
static void test_large_numbers(void)
{
	static const char *const numbers[] = {
		"9223372036854775808", "-9223372036854775809",
		"18446744073709551616", "99999999999999999999999999",
	};
	struct policy_state *state = NULL;
	const char *text, *error;
	unsigned int i, t;

	test_begin("epoch: numbers that are too large");
	for (i = 0; i < N_ELEMENTS(numbers); i++) {
		for (t = 1; t <= 5; t++) {
			text = replace(EPOCH_STATE_TEXT,
				       t_strdup_printf("160000000%u", t),
				       numbers[i]);
			error = "";
			test_assert_idx(policy_state_parse(text, strlen(text),
				&state, &error) == POLICY_STATE_CORRUPT,
				i * 10 + t);
			test_assert_idx(strstr(error, "integer") != NULL,
					i * 10 + t);
		}
	}
	test_end();
}

static void test_uidls(void)
{
	static const char *const uidls[] = {
		"", ".", "a b", "\xc3\xa4", "a\\u0001",
	};
	const char *text, *error, *expected;
	struct policy_state *state = NULL;
	unsigned int i;

	test_begin("epoch: UIDLs that are none");
	for (i = 0; i < N_ELEMENTS(uidls); i++) {
		text = replace(EPOCH_STATE_TEXT, "b.uidl", uidls[i]);
		error = "";
		test_assert_idx(policy_state_parse(text, strlen(text), &state,
			&error) == POLICY_STATE_CORRUPT, i);
		expected = "uidl.anchors: 2: uidl: ";
		test_assert_idx(strncmp(error, expected,
					strlen(expected)) == 0, i);
	}
	test_end();
}

static void test_lengths(void)
{
	static const struct {
		const char *from;
		unsigned int max;
		const char *words;
	} tests[] = {
		{ "%08Xu%08Xv", POLICY_EPOCH_MAX_FORMAT_LEN, "uidl.format" },
		{ "a.guid", POP3_GUID_MAX_LEN, "uidl.anchors: 1: guid" },
		{ "a.hash", JOURNAL_HASH_MAX_LEN, "uidl.anchors: 1: hash" },
		{ "b.uidl", POP3_UIDL_MAX_LEN, "uidl.anchors: 2: uidl" },
	};
	char *value;
	unsigned int i;

	test_begin("epoch: strings that are too long");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		value = t_malloc0(tests[i].max + 2);
		memset(value, 'x', tests[i].max);
		assert_parsed(replace(EPOCH_STATE_TEXT, tests[i].from, value),
			      i);
		value[tests[i].max] = 'x';
		assert_corrupt(replace(EPOCH_STATE_TEXT, tests[i].from, value),
			       t_strdup_printf("%s has %u octets, expected at "
				"most %u", tests[i].words, tests[i].max + 1,
				tests[i].max), i);
	}
	test_end();
}

/* The text so often, with commas between. */
static const char *repeat(const char *text, unsigned int count)
{
	string_t *dest = t_str_new(1024);
	unsigned int i;

	for (i = 0; i < count; i++)
		str_printfa(dest, "%s%s", i == 0 ? "" : ",", text);
	return str_c(dest);
}

static const char *devices(unsigned int count)
{
	string_t *dest = t_str_new(1024);
	unsigned int i;

	str_append_c(dest, '{');
	for (i = 0; i < count; i++)
		str_printfa(dest, "%s\"d%u\":\"1\"", i == 0 ? "" : ",", i);
	str_append_c(dest, '}');
	return str_c(dest);
}

static void test_counts(void)
{
	string_t *set = t_str_new(1024);
	unsigned int i;

	test_begin("epoch: lists that are too long");
	assert_parsed(replace(EPOCH_STATE_TEXT, DEVICES_TEXT,
			      devices(POP3_DEVICES_MAX)), 4);
	assert_corrupt(replace(EPOCH_STATE_TEXT, DEVICES_TEXT,
			       devices(POP3_DEVICES_MAX + 1)),
		       "uidl.devices has 17 entries, expected at most 16", 4);
	assert_corrupt(replace(EPOCH_STATE_TEXT, "1:4,9", repeat("1", 200)),
		       "uidl.devices: phone has 399 octets, expected at most "
		       "396", 5);
	assert_parsed(replace(EPOCH_STATE_TEXT, TOLD_TEXT,
			      repeat(TOLD_TEXT, POLICY_EPOCH_MAX_TOLD)), 0);
	assert_corrupt(replace(EPOCH_STATE_TEXT, TOLD_TEXT,
			       repeat(TOLD_TEXT, POLICY_EPOCH_MAX_TOLD + 1)),
		       "uidl.told has 9 entries, expected at most 8", 0);
	assert_parsed(replace(EPOCH_STATE_TEXT, ANCHOR2_TEXT,
			      repeat(ANCHOR2_TEXT,
				     POLICY_EPOCH_MAX_ANCHORS - 1)), 1);
	assert_corrupt(replace(EPOCH_STATE_TEXT, ANCHOR2_TEXT,
			       repeat(ANCHOR2_TEXT, POLICY_EPOCH_MAX_ANCHORS)),
		       "uidl.anchors has 4 entries, expected at most 3", 1);

	for (i = 0; i < POLICY_EPOCH_MAX_RANGES; i++)
		str_printfa(set, "%s%u", i == 0 ? "" : ",", i * 2 + 1);
	assert_parsed(replace(EPOCH_STATE_TEXT, "1:5000,6000:6001",
			      str_c(set)), 2);
	str_printfa(set, ",%u", i * 2 + 1);
	assert_corrupt(replace(EPOCH_STATE_TEXT, "1:5000,6000:6001",
			       str_c(set)),
		       "uidl.recorded has 19 ranges, expected at most 18", 2);
	/* longer than ranges are that are not joined */
	assert_corrupt(replace(EPOCH_STATE_TEXT, "1:5000,6000:6001",
			       repeat("1", 200)),
		       "uidl.recorded has 399 octets, expected at most 396", 3);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_wrong_types,
		test_missing_members,
		test_values,
		test_large_numbers,
		test_uidls,
		test_lengths,
		test_counts,
		NULL
	};
	return test_run(test_functions);
}
