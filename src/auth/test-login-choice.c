/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "test-common.h"
#include "credential.h"
#include "login-choice.h"

#define NOW 1795446000
#define MAIN "$argon2id$main"
#define PHONE "$argon2id$phone"
#define TABLET "$argon2id$tablet"

#define PHONE_ID "k7qmx3"
#define TABLET_ID "abcdef"
#define OTHER_ID "zzzzzz"
#define SECRET "abcdefghjkmnpqrstuvwxyz23"
#define GROUPS "-abcde-fghjk-mnpqr-stuvw-xyz23"

static const char *const pop3_only[] = { "pop3", NULL };
static const char *const imap_and_pop3[] = { "imap", "pop3", NULL };

static struct app_password *
add_app(struct credential_user *user, const char *id, const char *hash,
	pool_t pool)
{
	struct app_password *app = array_append_space(&user->app_passwords);

	app_password_init(app, id, hash, pool);
	return app;
}

/* A user with two app passwords, or without any. */
static void init_user(struct credential_user *user_r, bool apps, pool_t pool)
{
	credential_user_init(user_r, "jane", pool);
	user_r->password = MAIN;
	if (apps) {
		(void)add_app(user_r, PHONE_ID, PHONE, pool);
		(void)add_app(user_r, TABLET_ID, TABLET, pool);
	}
}

static const struct {
	const char *typed;
	const char *hash;
	/* NULL if it is what was typed */
	const char *secret;
	const char *id;
} hash_tests[] = {
	{ "secret", MAIN, NULL, NULL },
	{ "", MAIN, NULL, NULL },
	{ " Correct-horse battery ", MAIN, NULL, NULL },
	{ PHONE_ID GROUPS, PHONE, SECRET, PHONE_ID },
	{ TABLET_ID GROUPS, TABLET, SECRET, TABLET_ID },
	{ TABLET_ID SECRET, TABLET, SECRET, TABLET_ID },
	{ "K7QMX3-ABCDE-FGHJK-MNPQR-STUVW-XYZ23", PHONE, SECRET, PHONE_ID },
	{ " k7q mx3 abcde fghjk mnpqr stuvw xyz23 ", PHONE, SECRET, PHONE_ID },
	{ "K7q-mx3aBcde - fghjkmnpqrstuvwxyz23-", PHONE, SECRET, PHONE_ID },
	/* no such device, so that it may be the main password */
	{ OTHER_ID GROUPS, MAIN, NULL, NULL },
	{ OTHER_ID SECRET, MAIN, NULL, NULL },
	{ "ZZZZZZ-ABCDE-FGHJK-MNPQR-STUVW-XYZ23", MAIN, NULL, NULL },
	/* the id alone, and what is too short, too long or has other letters */
	{ PHONE_ID, MAIN, NULL, NULL },
	{ SECRET, MAIN, NULL, NULL },
	{ PHONE_ID GROUPS "2", MAIN, NULL, NULL },
	{ PHONE_ID "-abcde-fghjk-mnpqr-stuvw-xyz2", MAIN, NULL, NULL },
	{ PHONE_ID "-abcde-fghjk-mnpqr-stuvw-xyz20", MAIN, NULL, NULL },
	{ PHONE_ID GROUPS "\n", MAIN, NULL, NULL },
};

/* One of the hash tests, for the user, who may be NULL, and who has the app
   passwords or has none. */
static void
run_hash_test(const struct credential_user *user, bool apps, unsigned int i)
{
	static const struct app_password_code no_code;
	const char *typed = hash_tests[i].typed;
	const bool app = apps && hash_tests[i].id != NULL;
	struct login_choice choice;

	memset(&choice, 0xff, sizeof(choice));
	login_choice_make(user, typed, "pop3", NOW, &choice);
	if (app) {
		test_assert_strcmp_idx(choice.hash, hash_tests[i].hash, i);
		test_assert_strcmp_idx(choice.secret, hash_tests[i].secret, i);
		test_assert_idx(choice.secret == choice.code.secret, i);
		test_assert_strcmp_idx(choice.code.id, hash_tests[i].id, i);
		test_assert_idx(choice.app != NULL, i);
		test_assert_strcmp_idx(choice.app->id, hash_tests[i].id, i);
		test_assert_strcmp_idx(login_choice_device(&choice),
				       hash_tests[i].id, i);
	} else {
		test_assert_strcmp_idx(choice.hash,
			user == NULL ? NULL : user->password, i);
		test_assert_idx(choice.secret == typed, i);
		test_assert_idx(memcmp(&choice.code, &no_code,
				       sizeof(no_code)) == 0, i);
		test_assert_idx(choice.app == NULL, i);
		test_assert_strcmp_idx(login_choice_device(&choice), NULL, i);
	}
	test_assert_idx(choice.verdict == LOGIN_ALLOWED, i);
	login_choice_wipe(&choice);
}

