/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "device-names.h"
#include "journal-line.h"
#include "uidl.h"

#define TEN "1234567890"
#define GUID_TOO_LONG TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "1"

static pool_t pool;

static const char *devices_text(const struct pop3_message *message)
{
	const struct pop3_message_device *device = message->devices;
	string_t *text = t_str_new(64);

	for (; device != NULL && device->name != NULL; device++) {
		str_printfa(text, "%s=%"PRIdTIME_T" ", device->name,
			    device->downloaded);
	}
	return str_c(text);
}

static void
assert_message(const struct pop3_message *message,
	       const struct pop3_message *expected, unsigned int idx)
{
	test_assert_idx(message->uid == expected->uid, idx);
	test_assert_idx(message->size == expected->size, idx);
	test_assert_strcmp_idx(message->guid, expected->guid, idx);
	test_assert_strcmp_idx(message->hash, expected->hash, idx);
	test_assert_strcmp_idx(message->uidl, expected->uidl, idx);
	test_assert_idx(message->downloaded == expected->downloaded, idx);
	test_assert_idx(message->gone == expected->gone, idx);
	test_assert_strcmp_idx(devices_text(message), devices_text(expected),
			       idx);
}

/* Parse a copy of just that size: valgrind and ASan see who reads on. */
static int
parse_copy(const char *line, size_t size, struct pop3_message *message_r,
	   const char **error_r)
{
	void *copy = i_memdup(line, I_MAX(size, 1));
	int ret;

	ret = policy_journal_line_parse(copy, size, pool, message_r, error_r);
	i_free(copy);
	return ret;
}

/* Parse the line as it is, and with a space before it, which makes it one that
   is not printed so: the result must be the same. */
static int parse(const char *line, size_t size, struct pop3_message *message_r,
		 const char **error_r)
{
	const char *other = t_strconcat(" ", t_strndup(line, size), NULL);
	struct pop3_message message;
	const char *error;
	int ret;

	ret = parse_copy(line, size, message_r, error_r);
	test_assert(parse_copy(other, size + 1, &message, &error) == ret);
	if (ret == 0)
		assert_message(&message, message_r, 0);
	return ret;
}

static void test_round_trip(void)
{
	static const struct pop3_message_device one[] = {
		{ "phone", 1795446000 }, { NULL, 0 },
	}, several[] = {
		{ "Phone", 1 }, { "\\`:{}", INT64_MAX },
		{ "T\xc3\xa9l\xc3\xa9", 3 }, { NULL, 0 },
	}, none[] = { { NULL, 0 } };
	static const struct {
		struct pop3_message message;
		const char *line;
	} tests[] = {
		{ { 7, 1234, "g", "h", "u", 1795446000, 1795446001,
		    NULL },
		  "{\"uid\":7,\"size\":1234,\"guid\":\"g\",\"hash\":\"h\","
		  "\"uidl\":\"u\",\"downloaded\":1795446000,"
		  "\"gone\":1795446001}\n" },
		{ { 0, 0, "", "", "u", 0, 0, NULL },
		  "{\"size\":0,\"uidl\":\"u\"}\n" },
		{ { UINT32_MAX, INT64_MAX, "", "h", "u", INT64_MAX, 0, NULL },
		  "{\"uid\":4294967295,\"size\":9223372036854775807,"
		  "\"hash\":\"h\",\"uidl\":\"u\","
		  "\"downloaded\":9223372036854775807}\n" },
		{ { 1, 1, "\"", "\\", "a\"b\\c\\\\\"\"", 0, INT64_MAX,
		    NULL },
		  "{\"uid\":1,\"size\":1,\"guid\":\"\\\"\","
		  "\"hash\":\"\\\\\",\"uidl\":\"a\\\"b\\\\c\\\\\\\\\\\"\\\"\","
		  "\"gone\":9223372036854775807}\n" },
		{ { 1, 1, "!#[]^~/", "", "..", 0, 0, none },
		  "{\"uid\":1,\"size\":1,\"guid\":\"!#[]^~/\","
		  "\"uidl\":\"..\"}\n" },
		{ { 7, 1, "", "", "u", 1795446000, 0, one },
		  "{\"uid\":7,\"size\":1,\"uidl\":\"u\","
		  "\"downloaded\":1795446000,"
		  "\"devices\":{\"phone\":1795446000}}\n" },
		{ { 7, 1, "", "", "u", 0, 9, several },
		  "{\"uid\":7,\"size\":1,\"uidl\":\"u\","
		  "\"devices\":{\"Phone\":1,"
		  "\"\\\\`:{}\":9223372036854775807,"
		  "\"T\xc3\xa9l\xc3\xa9\":3},\"gone\":9}\n" },
	};
	struct pop3_message message;
	const char *error;
	string_t *line = t_str_new(64);
	unsigned int i;

	test_begin("journal line: print and parse");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		str_truncate(line, 0);
		str_append(line, "before ");
		policy_journal_line_print(line, &tests[i].message);
		test_assert_strcmp_idx(str_c(line) + 7, tests[i].line, i);
		error = NULL;
		i_zero(&message);
		test_assert_idx(parse(tests[i].line, strlen(tests[i].line) - 1,
				      &message, &error) == 0, i);
		test_assert_strcmp_idx(error, NULL, i);
		if (error == NULL)
			assert_message(&message, &tests[i].message, i);
	}
	test_end();
}

