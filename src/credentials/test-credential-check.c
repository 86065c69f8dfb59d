/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "credential.h"
#include "credential-check.h"

typedef bool check_func_t(const char *text, const char **error_r);

struct check_test {
	const char *text;
	/* words of the error; NULL if the text is valid */
	const char *words;
};

static void
run(const char *name, check_func_t *is_valid, const struct check_test *tests,
    unsigned int count)
{
	const char *error;
	unsigned int i;

	test_begin(t_strconcat("credential check: ", name, NULL));
	for (i = 0; i < count; i++) T_BEGIN {
		error = NULL;
		test_assert_idx(is_valid(tests[i].text, &error) ==
				(tests[i].words == NULL), i);
		if (tests[i].words == NULL)
			test_assert_strcmp_idx(error, NULL, i);
		else if (error == NULL || strstr(error, tests[i].words) == NULL)
			test_assert_strcmp_idx(error, tests[i].words, i);
	} T_END;
	test_end();
}

/* So many times the text. */
static const char *repeat(const char *text, unsigned int count)
{
	const char *result = "";

	while (count-- > 0)
		result = t_strconcat(result, text, NULL);
	return result;
}

static void test_user_names(void)
{
	const struct check_test tests[] = {
		{ "a", NULL },
		{ "jane@example.com", NULL },
		{ "Jane Doe", NULL },
		{ "../%u/{}\"\\", NULL },
		{ "j\xc3\xa4ne", NULL },
		{ "\xc2\xa0", NULL },
		{ repeat("x", 255), NULL },
		{ repeat("\xc3\xa4", 127), NULL },
		{ "", "is empty, expected 1 to 255 octets" },
		{ repeat("x", 256), "has 256 octets, expected at most 255" },
		{ repeat("\xc3\xa4", 128), "has 256 octets" },
		{ "a\x01", "has a control character, expected UTF-8 without" },
		{ "\x1f", "has a control character" },
		{ "a\x7f", "has a control character" },
		{ "a\xc2\x80", "has a control character" },
		{ "a\xc2\x9f", "has a control character" },
		{ "a\n", "has a control character" },
		{ "\xff", "is not UTF-8, expected UTF-8 without" },
		{ "a\xc3", "is not UTF-8" },
		{ "\xc0\xaf", "is not UTF-8" },
		{ "\xed\xa0\x80", "is not UTF-8" },
	};

	run("names of users", credential_user_name_is_valid, tests,
	    N_ELEMENTS(tests));
}

static void test_hashes(void)
{
	const char *const none = "is not a hash, expected \"$argon2id$...\"";
	const struct check_test tests[] = {
		{ "$argon2id$v=19$m=65536,t=2,p=1$c2FsdA$aGFzaA", NULL },
		{ "$argon2i$v=19$m=32768,t=4,p=1$c2FsdA$aGFzaA", NULL },
		{ "$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn", NULL },
		{ "$6$rounds=5000$salt$hash", NULL },
		{ "$2y$05$abcdefghijklmnopqrstuv", NULL },
		{ "$gost-yescrypt$x", NULL },
		{ "{SHA512-CRYPT}$6$salt$hash", NULL },
		{ "{ssha256.hex}00ff", NULL },
		{ "{CRAM-MD5}00ff", NULL },
		{ "{SCRAM-SHA-256}4096,c2FsdA==,a,b", NULL },
		{ "{PBKDF2}$1$a$5000$b", NULL },
		{ "{X_Y}!", NULL },
		{ t_strconcat("$x$", repeat("y", 509), NULL), NULL },
		{ t_strconcat("$x$", repeat("y", 510), NULL),
		  "has 513 octets, expected a hash of at most 512" },
		{ "", none },
		{ "hunter2", none },
		{ "$", none },
		{ "$$", none },
		{ "$$x", none },
		{ "$1", none },
		{ "$1$", none },
		{ "$hunter2", none },
		{ "$Money$x", none },
		{ "{", none },
		{ "{}", none },
		{ "{}x", none },
		{ "{.b64}x", none },
		{ "{SHA", none },
		{ "{SHA}", none },
		{ "{SHA x", "position 5, expected a hash" },
		{ "{SH:A}x", none },
		{ " $1$x", "position 1, expected a hash" },
		{ "$1$x ", "at position 5" },
		{ "$1$x\n", "at position 5" },
		{ "$1$\xc3\xa4", "at position 4" },
		{ "$1$\x7f", "at position 4" },
		{ "{PLAIN}x", "has the scheme PLAIN, expected a hash that" },
		{ "{plain}x", "has the scheme plain" },
		{ "{PLAIN.b64}eA==", "has the scheme PLAIN," },
		{ "{PLAIN.b64.hex}eA==", "has the scheme PLAIN," },
		{ "{PLAIN-TRUNC}1-x", "has the scheme PLAIN-TRUNC" },
		{ "{PLAIN-MD4}x", "has the scheme PLAIN-MD4" },
		{ "{Plain-Md5}x", "has the scheme Plain-Md5" },
		{ "{CLEAR}x", "has the scheme CLEAR," },
		{ "{clear.hex}00", "has the scheme clear," },
		{ "{CLEARTEXT}x", "has the scheme CLEARTEXT" },
		{ "{ClearText.Base64}x", "has the scheme ClearText" },
	};
	const char *error;

	run("hashes", credential_hash_is_valid, tests, N_ELEMENTS(tests));
	/* the error has nothing of it */
	test_assert(!credential_hash_is_valid("hunter2", &error) &&
		    strstr(error, "unter") == NULL);
}

