/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "test-common.h"
#include "credential-check.h"
#include "credential-edit.h"
#include "test-credential-use.h"

enum edit {
	ADD,
	SET,
	REMOVE
};

/* A user who has nothing but a password. */
static struct credential_user make_user(const char *name, const char *hash)
{
	struct credential_user user;

	credential_user_init(&user, name, pool_datastack_create());
	user.password = hash;
	return user;
}

/* The new text, "0" or the error. */
static const char *
apply(const char *text, enum edit edit, const struct credential_user *user)
{
	string_t *dest = t_str_new(256);
	struct credentials *credentials;
	const char *error;
	int ret = 0;

	credentials = test_credentials_load(text, strlen(text), &error);
	if (credentials == NULL)
		return error;
	switch (edit) {
	case ADD:
		ret = credential_edit_add(credentials, user, dest, &error);
		break;
	case SET:
		ret = credential_edit_set(credentials, user, dest, &error);
		break;
	case REMOVE:
		ret = credential_edit_remove(credentials, user->name, dest,
					     &error);
		break;
	}
	credentials_deinit(&credentials);
	test_assert(ret > 0 || str_len(dest) == 0);
	return ret > 0 ? str_c(dest) : ret == 0 ? "0" : error;
}

#define A "\"a\":{\"password\":\"$1$a\",\"enabled\":true}"
#define B "\"b\":{\"password\":\"$1$b\",\"enabled\":true}"
/* as no printer writes it, and with what is wrong */
#define ODD "\"odd\":{ \"x\" : [1e2, {}], \"password\": 7 }"
#define BROKEN "\"broken\":{x y}"

static void test_edit(void)
{
	static const struct {
		enum edit edit;
		const char *name, *before, *after;
	} tests[] = {
		{ ADD, "a", TEST_FILE(""), TEST_FILE(A "\n") },
		{ ADD, "a", TEST_FILE(B "\n"), TEST_FILE(B ",\n" A "\n") },
		{ ADD, "a", TEST_FILE(ODD ",\n" BROKEN "\n"),
		  TEST_FILE(ODD ",\n" BROKEN ",\n" A "\n") },
		{ ADD, "a", TEST_FILE("\"a\":{}\n"), "0" },
		{ ADD, "broken", TEST_FILE(BROKEN "\n"), "0" },
		{ ADD, "a\"\\", TEST_FILE(""), TEST_FILE("\"a\\\"\\\\\":{"
		  "\"password\":\"$1$a\",\"enabled\":true}\n") },
		{ ADD, "a", "{\"x\":[1, 2.5],\"users\":{ \"b\": {}},"
		  "\"version\":1}",
		  "{\"x\":[1,2.5],\"version\":1,\"users\":{\n\"b\":{},\n"
		  A "\n}}\n" },
		{ ADD, "", TEST_FILE(""), "the name of the user is empty, "
		  "expected 1 to 255 octets" },
		{ ADD, "a\n", TEST_FILE(""), "the name of the user has a "
		  "control character, expected UTF-8 without control "
		  "characters" },
		{ ADD, "\xff", TEST_FILE(""), "the name of the user is not "
		  "UTF-8, expected UTF-8 without control characters" },
		{ SET, "a", TEST_FILE(""), "0" },
		{ SET, "a", TEST_FILE("\"ab\":{}\n"), "0" },
		{ SET, "a", TEST_FILE("\"a\":{}\n"), TEST_FILE(A "\n") },
		{ SET, "a", TEST_FILE("\"a\":{},\n" ODD ",\n" BROKEN "\n"),
		  TEST_FILE(A ",\n" ODD ",\n" BROKEN "\n") },
		{ SET, "a", TEST_FILE(ODD ",\n\"a\":{},\n" BROKEN "\n"),
		  TEST_FILE(ODD ",\n" A ",\n" BROKEN "\n") },
		{ SET, "a", TEST_FILE(BROKEN ",\n" ODD ",\n\"a\":{}\n"),
		  TEST_FILE(BROKEN ",\n" ODD ",\n" A "\n") },
		{ SET, "broken", TEST_FILE(A ",\n" BROKEN "\n"), "line 3 "
		  "column 11: user \"broken\": string or '}' expected" },
		/* what is unknown stays, what is known is what was set */
		{ SET, "a", TEST_FILE("\"a\":{\"x\":{\"y\":[null,-0.5]},"
		  "\"enabled\":false,\"password\":\"$1$z\",\"z\":\"\\u0007\","
		  "\"protocols\":[\"imap\"],\"fields\":{\"f\":\"g\"},"
		  "\"app_passwords\":[]}\n"),
		  TEST_FILE("\"a\":{\"x\":{\"y\":[null,-0.5]},\"enabled\":true,"
		  "\"password\":\"$1$a\",\"z\":\"\\u0007\"}\n") },
		{ SET, "odd", TEST_FILE(ODD ",\n" B "\n"), TEST_FILE("\"odd\":{"
		  "\"x\":[100.0,{}],\"password\":\"$1$a\",\"enabled\":true},\n"
		  B "\n") },
		{ REMOVE, "a", TEST_FILE(""), "0" },
		{ REMOVE, "a", TEST_FILE(A "\n"), TEST_FILE("") },
		{ REMOVE, "a", TEST_FILE(A ",\n" B "\n"), TEST_FILE(B "\n") },
		{ REMOVE, "a", TEST_FILE(B ",\n" A "\n"), TEST_FILE(B "\n") },
		{ REMOVE, "a", TEST_FILE(ODD ",\n" A ",\n" BROKEN "\n"),
		  TEST_FILE(ODD ",\n" BROKEN "\n") },
		{ REMOVE, "broken", TEST_FILE(ODD ",\n" BROKEN "\n"),
		  TEST_FILE(ODD "\n") },
		{ REMOVE, "b", TEST_FILE(A "\n"), "0" },
		{ REMOVE, "b", "{\"version\":1,\"y\":{},\"users\":{\n"
		  B "\n}}\n", "{\"version\":1,\"y\":{},\"users\":{\n}}\n" },
	};
	unsigned int i;

	test_begin("credential edit: add, set and remove");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		struct credential_user user =
			make_user(tests[i].name, "$1$a");

		test_assert_strcmp_idx(apply(tests[i].before, tests[i].edit,
					     &user), tests[i].after, i);
	} T_END;
	test_end();
}

