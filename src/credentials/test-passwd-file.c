/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "passwd-file.h"
#include "test-credential-use.h"

#define SHA "{SHA512-CRYPT}$6$salt$hash"
#define SECRET "hunter2"

/* What test_credential_user_show() makes of the user, with the clear text, "0"
   or the error. */
static const char *parse(const char *line)
{
	pool_t pool = pool_alloconly_create_clean("test passwd-file", 1024);
	struct passwd_file_entry entry;
	const char *result = NULL;

	switch (passwd_file_parse(line, pool, &entry, &result)) {
	case 0:
		result = "0";
		break;
	case 1:
		result = test_credential_user_show(&entry.user);
		if (entry.clear_text != NULL) {
			test_assert(entry.user.password == NULL);
			result = t_strconcat(result, " clear=",
					     entry.clear_text, NULL);
		}
		break;
	}
	pool_unref(&pool);
	return result;
}

static void test_users(void)
{
	static const struct {
		const char *line, *result;
	} tests[] = {
		{ "", "0" },
		{ "#jane:" SHA, "0" },
		{ "#", "0" },
		{ ":" SHA, "0" },
		{ ":", "0" },
		{ "jane:" SHA, "jane:" SHA },
		{ "jane:$6$salt$hash", "jane:$6$salt$hash" },
		{ "jane:$argon2id$v=19$m=65536,t=2,p=1$c2FsdA$aGFzaA",
		  "jane:$argon2id$v=19$m=65536,t=2,p=1$c2FsdA$aGFzaA" },
		{ "jane:{CRYPT}ab01FAX.bQRSU", "jane:{CRYPT}ab01FAX.bQRSU" },
		{ "jane:{SSHA256.b64}abc=", "jane:{SSHA256.b64}abc=" },
		/* nobody could log in */
		{ "jane:", "jane:-" },
		{ "jane:::::::", "jane:-" },
		{ "jane@example.com:" SHA ":1000:8:Jane, J:/home/jane:/bin/sh",
		  "jane@example.com:" SHA " userdb_uid=1000 userdb_gid=8 "
		  "userdb_home=/home/jane" },
		{ " jane #x:" SHA, " jane #x:" SHA },
		{ "j\xc3\xa4ne:" SHA, "j\xc3\xa4ne:" SHA },
		{ "jane:" SHA ":vmail:mail", "jane:" SHA " userdb_uid=vmail "
		  "userdb_gid=mail" },
		{ "jane:" SHA ":1:4294967294",
		  "jane:" SHA " userdb_uid=1 userdb_gid=4294967294" },
		{ "jane:" SHA "::::/home/%u",
		  "jane:" SHA " userdb_home=/home/%u" },
		{ "jane:" SHA "::::::userdb_mail=maildir:~/Maildir "
		  "userdb_quota_rule=*:storage=1G",
		  "jane:" SHA " userdb_mail=maildir:~/Maildir "
		  "userdb_quota_rule=*:storage=1G" },
		{ "jane:" SHA "::::::  userdb_x   userdb_y=  userdb_z=a=b ",
		  "jane:" SHA " userdb_x= userdb_y= userdb_z=a=b" },
		{ "jane:" SHA "::::::userdb_x:protected=1",
		  "jane:" SHA " userdb_x:protected=1" },
		{ "jane:" SHA ":::::::", "jane:" SHA },
		/* a backslash is one */
		{ "ja\\:{CRYPT}\\:1", "ja\\:{CRYPT}\\ userdb_uid=1" },
		{ "jane:{PLAIN}" SECRET, "jane:- clear=" SECRET },
		{ "jane:{plain} }{\xff:::::/bin/sh", "jane:- clear= }{\xff" },
		{ "jane:{CLEAR}" SECRET ":1::",
		  "jane:- userdb_uid=1 clear=" SECRET },
		{ "jane:{Cleartext}$1$x", "jane:- clear=$1$x" },
	};
	unsigned int i;

	test_begin("passwd-file: users");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		test_assert_strcmp_idx(parse(tests[i].line), tests[i].result,
				       i);
	} T_END;
	test_end();
}