static void test_words(void)
{
	const struct check_test ids[] = {
		{ "k7qmx3", NULL }, { "abcdef", NULL }, { "ghjkmn", NULL },
		{ "pqrstu", NULL }, { "vwxyz2", NULL }, { "345678", NULL },
		{ "999999", NULL },
		{ "", "is not an id, expected 6 characters of \"abc" },
		{ "k7qmx", "is not an id" }, { "k7qmx34", "is not an id" },
		{ "K7QMX3", "is not an id" }, { "k7qmxi", "is not an id" },
		{ "k7qmxl", "is not an id" }, { "k7qmxo", "is not an id" },
		{ "k7qmx0", "is not an id" }, { "1k7qmx", "is not an id" },
		{ "k7qm-x", "is not an id" }, { "k7qm x", "is not an id" },
		{ "k7qmx3\n", "is not an id" }, { "../../", "is not an id" },
	};
	const struct check_test protocols[] = {
		{ "pop3", NULL }, { "imap", NULL }, { "smtp", NULL },
		{ "managesieve", NULL }, { "my-own_2", NULL },
		{ repeat("x", 32), NULL },
		{ repeat("x", 33), "expected 1 to 32 lower-case" },
		{ "", "is not a protocol" }, { "POP3", "is not a protocol" },
		{ "pop3 ", "is not a protocol" }, { "!pop3", "is not a" },
	};
	const struct check_test fields[] = {
		{ "userdb_uid", NULL }, { "proxy", NULL },
		{ "userdb_namespace/inbox/list", NULL },
		{ "userdb_mail_plugins+", NULL }, { "USERDB_X", NULL },
		{ repeat("x", 128), NULL },
		{ repeat("x", 129), "expected 1 to 128 letters" },
		{ "", "is not the name of a field" },
		{ "a=b", "is not the name" }, { "a b", "is not the name" },
		{ "a\tb", "is not the name" }, { "\xc3\xa4", "is not the" },
	};
	const struct check_test settings[] = {
		{ "pop3_policy_quota", NULL }, { "pop3_policy_x2", NULL },
		{ t_strconcat("pop3_policy_", repeat("x", 116), NULL), NULL },
		{ t_strconcat("pop3_policy_", repeat("x", 117), NULL),
		  "expected pop3_policy_NAME of at most 128 octets" },
		{ "", "is not a setting of an app password" },
		{ "pop3_policy_", "is not a setting" },
		{ "pop3_policyx", "is not a setting" },
		{ "Pop3_policy_quota", "is not a setting" },
		{ "pop3_policy_Quota", "is not a setting" },
		{ "xpop3_policy_quota", "is not a setting" },
		{ "userdb_uid", "is not a setting" },
		{ "pop3_policy_a=b", "is not a setting" },
	};

	run("ids", app_password_id_is_valid, ids, N_ELEMENTS(ids));
	run("protocols", credential_protocol_is_valid, protocols,
	    N_ELEMENTS(protocols));
	run("names of fields", credential_field_name_is_valid, fields,
	    N_ELEMENTS(fields));
	run("names of settings", app_password_setting_name_is_valid, settings,
	    N_ELEMENTS(settings));
}

static void test_networks(void)
{
	static const struct {
		const char *text, *printed;
	} tests[] = {
		{ "192.0.2.0/24", "192.0.2.0/24" },
		{ "192.0.2.1", "192.0.2.1/32" },
		{ "192.0.2.77/24", "192.0.2.77/24" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "255.255.255.255/32", "255.255.255.255/32" },
		{ "2001:db8::/32", "2001:db8::/32" },
		{ "2001:DB8:0::/32", "2001:db8::/32" },
		{ "::1", "::1/128" },
		{ "::/0", "::/0" },
		{ "", NULL },
		{ "/", NULL },
		{ "/8", NULL },
		{ "10", NULL },
		{ "10.1", NULL },
		{ "10.1/16", NULL },
		{ "0x7f000001", NULL },
		{ "010.0.0.1", NULL },
		{ "10.0.0.256", NULL },
		{ "10.0.0.0.0", NULL },
		{ "10.0.0.0/", NULL },
		{ "10.0.0.0/33", NULL },
		{ "10.0.0.0/-1", NULL },
		{ "10.0.0.0/4294967304", NULL },
		{ "10.0.0.0/8/8", NULL },
		{ "10.0.0.0/255.0.0.0", NULL },
		{ " 10.0.0.0/8", NULL },
		{ "10.0.0.0/8 ", NULL },
		{ "10.0.0.0 /8", NULL },
		{ "2001:db8::/129", NULL },
		{ "[2001:db8::]/32", NULL },
		{ "fe80::1%lo", NULL },
		{ "fe80::1%1/64", NULL },
		{ ":::", NULL },
		{ "::ffff:192.0.2.1", NULL },
		{ "::ffff:0:0/96", NULL },
		{ "localhost", NULL },
		{ "*", NULL },
		{ "a\nb", NULL },
	};
	struct credential_network network;
	const char *error;
	unsigned int i;
	int ret;

	test_begin("credential check: networks");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		error = NULL;
		network.bits = UINT_MAX;
		ret = credential_network_parse(tests[i].text, &network,
					       &error);
		test_assert_idx(ret == (tests[i].printed == NULL ? -1 : 0), i);
		if (ret == 0) {
			test_assert_strcmp_idx(
				credential_network_print(&network),
				tests[i].printed, i);
		} else {
			test_assert_idx(network.bits == UINT_MAX, i);
			test_assert_idx(strstr(error, "expected ") != NULL, i);
		}
	} T_END;
	test_assert(credential_network_parse("10.1/16", &network,
					     &error) < 0);
	test_assert_strcmp(error, "\"10.1/16\" is not a network, expected one "
			   "like 192.0.2.0/24 or 2001:db8::/32");
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_user_names,
		test_hashes,
		test_words,
		test_networks,
		NULL
	};
	return test_run(test_functions);
}