static struct app_password make_app(const char *id, const char *hash)
{
	struct app_password app;

	app_password_init(&app, id, hash, pool_datastack_create());
	return app;
}

/* All that a user can have, into what test_credentials_show() shows. */
static void test_whole_user(void)
{
	static const char *const pop3[] = { "pop3", NULL };
	static const char *const both[] = { "imap", "pop3", NULL };
	struct credential_pair field = { "userdb_uid", "1000" };
	struct credential_pair setting = { "pop3_policy_quota", "100M/day" };
	struct credential_network network;
	struct credential_user user = make_user("jane", TEST_HASH);
	struct app_password app = make_app("k7qmx3", TEST_HASH);
	const char *error;

	test_begin("credential edit: a whole user");
	user.protocols = both;
	array_push_back(&user.fields, &field);
	field.name = "userdb_gid";
	field.value = "8";
	array_push_back(&user.fields, &field);
	app.label = "phone";
	app.created = 1795446000;
	app.expires = 1803222000;
	app.protocols = pop3;
	array_push_back(&app.settings, &setting);
	test_assert(credential_network_parse("192.0.2.0/24", &network,
					     &error) == 0);
	array_push_back(&app.networks, &network);
	test_assert(credential_network_parse("2001:db8::/32", &network,
					     &error) == 0);
	array_push_back(&app.networks, &network);
	array_push_back(&user.app_passwords, &app);
	test_assert_strcmp(apply(TEST_FILE(""), ADD, &user),
			   TEST_FILE(TEST_JANE "\n"));
	test_assert_strcmp(apply(TEST_FILE(TEST_JANE ",\n" A "\n"), SET,
				 &user),
			   TEST_FILE(TEST_JANE ",\n" A "\n"));

	/* and nothing of it is left */
	user = make_user("jane", NULL);
	user.enabled = FALSE;
	test_assert_strcmp(apply(TEST_FILE(TEST_JANE "\n"), SET, &user),
			   TEST_FILE("\"jane\":{\"enabled\":false}\n"));
	test_end();
}

static void test_app_passwords(void)
{
	struct credential_user user = make_user("a", NULL);
	struct app_password app = make_app("bbbbbb", "$1$b");

	test_begin("credential edit: unknown members of app passwords");
	/* of three one goes, one comes, and the order changes */
	app.label = "new";
	array_push_back(&user.app_passwords, &app);
	app = make_app("dddddd", "$1$d");
	array_push_back(&user.app_passwords, &app);
	app = make_app("aaaaaa", "$1$a");
	array_push_back(&user.app_passwords, &app);
	test_assert_strcmp(apply(TEST_FILE("\"a\":{\"app_passwords\":["
		"{\"x\":1,\"id\":\"aaaaaa\",\"hash\":\"$1$x\"},"
		"{\"id\":\"bbbbbb\",\"last\":{\"y\":[]},\"hash\":\"$1$y\","
		"\"expires\":7},"
		"{\"id\":\"cccccc\",\"hash\":\"$1$z\",\"z\":0}],\"w\":{}}\n"),
		SET, &user),
		TEST_FILE("\"a\":{\"app_passwords\":["
		"{\"id\":\"bbbbbb\",\"last\":{\"y\":[]},\"hash\":\"$1$b\","
		"\"label\":\"new\"},"
		"{\"id\":\"dddddd\",\"hash\":\"$1$d\"},"
		"{\"x\":1,\"id\":\"aaaaaa\",\"hash\":\"$1$a\"}],\"w\":{},"
		"\"enabled\":true}\n"));
	/* the same id twice */
	array_push_back(&user.app_passwords, &app);
	test_assert_strcmp(apply(TEST_FILE(""), ADD, &user),
		"app_passwords[3]: id \"aaaaaa\" is that of another one, "
		"expected each one once");
	test_end();
}