#define NO_SCHEME \
	"the password has no scheme, expected {SCHEME} before it (the default "\
	"of the passdb, which is CRYPT if it is not set), or an empty column "\
	"for none"
#define NO_HASH \
	"the password is not a hash, expected \"$argon2id$...\" or another " \
	"one that starts with \"$NAME$\" or \"{SCHEME}\""
#define BAD_ID \
	" is not one that Dovecot takes, expected 1 to 4294967294, or a name"
#define NO_USERDB \
	": is none of the userdb, expected userdb_NAME=VALUE"
#define ONLY_USERDB \
	" cannot be taken over: a credential file has fields of the userdb only"

static void test_refused(void)
{
	static const struct {
		const char *line, *error;
	} tests[] = {
		{ "jane", "there is no password column, expected "
		  "USER:PASSWORD:UID:GID:GECOS:HOME:SHELL:EXTRA" },
		{ "ja\tne:" SHA, "the name of the user has a control "
		  "character, expected UTF-8 without control characters" },
		{ "\xff:" SHA, "the name of the user is not UTF-8, expected "
		  "UTF-8 without control characters" },
		{ "jane:" SECRET, NO_SCHEME },
		{ "jane:ab01FAX.bQRSU", NO_SCHEME },
		{ "jane:ab01FAX.bQRSU[13]", NO_SCHEME },
		{ "jane:!$6$salt$hash", NO_SCHEME },
		{ "jane:*", NO_SCHEME },
		{ "jane: " SHA, NO_SCHEME },
		{ "jane:$" SECRET, NO_HASH },
		{ "jane:{" SECRET, NO_HASH },
		{ "jane:{PLAIN", NO_HASH },
		{ "jane:{}" SECRET, NO_HASH },
		{ "jane:{SHA512-CRYPT}", NO_HASH },
		{ "jane:" SHA " ", "the password has a space, a control "
		  "character or one that is not ASCII at position 27, expected "
		  "a hash" },
		{ "jane:{PLAIN.b64}aHVudGVyMg==", "the password has the scheme "
		  "PLAIN, expected a hash that the password cannot be read "
		  "from" },
		{ "jane:{PLAIN-MD5}x", "the password has the scheme PLAIN-MD5, "
		  "expected a hash that the password cannot be read from" },
		{ "jane:{PLAIN}", "the password is empty, expected one behind "
		  "its scheme, or an empty column for none" },
		{ "jane:{CLEAR}:" SECRET, "the password is empty, expected one "
		  "behind its scheme, or an empty column for none" },
		{ "jane:" SHA ":0", "the uid" BAD_ID },
		{ "jane:" SHA ":000", "the uid" BAD_ID },
		{ "jane:" SHA ":4294967295", "the uid" BAD_ID },
		{ "jane:" SHA ":4294967296", "the uid" BAD_ID },
		{ "jane:" SHA "::0", "the gid" BAD_ID },
		{ "jane:" SHA ":\x01", "the uid: the value has a control "
		  "character, expected UTF-8 without control characters" },
		{ "jane:" SHA "::::/\xff", "the home: the value is not UTF-8, "
		  "expected UTF-8 without control characters" },
		{ "jane:" SHA "::::::nopassword",
		  "extra field 1: nopassword" ONLY_USERDB },
		{ "jane:" SHA "::::::userdb_x=1  allow_nets=192.0.2.0/24",
		  "extra field 2: allow_nets" ONLY_USERDB },
		{ "jane:" SHA "::::::proxy_maybe host=mail",
		  "extra field 1: proxy_maybe" ONLY_USERDB },
		{ "jane:" SHA "::::::user:protected=joe",
		  "extra field 1: user" ONLY_USERDB },
		{ "jane:" SHA "::::::" SECRET, "extra field 1" NO_USERDB },
		{ "jane:" SHA "::::::userdb_", "extra field 1" NO_USERDB },
		{ "jane:" SHA "::::::userdb_=x", "extra field 1" NO_USERDB },
		{ "jane:" SHA "::::::Userdb_x=1", "extra field 1" NO_USERDB },
		{ "jane:" SHA "::::::userdb_x*=1", "extra field 1: the name is "
		  "not the name of a field, expected 1 to 128 letters, digits "
		  "and \"-_./:+@\"" },
		{ "jane:" SHA "::::::userdb_x=a\tb", "extra field 1: the value "
		  "has a control character, expected UTF-8 without control "
		  "characters" },
		{ "jane:" SHA "::::::userdb_mail=mbox:/m/%u", "extra field 1: "
		  "the value has a %, by which Dovecot finds variables; a "
		  "credential file has none, expected what it stands for" },
		{ "jane:" SHA "::::::userdb_x=1 userdb_x=1", "extra field 2: "
		  "has been given before, also as a column" },
		{ "jane:" SHA "::::/h::userdb_home=/h", "extra field 1: "
		  "has been given before, also as a column" },
		{ "jane:" SHA ":::::::maildir:~/Maildir", "there is a column "
		  "behind the extra fields, where Dovecot 2.3 has the mail "
		  "location, expected it as userdb_mail=LOCATION among them" },
	};
	const char *error;
	unsigned int i;

	test_begin("passwd-file: what cannot be taken over");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		error = parse(tests[i].line);
		test_assert_strcmp_idx(error, tests[i].error, i);
		test_assert_idx(strstr(error, SECRET) == NULL, i);
	} T_END;
	test_end();
}

