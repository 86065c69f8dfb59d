/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "test-common.h"
#include "credential-store.h"
#include "last-used.h"
#include "password-hash.h"
#include "after-login.h"
#include "test-credential-use.h"
#include "test-home.h"

#include <sys/stat.h>

#define OLD_HASH "$1$old"
#define SECRET "correct horse"
#define TEXT TEST_FILE("\"jane\":{\"password\":\"" OLD_HASH "\"}\n")

/* The least that libsodium takes. */
static const struct password_hasher_settings settings = {
	.opslimit = 1,
	.memlimit = 8192,
	.max = { .memory = 8192, .work = 8192 }
};

static struct ioloop *ioloop;
static struct password_hasher *hasher;
static struct credential_store *store;
static struct after_logins *logins;

static const char *path(void)
{
	return test_home_path("credentials.json");
}

static void begin(void)
{
	const char *error;

	ioloop = io_loop_create();
	test_home_begin();
	test_file_write(path(), TEXT);
	if (password_hasher_init(&settings, &hasher, &error) < 0)
		i_fatal("%s", error);
	store = credential_store_init(0, NULL);
	logins = after_logins_init(hasher, store, NULL);
}

static void end(void)
{
	if (logins != NULL)
		after_logins_deinit(&logins);
	credential_store_deinit(&store);
	password_hasher_deinit(&hasher);
	test_home_end();
	io_loop_destroy(&ioloop);
}

/* A login of which nothing else is left. */
static void add(const char *old_hash)
{
	char secret[] = SECRET;
	struct after_login login = {
		.path = path(),
		.user_name = "jane",
		.id = "",
		.address = "192.0.2.1",
		.old_hash = old_hash,
		.secret = secret
	};

	after_logins_add(logins, &login);
	memset(secret, 'x', sizeof(secret) - 1);
}

static void stop(void *context ATTR_UNUSED)
{
	io_loop_stop(ioloop);
}

static void run_loop(void)
{
	struct timeout *to = timeout_add_short(20, stop, (void *)NULL);

	io_loop_run(ioloop);
	timeout_remove(&to);
}

/* The hash of jane in the file, by a store that reads it. */
static const char *get_hash_by(struct credential_store *reader)
{
	struct credential_user user;
	const char *error;

	if (credential_store_find(reader, path(), NULL, "jane", ioloop_time,
				  pool_datastack_create(), &user, &error) <= 0)
		i_fatal("%s", error);
	return user.password;
}

static const char *get_hash(void)
{
	struct credential_store *reader = credential_store_init(0, NULL);
	const char *hash = get_hash_by(reader);

	credential_store_deinit(&reader);
	return hash;
}

static unsigned int count_uses(void)
{
	struct last_used *used = last_used_init(path());
	ARRAY_TYPE(last_use) uses;
	const char *error;

	t_array_init(&uses, 4);
	if (last_used_get(used, "jane", pool_datastack_create(), &uses,
			  &error) < 0)
		i_fatal("%s", error);
	last_used_deinit(&used);
	return array_count(&uses);
}

static void test_old_hash(void)
{
	const char *error;

	test_begin("after login: an old hash is replaced, but not at once");
	begin();
	add(OLD_HASH);
	test_assert(strcmp(get_hash(), OLD_HASH) == 0);
	test_assert(count_uses() == 0);
	run_loop();
	test_assert(password_hasher_verify(hasher, get_hash(), SECRET,
					   &error) == PASSWORD_VERIFY_MATCH);
	test_assert(count_uses() == 1);
	end();
	test_end();
}

static void test_good_hash(void)
{
	test_begin("after login: a good hash stays");
	begin();
	add(NULL);
	run_loop();
	test_assert(strcmp(test_file_read(path()), TEXT) == 0);
	test_assert(count_uses() == 1);
	end();
	test_end();
}

static void test_deinit(void)
{
	test_begin("after login: what waits is done at the end");
	begin();
	add(OLD_HASH);
	add(NULL);
	after_logins_deinit(&logins);
	test_assert(strcmp(get_hash(), OLD_HASH) != 0);
	test_assert(count_uses() == 1);
	end();
	test_end();
}

static void test_changed(void)
{
	test_begin("after login: a hash that somebody has changed stays");
	begin();
	add("$1$other");
	run_loop();
	test_assert(strcmp(test_file_read(path()), TEXT) == 0);
	end();
	test_end();
}

static void test_trouble(void)
{
	test_begin("after login: trouble is logged once");
	begin();
	test_file_write(path(), "{");
	test_expect_errors(1);
	add(OLD_HASH);
	run_loop();
	test_expect_no_more_errors();
	add(OLD_HASH);
	run_loop();
	test_assert(strcmp(test_file_read(path()), "{") == 0);
	end();
	test_end();
}

static void test_copy(void)
{
	const char *copy_path;

	test_begin("after login: a copy of what was read");
	begin();
	copy_path = t_strconcat(path(), ".good", NULL);
	test_assert(strcmp(get_hash_by(store), OLD_HASH) == 0);
	add(OLD_HASH);
	test_assert(test_file_read(copy_path) == NULL);
	run_loop();
	/* the file has another hash by now */
	test_assert(strcmp(get_hash(), OLD_HASH) != 0);
	test_assert(null_strcmp(test_file_read(copy_path), TEXT) == 0);
	end();

	begin();
	copy_path = t_strconcat(path(), ".good", NULL);
	test_assert(strcmp(get_hash_by(store), OLD_HASH) == 0);
	if (mkdir(copy_path, 0700) < 0)
		i_fatal("mkdir() failed: %m");
	test_expect_error_string("cannot keep a copy of ");
	add(NULL);
	run_loop();
	/* it fails again, which is not said again */
	ioloop_time += 60;
	add(NULL);
	after_logins_deinit(&logins);
	test_expect_no_more_errors();
	end();
	test_end();
}

static void test_no_rights(void)
{
	const char *name;

	test_begin("after login: nothing is tried where nothing can be written");
	begin();
	test_assert(strcmp(get_hash_by(store), OLD_HASH) == 0);
	test_user_begin();
	if (chmod(test_home_path("."), 0500) < 0)
		i_fatal("chmod() failed: %m");
	add(OLD_HASH);
	run_loop();
	test_assert(test_dir_count(test_home_path("."), "credentials.json.",
				   &name) == 0);
	if (chmod(test_home_path("."), 0700) < 0)
		i_fatal("chmod() failed: %m");
	test_user_end();
	test_assert(strcmp(test_file_read(path()), TEXT) == 0);
	end();
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_old_hash,
		test_good_hash,
		test_deinit,
		test_changed,
		test_trouble,
		test_copy,
		test_no_rights,
		NULL
	};

	return test_run(test_functions);
}