static void test_refused(void)
{
	struct credential_user user;
	struct app_password app;
	struct credential_pair pair;
	static const char *const bad_protocols[] = { "pop3", "\xff", NULL };

	test_begin("credential edit: what could not be read back");
	user = make_user("a", "$1$");
	test_assert(strstr(apply(TEST_FILE(""), ADD, &user),
			   "password is not a hash") != NULL);
	user = make_user("a", "hunter2");
	test_assert(strstr(apply(TEST_FILE("\"a\":{}\n"), SET, &user),
			   "password is not a hash") != NULL);
	user = make_user("a", "$1$\xff");
	test_assert_strcmp(apply(TEST_FILE(""), ADD, &user),
			   "password is not a string");
	user = make_user("a", NULL);
	user.protocols = bad_protocols;
	test_assert_strcmp(apply(TEST_FILE(""), ADD, &user),
			   "protocols[1]: is not a string");
	user = make_user("a", NULL);
	pair.name = "f";
	pair.value = "\xff";
	array_push_back(&user.fields, &pair);
	test_assert_strcmp(apply(TEST_FILE(""), ADD, &user),
			   "fields: f is not a string");
	user = make_user("a", NULL);
	pair.value = "";
	array_push_back(&user.fields, &pair);
	array_push_back(&user.fields, &pair);
	test_assert_strcmp(apply(TEST_FILE(""), ADD, &user),
			   "fields: a name is there twice, or is not UTF-8");
	user = make_user("a", NULL);
	app = make_app("aaaaaa", "$1$x");
	app.expires = -1;
	array_push_back(&user.app_passwords, &app);
	test_assert_strcmp(apply(TEST_FILE(""), ADD, &user),
		"app_passwords[0]: expires is not a whole number of 0 or more");
	user = make_user("a", NULL);
	app = make_app("aaaaaa", "$1$x");
	pair.name = "pop3_policy_\xff";
	array_push_back(&app.settings, &pair);
	array_push_back(&user.app_passwords, &app);
	test_assert_strcmp(apply(TEST_FILE(""), ADD, &user),
			   "settings: a name is there twice, or is not UTF-8");
	test_end();
}

/* Neither a line nor a file may become so large that it is refused then. */
static void test_sizes(void)
{
	struct credential_user user = make_user("a", NULL);
	ARRAY_TYPE(credential_user) users;
	string_t *text = str_new(default_pool, CREDENTIALS_MAX_SIZE);
	string_t *dest = str_new(default_pool, 1);
	struct credentials *credentials;
	const char *error;
	size_t size;

	test_begin("credential edit: sizes");
	str_append(text, "{\"version\":1,\"users\":{\n\"a\":{\"x\":\"");
	size = CREDENTIAL_USER_MAX_SIZE - strlen("\"a\":{\"x\":\"\"}");
	memset(buffer_append_space_unsafe(text, size), 'x', size);
	str_append(text, "\"}\n}}\n");
	credentials = test_credentials_load(str_data(text), str_len(text),
					    &error);
	test_assert(credentials != NULL);
	test_assert(credential_edit_set(credentials, &user, dest, &error) < 0);
	test_assert_strcmp(error, "1048591 octets, expected at most 1048576");
	credentials_deinit(&credentials);

	str_truncate(text, 0);
	str_append(text, "{\"version\":1,\"users\":{\n\"x\":{\"");
	size = CREDENTIALS_MAX_SIZE - str_len(text) - strlen("\"}\n}}\n");
	memset(buffer_append_space_unsafe(text, size), 'x', size);
	str_append(text, "\"}\n}}\n");
	credentials = test_credentials_load(str_data(text), str_len(text),
					    &error);
	test_assert(credentials != NULL);
	test_assert(credential_edit_add(credentials, &user, dest, &error) < 0);
	test_assert_strcmp(error, "the file would have 67108886 octets, "
			   "expected at most 67108864");
	test_assert(str_len(dest) == 0);
	t_array_init(&users, 1);
	array_push_back(&users, &user);
	test_assert(credential_edit_put(credentials, &users, dest, &error) < 0);
	test_assert_strcmp(error, "the file would have 67108886 octets, "
			   "expected at most 67108864");
	test_assert(str_len(dest) == 0);
	credentials_deinit(&credentials);
	str_free(&dest);
	str_free(&text);
	test_end();
}