static string_t *many_fields(unsigned int count)
{
	string_t *line = t_str_new(1024);
	unsigned int i;

	str_append(line, "jane:" SHA ":1:1:::");
	for (i = 0; i < count; i++)
		str_printfa(line, "%cuserdb_%u=%u", i == 0 ? ':' : ' ', i, i);
	return line;
}

static void test_sizes(void)
{
	string_t *line;

	test_begin("passwd-file: sizes");
	/* uid and gid are fields, too */
	line = many_fields(CREDENTIAL_FIELDS_MAX - 2);
	test_assert(strstr(parse(str_c(line)), " userdb_61=61") != NULL);
	line = many_fields(CREDENTIAL_FIELDS_MAX - 1);
	test_assert_strcmp(parse(str_c(line)), "extra field 63: is one too "
			   "many, expected at most 64");

	line = t_str_new(1024);
	str_append(line, "jane:{PLAIN}");
	str_append_max(line, t_strdup_printf("%01000d", 7), SIZE_MAX);
	test_assert(strlen(parse(str_c(line))) == strlen("jane:- clear=") +
		    1000);
	line = t_str_new(1024);
	str_printfa(line, "jane:{SHA}%0507d", 7);
	test_assert_strcmp(parse(str_c(line)), t_strdup_printf(
		"jane:{SHA}%0507d", 7));
	str_append_c(line, '7');
	test_assert_strcmp(parse(str_c(line)), "the password has 513 octets, "
			   "expected a hash of at most 512");
	line = t_str_new(1024);
	str_printfa(line, "%0255d:" SHA, 7);
	test_assert(strstr(parse(str_c(line)), SHA) != NULL);
	str_insert(line, 0, "7");
	test_assert_strcmp(parse(str_c(line)), "the name of the user has 256 "
			   "octets, expected at most 255");
	test_end();
}

static void test_name(void)
{
	static const struct {
		const char *line, *name;
	} tests[] = {
		{ "", NULL },
		{ "#jane:x", NULL },
		{ ":x", NULL },
		/* it may be a password */
		{ SECRET, NULL },
		{ "ja\nne:x", NULL },
		{ "jane:", "jane" },
		{ "jane:x:y", "jane" },
	};
	unsigned int i;

	test_begin("passwd-file: name of a line");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		test_assert_strcmp_idx(passwd_file_get_name(tests[i].line),
				       tests[i].name, i);
	}
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_users,
		test_refused,
		test_sizes,
		test_name,
		NULL
	};
	return test_run(test_functions);
}