/* The longest message that there can be is one that is read again. */
static void test_longest(void)
{
	char guid[POP3_GUID_MAX_LEN + 1], hash[JOURNAL_HASH_MAX_LEN + 1];
	char uidl[POP3_UIDL_MAX_LEN + 1];
	struct pop3_message message = {
		UINT32_MAX, INT64_MAX, guid, hash, uidl, INT64_MAX, INT64_MAX,
		NULL
	}, parsed;
	char name[POP3_DEVICE_NAME_MAX_LEN + 1];
	unsigned int i;
	string_t *line = t_str_new(64);
	const char *error;

	test_begin("journal line: the longest one");
	memset(guid, '"', sizeof(guid));
	memset(hash, '\\', sizeof(hash));
	memset(uidl, '"', sizeof(uidl));
	guid[sizeof(guid) - 1] = hash[sizeof(hash) - 1] =
		uidl[sizeof(uidl) - 1] = '\0';
	memset(name, '\\', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	for (i = 0; i < POP3_DEVICES_MAX; i++) {
		name[0] = 'a' + i;
		pop3_message_add_device(pool, &message, name, INT64_MAX);
	}
	policy_journal_line_print(line, &message);
	test_assert(str_len(line) <= JOURNAL_LINE_MAX_SIZE);
	test_assert(parse(str_c(line), str_len(line), &parsed, &error) == 0);
	assert_message(&parsed, &message, 0);
	test_assert(pop3_message_devices_count(&parsed) == POP3_DEVICES_MAX);
	test_end();
}

/* So many devices, d1 and so on, each with this after its name. */
static const char *devices_line(unsigned int count, const char *value)
{
	string_t *line = t_str_new(256);
	unsigned int i;

	str_append(line, "{\"size\":1,\"uidl\":\"u\",\"devices\":{");
	for (i = 1; i <= count; i++) {
		str_printfa(line, "%s\"d%u\"%s", i == 1 ? "" : ",", i,
			    value);
	}
	str_append(line, "}}");
	return str_c(line);
}

static void test_devices(void)
{
	static const struct {
		const char *devices, *error;
	} tests[] = {
		{ "[]", "devices is not an object" },
		{ "[\"phone\"]", "devices is not an object" },
		{ "null", "devices is not an object" },
		{ "\"phone\"", "devices is not an object" },
		{ "7", "devices is not an object" },
		{ "{\"phone\":null}",
		  "devices: phone is not a whole number of 0 or more" },
		{ "{\"phone\":-1}",
		  "devices: phone is not a whole number of 0 or more" },
		{ "{\"phone\":1.0}",
		  "devices: phone is not a whole number of 0 or more" },
		{ "{\"phone\":\"1\"}",
		  "devices: phone is not a whole number of 0 or more" },
		{ "{\"phone\":{}}",
		  "devices: phone is not a whole number of 0 or more" },
		{ "{\"phone\":9223372036854775808}", "too big integer" },
		{ "{\"phone\":1,\"phone\":2}", "column " },
		{ "{\"phone\":1,}", "column " },
		{ "{\"phone\"}", "column " },
		{ "{,}", "column " },
		{ "{\"phone\":01}", "column " },
		{ "{\"\":1}", "devices: device name \"\" is empty, expected" },
		{ "{\"a b\":1}", "devices: device name \"a b\" has white" },
		{ "{\"a,b\":1}", "devices: device name \"a,b\" has a comma" },
		{ "{\"a\\u0009\":1}", "has white space or a control" },
		{ "{\"a\\\"\":1}", "has a comma or a quote" },
		{ "{\"\xe4\":1}", "unable to decode byte 0xe4" },
		{ "{\"a\\u0000\":1}", "" },
		{ "{\"12345678901234567890123456789012345678901234567890"
		  "123456789012345\":1}", "is too long, expected 1 to 64" },
	};
	struct pop3_message message;
	const char *line, *error;
	unsigned int i;

	test_begin("journal line: devices");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		line = t_strdup_printf("{\"size\":1,\"uidl\":\"u\","
				       "\"devices\":%s}", tests[i].devices);
		error = NULL;
		test_assert_idx(parse(line, strlen(line), &message,
				      &error) < 0, i);
		if (error == NULL || strstr(error, tests[i].error) == NULL)
			test_assert_strcmp_idx(error, tests[i].error, i);
	}
	line = devices_line(16, ":5");
	test_assert(parse(line, strlen(line), &message, &error) == 0);
	test_assert(pop3_message_devices_count(&message) == 16);
	line = devices_line(17, ":5");
	test_assert(parse(line, strlen(line), &message, &error) < 0);
	test_assert_strcmp(error, "devices has 17 entries, expected at most "
			   "16");
	/* these say nothing */
	line = devices_line(3, ":0");
	test_assert(parse(line, strlen(line), &message, &error) == 0);
	test_assert(pop3_message_devices_count(&message) == 0);
	line = devices_line(0, "");
	test_assert(parse(line, strlen(line), &message, &error) == 0);
	test_assert(pop3_message_devices_count(&message) == 0);
	test_end();
}