static void test_hashes(void)
{
	pool_t pool = pool_alloconly_create("test login choice", 4096);
	struct credential_user user, without_apps, without_main;
	struct login_choice choice;
	unsigned int i;

	test_begin("login choice: which hash");
	init_user(&user, TRUE, pool);
	init_user(&without_apps, FALSE, pool);
	init_user(&without_main, TRUE, pool);
	without_main.password = NULL;
	for (i = 0; i < N_ELEMENTS(hash_tests); i++) {
		login_choice_make(&user, hash_tests[i].typed, "pop3", NOW,
				  &choice);
		test_assert_strcmp_idx(choice.hash, hash_tests[i].hash, i);
		login_choice_wipe(&choice);
		run_hash_test(&user, TRUE, i);
		run_hash_test(&without_apps, FALSE, i);
		run_hash_test(&without_main, TRUE, i);
		run_hash_test(NULL, FALSE, i);
	}
	pool_unref(&pool);
	test_end();
}

static const struct {
	/* of the user */
	bool disabled;
	const char *const *main_protocols;
	/* of the app password */
	time_t expires;
	const char *const *app_protocols;

	const char *protocol;
	enum login_verdict main, app;
} verdict_tests[] = {
	{ FALSE, NULL, 0, NULL, "pop3", LOGIN_ALLOWED, LOGIN_ALLOWED },
	{ FALSE, NULL, 0, NULL, "", LOGIN_ALLOWED, LOGIN_ALLOWED },
	/* each has its own protocols */
	{ FALSE, pop3_only, 0, NULL, "pop3", LOGIN_ALLOWED, LOGIN_ALLOWED },
	{ FALSE, pop3_only, 0, NULL, "imap",
	  LOGIN_PROTOCOL_BARRED, LOGIN_ALLOWED },
	{ FALSE, NULL, 0, pop3_only, "imap",
	  LOGIN_ALLOWED, LOGIN_PROTOCOL_BARRED },
	{ FALSE, imap_and_pop3, 0, pop3_only, "pop3",
	  LOGIN_ALLOWED, LOGIN_ALLOWED },
	{ FALSE, imap_and_pop3, 0, pop3_only, "imap",
	  LOGIN_ALLOWED, LOGIN_PROTOCOL_BARRED },
	{ FALSE, pop3_only, 0, imap_and_pop3, "imap",
	  LOGIN_PROTOCOL_BARRED, LOGIN_ALLOWED },
	{ FALSE, pop3_only, 0, pop3_only, "pop",
	  LOGIN_PROTOCOL_BARRED, LOGIN_PROTOCOL_BARRED },
	{ FALSE, pop3_only, 0, pop3_only, "pop3s",
	  LOGIN_PROTOCOL_BARRED, LOGIN_PROTOCOL_BARRED },
	{ FALSE, pop3_only, 0, pop3_only, "",
	  LOGIN_PROTOCOL_BARRED, LOGIN_PROTOCOL_BARRED },
	{ FALSE, imap_and_pop3, 0, imap_and_pop3, "submission",
	  LOGIN_PROTOCOL_BARRED, LOGIN_PROTOCOL_BARRED },
	/* the time is over with its first second */
	{ FALSE, NULL, NOW + 1, NULL, "pop3", LOGIN_ALLOWED, LOGIN_ALLOWED },
	{ FALSE, NULL, NOW, NULL, "pop3",
	  LOGIN_ALLOWED, LOGIN_PASSWORD_EXPIRED },
	{ FALSE, NULL, NOW - 1, NULL, "pop3",
	  LOGIN_ALLOWED, LOGIN_PASSWORD_EXPIRED },
	{ FALSE, NULL, 1, NULL, "pop3", LOGIN_ALLOWED, LOGIN_PASSWORD_EXPIRED },
	/* the reason that cannot be mended by using it in another way */
	{ FALSE, pop3_only, NOW, pop3_only, "imap",
	  LOGIN_PROTOCOL_BARRED, LOGIN_PASSWORD_EXPIRED },
	{ TRUE, NULL, 0, NULL, "pop3",
	  LOGIN_USER_DISABLED, LOGIN_USER_DISABLED },
	{ TRUE, pop3_only, NOW, pop3_only, "imap",
	  LOGIN_USER_DISABLED, LOGIN_USER_DISABLED },
};

static enum login_verdict
get_verdict(const struct credential_user *user, const char *typed,
	    const char *protocol)
{
	struct login_choice choice;
	enum login_verdict verdict;

	login_choice_make(user, typed, protocol, NOW, &choice);
	/* the time that it takes is that of any other one */
	test_assert(choice.hash != NULL && choice.secret != NULL);
	verdict = choice.verdict;
	login_choice_wipe(&choice);
	return verdict;
}

