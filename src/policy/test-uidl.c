/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "uidl.h"

#define TEN "0123456789"
#define SEVENTY TEN TEN TEN TEN TEN TEN TEN
#define HUNDRED SEVENTY TEN TEN TEN

static void test_valid(void)
{
	static const struct {
		const char *uidl;
		/* NULL if it is valid */
		const char *error;
	} tests[] = {
		{ "1", NULL },
		{ "0000000a5f3b", NULL },
		{ "!", NULL },
		{ "~", NULL },
		{ "..", NULL },
		{ "%s\\\"'<>&", NULL },
		{ SEVENTY, NULL },
		{ "", "UIDL of 0 octets, expected 1 to 70" },
		{ SEVENTY "x", "UIDL of 71 octets, expected 1 to 70" },
		{ ".", "UIDL is a single dot" },
		{ " ", "octet 0x20 at position 1 of the UIDL, "
		  "expected 0x21 to 0x7e" },
		{ "a b", "octet 0x20 at position 2" },
		{ "a\r\n", "octet 0x0d at position 2" },
		{ "abc\n", "octet 0x0a at position 4" },
		{ "\x1b[2J", "octet 0x1b at position 1" },
		{ "a\x7f", "octet 0x7f at position 2" },
		{ "a\x80", "octet 0x80 at position 2" },
		{ "\xc3\xa4", "octet 0xc3 at position 1" },
		{ "\xff", "octet 0xff at position 1" },
	};
	const char *error;
	unsigned int i;

	test_begin("uidl: valid by POP3");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		error = NULL;
		test_assert_idx(pop3_uidl_is_valid(tests[i].uidl, &error) ==
				(tests[i].error == NULL), i);
		if (tests[i].error == NULL) {
			test_assert_idx(error == NULL, i);
			continue;
		}
		test_assert_idx(error != NULL &&
				strstr(error, tests[i].error) != NULL, i);
	}
	test_end();
}

static void test_valid_octets(void)
{
	char uidl[] = "a?";
	const char *error;
	unsigned int octet;

	test_begin("uidl: each octet");
	for (octet = 1; octet <= 0xff; octet++) {
		uidl[1] = (char)octet;
		test_assert_idx(pop3_uidl_is_valid(uidl, &error) ==
				(octet >= 0x21 && octet <= 0x7e), octet);
	}
	test_end();
}

static void test_guid_normalize(void)
{
	static const struct {
		const char *guid, *result;
	} tests[] = {
		{ "", "" },
		{ "5e0b7a2c9f1d4e3388aa0011bbccddee",
		  "5e0b7a2c9f1d4e3388aa0011bbccddee" },
		{ "1764076844.M1P2.host", "1764076844.M1P2.host" },
		{ "1764076844.M1P2.host,S=1234", "1764076844.M1P2.host" },
		{ "1764076844.M1P2.host,S=1234,W=1260",
		  "1764076844.M1P2.host" },
		{ "1764076844.M1P2.host,W=1260,S=1234",
		  "1764076844.M1P2.host" },
		{ "host,A=1,B=2,C=3,S=0", "host" },
		{ ",S=1", "" },
		{ "x,S=1", "x" },
		/* only at the end */
		{ "host,S=12.more", "host,S=12.more" },
		{ "host,S=12,x,W=1", "host,S=12,x" },
		/* not such fields */
		{ "host,S=", "host,S=" },
		{ "host,S=12a", "host,S=12a" },
		{ "host,s=12", "host,s=12" },
		{ "host,@=12", "host,@=12" },
		{ "host,[=12", "host,[=12" },
		{ "host,SS=12", "host,SS=12" },
		{ "host,=12", "host,=12" },
		{ "host,S12", "host,S12" },
		{ "host,S:12", "host,S:12" },
		{ "host.S=12", "host.S=12" },
		{ "S=12", "S=12" },
		{ "=12", "=12" },
		{ "12", "12" },
		{ "host,S=-1", "host,S=-1" },
		{ "host,S=1:2,S", "host,S=1:2,S" },
		/* first the fields, then the length */
		{ HUNDRED, HUNDRED },
		{ HUNDRED ",S=1", HUNDRED },
		{ HUNDRED "x", "#/PabMRrIUGWeFjNMUTawtg" },
		{ HUNDRED "x,S=1,W=2", "#/PabMRrIUGWeFjNMUTawtg" },
		{ "a b", "#yGh6CKpdbtIEQyj6aml6uA" },
		{ "a b,S=1", "#yGh6CKpdbtIEQyj6aml6uA" },
		{ "\x80", "#dr6LUo0Adfeq6Y1vpXptPA" },
		{ "a\x7f", "#xXka9Dn+eZUQerolDBQM/Q" },
		{ "a\n", "#h0KPxSKAPTEGXnvOPPA/5A" },
	};
	unsigned int i;
	char *guid;

	test_begin("uidl: GUID without sizes");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		/* where valgrind sees a look before its beginning */
		guid = i_strdup(tests[i].guid);
		test_assert_strcmp_idx(pop3_guid_normalize(guid),
				       tests[i].result, i);
		i_free(guid);
	}
	test_end();
}

static void test_guid_hash(void)
{
	const char *guid, *again;
	string_t *str = t_str_new(10100);
	unsigned int i;

	test_begin("uidl: GUID that becomes a hash");
	for (i = 0; i < 1000; i++)
		str_append(str, TEN);
	guid = pop3_guid_normalize(str_c(str));
	test_assert(strlen(guid) == 23 && *guid == '#');
	/* a journal that was read is normalized no further */
	test_assert_strcmp(pop3_guid_normalize(guid), guid);
	str_append(str, "x");
	again = pop3_guid_normalize(str_c(str));
	test_assert(strcmp(guid, again) != 0);
	test_assert(strchr(again, '=') == NULL);
	/* a name of sizes only takes no time that grows with its square */
	str_truncate(str, 0);
	for (i = 0; i < 2000; i++)
		str_append(str, ",S=1");
	test_assert_strcmp(pop3_guid_normalize(str_c(str)), "");
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_valid,
		test_valid_octets,
		test_guid_normalize,
		test_guid_hash,
		NULL
	};
	return test_run(test_functions);
}