static void test_parse(void)
{
	static const struct {
		const char *line, *error;
	} tests[] = {
		/* as others may write it */
		{ " {\t\"size\" : 1, \"uidl\" : \"u\", \"x-new\" : [{}] }\r",
		  NULL },
		{ "{\"size\":1,\"uidl\":\"\\u0075\",\"guid\":\"\","
		  "\"downloaded\":0,\"gone\":0}", NULL },
		{ "{\"size\":1,\"uidl\":\"\\u0075\"}", NULL },

		{ "", "column 0: " },
		{ "{\"size\":1,\"uidl\":\"u\"", "column 20: " },
		{ "{\"size\":1,\"uidl\":\"u\"}}", "column 22: " },
		{ "[]", "not a JSON object" },
		{ "7", "column 1: " },
		{ "{\"size\":1,\"uidl\":\"u\",\"uidl\":\"u\"}", "column 27: " },
		{ "{\"size\":1,\"uidl\":\"u\",\"x\":{\"a\":1,\"a\":2}}",
		  "column 35: " },
		{ "{\"size\":1}", "uidl: UIDL of 0 octets" },
		{ "{\"uidl\":\"u\"}", "size is not a whole number" },
		{ "{\"size\":-1,\"uidl\":\"u\"}", "size is not a whole" },
		{ "{\"size\":01,\"uidl\":\"u\"}", "column " },
		{ "{\"size\":,\"uidl\":\"u\"}", "column " },
		{ "{\"uid\":,\"size\":1,\"uidl\":\"u\"}", "column " },
		{ "{\"size\":1,\"uidl\":\"u\"}x", "column " },
		{ "{\"size\":1,\"uidl\":\"u\",}", "column " },
		{ "{\"size\":1,\"uidl\":\"u\",\"downloaded\":}", "column " },
		{ "{\"size\":1,\"uidl\":\"u\",\"gone\":007}", "column " },
		{ "{\"size\":1.0,\"uidl\":\"u\"}", "size is not a whole" },
		{ "{\"size\":\"1\",\"uidl\":\"u\"}", "size is not a whole" },
		{ "{\"size\":9223372036854775808,\"uidl\":\"u\"}",
		  "too big integer" },
		{ "{\"uid\":0,\"size\":1,\"uidl\":\"u\"}",
		  "uid is not a whole number from 1 to 4294967295" },
		{ "{\"uid\":4294967296,\"size\":1,\"uidl\":\"u\"}",
		  "uid is not a whole number from 1 to 4294967295" },
		{ "{\"uid\":null,\"size\":1,\"uidl\":\"u\"}",
		  "uid is not a whole number from 1 to 4294967295" },
		{ "{\"size\":1,\"uidl\":1}", "uidl is not a string" },
		{ "{\"size\":1,\"uidl\":\"\"}", "uidl: UIDL of 0 octets" },
		{ "{\"size\":1,\"uidl\":\".\"}", "uidl: UIDL is a single dot" },
		{ "{\"size\":1,\"uidl\":\"a b\"}", "uidl: octet 0x20 at " },
		{ "{\"size\":1,\"uidl\":\"u\",\"guid\":null}",
		  "guid is not a string" },
		{ "{\"size\":1,\"uidl\":\"u\",\"guid\":\"a b\"}",
		  "guid has octet 0x20 at position 2" },
		{ "{\"size\":1,\"uidl\":\"u\",\"guid\":\"\\u0000\"}",
		  "\\u0000 is not allowed" },
		{ "{\"size\":1,\"uidl\":\"u\",\"hash\":{}}",
		  "hash is not a string" },
		{ "{\"size\":1,\"uidl\":\"u\",\"hash\":\"\xc3\xa4\"}",
		  "hash has octet 0xc3 at position 1" },
		{ "{\"size\":1,\"uidl\":\"u\",\"hash\":\"\xe4\"}",
		  "unable to decode byte 0xe4" },
		{ "{\"size\":1,\"uidl\":\"u\","
		  "\"hash\":\"123456789012345678901234567890123\"}",
		  "hash has 33 octets, expected at most 32" },
		{ "{\"size\":1,\"guid\":\"" GUID_TOO_LONG "\",\"uidl\":\"u\"}",
		  "guid has 101 octets, expected at most 100" },
		{ "{\"size\":1,\"hash\":\"123456789012345678901234567890123\","
		  "\"uidl\":\"u\"}",
		  "hash has 33 octets, expected at most 32" },
		{ "{\"size\":1,\"guid\":\"a b\",\"uidl\":\"u\"}",
		  "guid has octet 0x20 at position 2" },
		{ "{\"size\":1,\"guid\":\"\x7f\",\"uidl\":\"u\"}",
		  "guid has octet 0x7f at position 1" },
		{ "{\"size\":1,\"guid\":\"\xe4\",\"uidl\":\"u\"}",
		  "unable to decode byte 0xe4" },
		{ "{\"size\":1,\"uidl\":\"u\",\"downloaded\":-1}",
		  "downloaded is not a whole number of 0 or more" },
		{ "{\"size\":1,\"uidl\":\"u\",\"downloaded\":true}",
		  "downloaded is not a whole number of 0 or more" },
		{ "{\"size\":1,\"uidl\":\"u\",\"gone\":\"1\"}",
		  "gone is not a whole number of 0 or more" },
	};
	static const struct pop3_message little = {
		0, 1, "", "", "u", 0, 0, NULL
	};
	struct pop3_message message;
	const char *error;
	unsigned int i;

	test_begin("journal line: what is one, and what is not");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		error = NULL;
		if (parse(tests[i].line, strlen(tests[i].line), &message,
			  &error) == 0) {
			test_assert_idx(tests[i].error == NULL, i);
			assert_message(&message, &little, i);
		} else if (tests[i].error == NULL ||
			   strstr(error, tests[i].error) == NULL) {
			test_assert_strcmp_idx(error, tests[i].error, i);
		}
	}
	test_end();
}