static void test_verdicts(void)
{
	pool_t pool = pool_alloconly_create("test login choice", 4096);
	struct credential_user user;
	struct app_password *app;
	unsigned int i;

	test_begin("login choice: what becomes of it");
	for (i = 0; i < N_ELEMENTS(verdict_tests); i++) {
		init_user(&user, TRUE, pool);
		user.enabled = !verdict_tests[i].disabled;
		if (verdict_tests[i].main_protocols != NULL)
			user.protocols = verdict_tests[i].main_protocols;
		app = array_idx_modifiable(&user.app_passwords, 1);
		app->expires = verdict_tests[i].expires;
		if (verdict_tests[i].app_protocols != NULL)
			app->protocols = verdict_tests[i].app_protocols;
		test_assert_idx(get_verdict(&user, "secret",
				verdict_tests[i].protocol) ==
				verdict_tests[i].main, i);
		/* has the form of an app password */
		test_assert_idx(get_verdict(&user, OTHER_ID GROUPS,
				verdict_tests[i].protocol) ==
				verdict_tests[i].main, i);
		test_assert_idx(get_verdict(&user, TABLET_ID GROUPS,
				verdict_tests[i].protocol) ==
				verdict_tests[i].app, i);
		/* of the one above nothing holds for this one */
		test_assert_idx(get_verdict(&user, PHONE_ID GROUPS,
				verdict_tests[i].protocol) ==
				(user.enabled ? LOGIN_ALLOWED :
				 LOGIN_USER_DISABLED), i);
	}
	pool_unref(&pool);
	test_end();
}

/* Each of as many as a user can have is found. */
static void test_many_apps(void)
{
	pool_t pool = pool_alloconly_create("test login choice", 16384);
	struct credential_user user;
	struct login_choice choice;
	char id[] = "aaaaaa";
	unsigned int i;

	test_begin("login choice: many app passwords");
	init_user(&user, FALSE, pool);
	for (i = 0; i < APP_PASSWORDS_MAX; i++) {
		id[4] = APP_PASSWORD_ID_ALPHABET[i / 10];
		id[5] = APP_PASSWORD_ID_ALPHABET[i % 10];
		(void)add_app(&user, p_strdup(pool, id),
			      p_strdup_printf(pool, "$1$%s", id), pool);
	}
	for (i = 0; i < APP_PASSWORDS_MAX; i++) {
		const struct app_password *app =
			array_idx(&user.app_passwords, i);

		login_choice_make(&user, t_strconcat(app->id, GROUPS, NULL),
				  "pop3", NOW, &choice);
		test_assert_idx(choice.app == app, i);
		test_assert_idx(choice.hash == app->hash, i);
		login_choice_wipe(&choice);
	}
	pool_unref(&pool);
	test_end();
}

static const struct {
	const char *label, *device;
} device_tests[] = {
	{ "phone", "phone" },
	{ "Telef\xc3\xb3n", "Telef\xc3\xb3n" },
	{ "", PHONE_ID },
	{ "none", PHONE_ID },
	{ "my phone", PHONE_ID },
	{ " phone", PHONE_ID },
	{ "a,b", PHONE_ID },
	{ "\"phone\"", PHONE_ID },
	{ "1234567890123456789012345678901234567890123456789012345678901234",
	  "1234567890123456789012345678901234567890123456789012345678901234" },
	{ "12345678901234567890123456789012345678901234567890123456789012345",
	  PHONE_ID },
};

static void test_devices(void)
{
	pool_t pool = pool_alloconly_create("test login choice", 4096);
	struct credential_user user;
	struct login_choice choice;
	struct app_password *phone;
	unsigned int i;

	test_begin("login choice: names of devices");
	init_user(&user, TRUE, pool);
	phone = array_idx_modifiable(&user.app_passwords, 0);
	for (i = 0; i < N_ELEMENTS(device_tests); i++) {
		phone->label = device_tests[i].label;
		login_choice_make(&user, PHONE_ID GROUPS, "pop3", NOW, &choice);
		test_assert_strcmp_idx(login_choice_device(&choice),
				       device_tests[i].device, i);
		login_choice_wipe(&choice);
		login_choice_make(&user, "secret", "pop3", NOW, &choice);
		test_assert_strcmp_idx(login_choice_device(&choice), NULL, i);
		login_choice_wipe(&choice);
	}
	pool_unref(&pool);
	test_end();
}

static void test_wipe(void)
{
	pool_t pool = pool_alloconly_create("test login choice", 4096);
	struct credential_user user;
	struct login_choice choice;
	const unsigned char *p = (const void *)&choice;
	unsigned int i;

	test_begin("login choice: nothing is left");
	init_user(&user, TRUE, pool);
	login_choice_make(&user, PHONE_ID GROUPS, "pop3", NOW, &choice);
	login_choice_wipe(&choice);
	for (i = 0; i < sizeof(choice); i++)
		test_assert_idx(p[i] == 0, i);
	pool_unref(&pool);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_hashes,
		test_verdicts,
		test_many_apps,
		test_devices,
		test_wipe,
		NULL
	};
	return test_run(test_functions);
}