/* The new text, or the error; each letter is the name of a user. */
static const char *put(const char *text, const char *names)
{
	ARRAY_TYPE(credential_user) users;
	string_t *dest = t_str_new(256);
	struct credentials *credentials;
	struct credential_user user;
	const char *error;
	int ret;

	t_array_init(&users, 4);
	for (; *names != '\0'; names++) {
		user = make_user(t_strndup(names, 1), "$1$a");
		array_push_back(&users, &user);
	}
	credentials = test_credentials_load(text, strlen(text), &error);
	str_append(dest, "-");
	ret = credential_edit_put(credentials, &users, dest, &error);
	credentials_deinit(&credentials);
	test_assert(ret > 0 || (ret < 0 && str_len(dest) == 1));
	return ret > 0 ? str_c(dest) + 1 : error;
}

#define PUT(name) "\"" name "\":{\"password\":\"$1$a\",\"enabled\":true}"

static void test_put(void)
{
	static const struct {
		const char *names, *before, *after;
	} tests[] = {
		{ "", TEST_FILE(""), TEST_FILE("") },
		{ "", TEST_FILE(B "\n"), TEST_FILE(B "\n") },
		{ "a", TEST_FILE(""), TEST_FILE(A "\n") },
		{ "a", TEST_FILE(B "\n"), TEST_FILE(B ",\n" A "\n") },
		{ "dca", TEST_FILE(""), TEST_FILE(PUT("d") ",\n" PUT("c") ",\n"
		  A "\n") },
		{ "b", TEST_FILE(B "\n"), TEST_FILE(PUT("b") "\n") },
		{ "a", TEST_FILE(ODD ",\n\"a\":{\"x\":1},\n" B "\n"),
		  TEST_FILE(ODD ",\n\"a\":{\"x\":1,\"password\":\"$1$a\","
		  "\"enabled\":true},\n" B "\n") },
		{ "zbya", TEST_FILE(A ",\n" ODD ",\n" B ",\n" BROKEN "\n"),
		  TEST_FILE(A ",\n" ODD ",\n" PUT("b") ",\n" BROKEN ",\n"
		  PUT("z") ",\n" PUT("y") "\n") },
		{ "ba", TEST_FILE("\"a\":{},\n\"b\":{}\n"),
		  TEST_FILE(A ",\n" PUT("b") "\n") },
		{ "aba", TEST_FILE(B "\n"), "a user is there twice, expected "
		  "each one once" },
		{ "ca", TEST_FILE("\"a\":{x},\n" B "\n"), "line 2 column 6: "
		  "user \"a\": string or '}' expected" },
		{ "c\t", TEST_FILE(B "\n"), "user ?: the name of the user has "
		  "a control character, expected UTF-8 without control "
		  "characters" },
	};
	unsigned int i;

	test_begin("credential edit: put");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		test_assert_strcmp_idx(put(tests[i].before, tests[i].names),
				       tests[i].after, i);
	} T_END;
	test_end();
}

/* Not one pass over the file for each user. */
static void test_put_many(void)
{
	const unsigned int count = 20000;
	ARRAY_TYPE(credential_user) users;
	string_t *dest = str_new(default_pool, 1024);
	struct credentials *credentials;
	struct credential_user user;
	const char *error;
	unsigned int i;

	test_begin("credential edit: put many");
	t_array_init(&users, count);
	for (i = 0; i < count; i++) {
		user = make_user(t_strdup_printf("user%u", i), "$1$a");
		array_push_back(&users, &user);
	}
	credentials = credentials_init_empty();
	test_assert(credential_edit_put(credentials, &users, dest, &error) > 0);
	credentials_deinit(&credentials);
	credentials = test_credentials_load(str_data(dest), str_len(dest),
					    &error);
	test_assert(credentials != NULL &&
		    credentials_count(credentials) == count);
	/* each is there: the text is the same */
	str_truncate(dest, 0);
	test_assert(credential_edit_put(credentials, &users, dest, &error) > 0);
	credentials_deinit(&credentials);
	credentials = test_credentials_load(str_data(dest), str_len(dest),
					    &error);
	test_assert(credentials != NULL &&
		    credentials_count(credentials) == count);
	credentials_deinit(&credentials);
	str_free(&dest);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_edit,
		test_whole_user,
		test_app_passwords,
		test_refused,
		test_sizes,
		test_put,
		test_put_many,
		NULL
	};
	return test_run(test_functions);
}