static void test_cut(void)
{
	static const char *const line = "{\"uid\":7,\"size\":1234,"
		"\"guid\":\"g\",\"hash\":\"h\",\"uidl\":\"u\","
		"\"downloaded\":1795446000,\"devices\":{\"phone\":1795446000,"
		"\"laptop\":1795446001},\"gone\":1795446001}";
	struct pop3_message message;
	const char *error;
	size_t size;

	test_begin("journal line: cut at every byte");
	for (size = 0; size < strlen(line); size++) {
		test_assert_idx(parse(line, size, &message, &error) < 0, size);
	}
	test_end();
}

static void test_header(void)
{
	static const struct {
		const char *line;
		enum policy_journal_header_result result;
		const char *error;
	} tests[] = {
#define OK POLICY_JOURNAL_HEADER_OK
#define DAMAGED POLICY_JOURNAL_HEADER_DAMAGED
#define TOO_NEW POLICY_JOURNAL_HEADER_TOO_NEW
		{ "{\"version\":1,\"epoch\":3,\"generation\":4}", OK, NULL },
		{ "{\"x\":{},\"generation\":4,\"epoch\":3,\"version\":1}", OK,
		  NULL },
		{ "", DAMAGED, "column 0: " },
		{ "[]", DAMAGED, "not a JSON object" },
		{ "{}", DAMAGED, "version is not a whole number" },
		{ "{\"version\":0,\"epoch\":3,\"generation\":4}", DAMAGED,
		  "version 0 does not exist" },
		{ "{\"version\":1,\"epoch\":0,\"generation\":4}", DAMAGED,
		  "epoch is not a whole number from 1 to 4294967295" },
		{ "{\"version\":1,\"epoch\":3,\"generation\":0}", DAMAGED,
		  "generation is not a whole number from 1 to 4294967295" },
		{ "{\"version\":1,\"epoch\":3}", DAMAGED,
		  "generation is not a whole number from 1 to 4294967295" },
		{ "{\"version\":1,\"epoch\":3,\"generation\":4,\"epoch\":3}",
		  DAMAGED, "column " },
		{ "{\"version\":2}", TOO_NEW,
		  "version 2 is newer than version 1, which this plugin knows: "
		  "upgrade it" },
		{ "{\"version\":2,\"epoch\":3,\"generation\":4}", TOO_NEW,
		  "upgrade it" },
	};
	static const struct policy_journal_header header = {
		UINT32_MAX, UINT32_MAX
	};
	struct policy_journal_header parsed;
	string_t *line = t_str_new(64);
	const char *error;
	unsigned int i;

	test_begin("journal line: the first one");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		error = NULL;
		test_assert_idx(policy_journal_header_parse(tests[i].line,
			strlen(tests[i].line), &parsed, &error) ==
				tests[i].result, i);
		if (tests[i].result == OK) {
			test_assert_idx(parsed.epoch == 3 &&
					parsed.generation == 4, i);
		} else {
			test_assert_idx(error != NULL && strstr(error,
				tests[i].error) != NULL, i);
		}
	}
	policy_journal_header_print(line, &header);
	test_assert_strcmp(str_c(line), "{\"version\":1,\"epoch\":4294967295,"
			   "\"generation\":4294967295}\n");
	test_assert(policy_journal_header_parse(str_data(line), str_len(line),
						&parsed, &error) == OK);
	test_assert(parsed.epoch == UINT32_MAX &&
		    parsed.generation == UINT32_MAX);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_round_trip,
		test_longest,
		test_devices,
		test_parse,
		test_cut,
		test_header,
		NULL
	};
	int ret;

	pool = pool_alloconly_create("test journal line", 1024);
	ret = test_run(test_functions);
	pool_unref(&pool);
	return ret;
}
