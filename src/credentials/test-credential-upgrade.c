/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "test-common.h"
#include "credential-edit.h"
#include "credential-file.h"
#include "credential-upgrade.h"
#include "test-credential-use.h"
#include "test-home.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME "credentials.json"
#define NEW_HASH "$argon2id$v=19$m=65536,t=2,p=1$c2FsdA$aGFzaA"
#define ROUNDS 12

/* As nobody's printer writes them: wrong, or with more than we know. */
#define ODD "\"odd\":{ \"password\":5,  \"x\":[1.50] }"
#define KIM(main, app) \
	"\"kim\":{\"password\":\"" main "\",\"enabled\":true,\"new\":[1]," \
	"\"app_passwords\":[{\"id\":\"k7qmx3\",\"hash\":\"" app "\"," \
	"\"label\":\"phone\",\"more\":{}},{\"id\":\"aaaaaa\"," \
	"\"hash\":\"$1$third\"}]}"
#define TEXT(main, app) \
	TEST_FILE(TEST_JOE ",\n" KIM(main, app) ",\n" ODD "\n")

static const char *path(void)
{
	return test_home_path(NAME);
}

static int upgrade(const char *name, const char *id, const char *old_hash,
		   const char *new_hash, const char **error_r)
{
	int ret;

	*error_r = NULL;
	ret = credential_upgrade_hash(path(), name, id, old_hash, new_hash, 0,
				      error_r);
	test_assert(ret >= 0 || *error_r != NULL);
	return ret;
}

static void test_table(void)
{
	static const struct {
		const char *name, *id, *old_hash;
		int ret;
		/* NULL if nothing changes */
		const char *text;
	} tests[] = {
		{ "kim", "", "$1$main", 1, TEXT(NEW_HASH, "$1$app") },
		{ "kim", "k7qmx3", "$1$app", 1, TEXT("$1$main", NEW_HASH) },
		/* somebody changed it */
		{ "kim", "", "$1$other", 0, NULL },
		{ "kim", "", "$1$mai", 0, NULL },
		{ "kim", "", "$1$app", 0, NULL },
		{ "kim", "", "", 0, NULL },
		{ "kim", "k7qmx3", "$1$main", 0, NULL },
		{ "kim", "k7qmx3", "$1$third", 0, NULL },
		/* or removed it */
		{ "kim", "bbbbbb", "$1$app", 0, NULL },
		{ "joe", "k7qmx3", "$1$app", 0, NULL },
		{ "ki", "", "$1$main", 0, NULL },
		/* what is said of this user is wrong */
		{ "odd", "", "$1$main", -1, NULL },
	};
	const char *text = TEXT("$1$main", "$1$app"), *error;
	unsigned int i;

	test_begin("credential upgrade: a hash in the place of another one");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		test_home_begin();
		test_file_write(path(), text);
		test_assert_idx(upgrade(tests[i].name, tests[i].id,
					tests[i].old_hash, NEW_HASH, &error) ==
				tests[i].ret, i);
		test_assert_strcmp_idx(test_file_read(path()),
				       tests[i].text == NULL ? text :
				       tests[i].text, i);
		test_assert_idx(test_file_mode(path()) == 0600, i);
		if (tests[i].ret < 0) {
			test_assert_strcmp_idx(error, t_strconcat(path(),
				": line 4 column 1: user \"odd\": password is "
				"not a string", NULL), i);
		}
		/* the lock is gone again */
		test_assert_idx(upgrade("kim", "aaaaaa", "$1$third", NEW_HASH,
					&error) == 1, i);
		test_home_end();
	} T_END;
	test_end();
}

static void test_no_main_password(void)
{
	static const char *const text = TEST_FILE("\"kim\":{}\n");
	const char *error;

	test_begin("credential upgrade: a password that is gone");
	test_home_begin();
	test_file_write(path(), text);
	test_assert(upgrade("kim", "", "$1$main", NEW_HASH, &error) == 0);
	test_assert_strcmp(test_file_read(path()), text);
	i_unlink(path());
	test_assert(upgrade("kim", "", "$1$main", NEW_HASH, &error) == 0);
	test_assert(test_file_mode(path()) == 0);
	test_home_end();
	test_end();
}

static void test_broken(void)
{
	static const char *const broken[] = {
		"", "{", "{\"version\":2,\"users\":{}}",
		TEST_FILE(KIM("$1$main", "$1$app") "\n" TEST_JOE "\n"),
		TEST_FILE(KIM("$1$main", "$1$app") ",\n"
			  KIM("$1$main", "$1$app") "\n"),
	};
	static const char *const no_hashes[] = {
		"", "password", "{PLAIN}password", "$1$", "$1$\xff",
	};
	const char *text = TEXT("$1$main", "$1$app"), *error;
	unsigned int i;

	test_begin("credential upgrade: a broken file, and no hash");
	test_home_begin();
	for (i = 0; i < N_ELEMENTS(broken); i++) T_BEGIN {
		test_file_write(path(), broken[i]);
		test_assert_idx(upgrade("kim", "", "$1$main", NEW_HASH,
					&error) < 0, i);
		test_assert_idx(strstr(error, path()) != NULL, i);
		test_assert_strcmp_idx(test_file_read(path()), broken[i], i);
	} T_END;
	test_file_write(path(), text);
	for (i = 0; i < N_ELEMENTS(no_hashes); i++) T_BEGIN {
		test_assert_idx(upgrade("kim", "", "$1$main", no_hashes[i],
					&error) < 0, i);
		test_assert_idx(strncmp(error, "the new hash ", 13) == 0, i);
		test_assert_strcmp_idx(test_file_read(path()), text, i);
	} T_END;
	test_assert(credential_upgrade_hash(test_home_path("none/"NAME), "kim",
					    "", "$1$main", NEW_HASH, 0,
					    &error) < 0);
	test_user_begin();
	test_file_write(test_home_path("own"), text);
	if (chmod(test_home_path(""), 0500) < 0)
		i_fatal("chmod() failed: %m");
	test_assert(credential_upgrade_hash(test_home_path("own"), "kim", "",
					    "$1$main", NEW_HASH, 0,
					    &error) < 0);
	test_assert_strcmp(test_file_read(test_home_path("own")), text);
	/* it can be locked, but not written */
	if (chmod(test_home_path(""), 0700) < 0)
		i_fatal("chmod() failed: %m");
	test_file_write(test_home_path("own.lock"), "");
	if (chmod(test_home_path(""), 0500) < 0)
		i_fatal("chmod() failed: %m");
	error = NULL;
	test_assert(credential_upgrade_hash(test_home_path("own"), "kim", "",
					    "$1$main", NEW_HASH, 0,
					    &error) < 0);
	test_assert(error != NULL && strstr(error, "own.tmp") != NULL);
	test_assert_strcmp(test_file_read(test_home_path("own")), text);
	if (chmod(test_home_path(""), 0700) < 0)
		i_fatal("chmod() failed: %m");
	test_user_end();
	test_home_end();
	test_end();
}

/* Dovecot's processes do not die of it either. */
static void on_alarm(int signo ATTR_UNUSED)
{
}

static void test_locked(void)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	const char *text = TEXT("$1$main", "$1$app"), *error;
	struct credential_file_edit *edit;
	int fds[2], status;
	char byte;
	pid_t pid;

	test_begin("credential upgrade: locked by another one");
	test_home_begin();
	test_file_write(path(), text);
	if (sigaction(SIGALRM, &action, NULL) < 0 || pipe(fds) < 0 ||
	    (pid = fork()) == -1)
		i_fatal("fork() failed: %m");
	if (pid == 0) {
		if (credential_file_edit_begin(path(), 0, &edit, &error) <= 0 ||
		    write(fds[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	i_close_fd(&fds[1]);
	test_assert(read(fds[0], &byte, 1) == 1);
	test_assert(upgrade("kim", "", "$1$main", NEW_HASH, &error) == 0);
	test_assert(credential_upgrade_hash(path(), "kim", "", "$1$main",
					    NEW_HASH, 1, &error) == 0);
	test_assert_strcmp(test_file_read(path()), text);
	test_assert(kill(pid, SIGKILL) == 0);
	test_assert(waitpid(pid, &status, 0) == pid);
	test_assert(upgrade("kim", "", "$1$main", NEW_HASH, &error) == 1);
	i_close_fd(&fds[0]);
	test_home_end();
	test_end();
}

/* Two that put a hash of their own in the place of the same one. Returns how
   often it was this one, by the exit status. */
static pid_t worker_start(unsigned int worker)
{
	const char *error, *old_hash, *new_hash;
	unsigned int i, count = 0;
	int ret;
	pid_t pid = fork();

	if (pid == -1)
		i_fatal("fork() failed: %m");
	if (pid != 0)
		return pid;
	for (i = 0; i < ROUNDS; i++) T_BEGIN {
		/* all know what all would write */
		old_hash = t_strdup_printf("$1$round%u", i);
		new_hash = t_strdup_printf("$1$round%u", i + 1);
		ret = credential_upgrade_hash(path(), "kim",
			worker % 2 == 0 ? "" : "k7qmx3", old_hash, new_hash,
			60, &error);
		if (ret < 0)
			_exit(100);
		count += ret;
	} T_END;
	_exit(count);
}

static void editor_round(const char *name)
{
	struct credential_file_edit *edit;
	struct credential_user user;
	string_t *text = t_str_new(1024);
	const char *error;

	credential_user_init(&user, name, pool_datastack_create());
	if (credential_file_edit_begin(path(), 60, &edit, &error) <= 0 ||
	    credential_edit_add(credential_file_edit_get(edit), &user, text,
				&error) <= 0 ||
	    credential_file_edit_commit(&edit, text, &error) < 0)
		_exit(1);
}

static pid_t editor_start(void)
{
	unsigned int i;
	pid_t pid = fork();

	if (pid == -1)
		i_fatal("fork() failed: %m");
	if (pid != 0)
		return pid;
	for (i = 0; i < ROUNDS; i++) T_BEGIN {
		editor_round(t_strdup_printf("e%u", i));
	} T_END;
	_exit(0);
}

static void test_at_once(void)
{
	string_t *expected = t_str_new(1024);
	unsigned int i, counts[2] = { 0, 0 };
	pid_t pids[4], editor;
	int status;

	test_begin("credential upgrade: workers and an editor at once");
	test_home_begin();
	test_file_write(path(), TEXT("$1$round0", "$1$round0"));
	editor = editor_start();
	for (i = 0; i < N_ELEMENTS(pids); i++)
		pids[i] = worker_start(i);
	for (i = 0; i < N_ELEMENTS(pids); i++) {
		test_assert_idx(waitpid(pids[i], &status, 0) == pids[i], i);
		test_assert_idx(WIFEXITED(status), i);
		counts[i % 2] += WEXITSTATUS(status);
	}
	test_assert(waitpid(editor, &status, 0) == editor);
	test_assert(status == 0);
	/* each hash was put in the place of the other one once */
	test_assert(counts[0] == ROUNDS);
	test_assert(counts[1] == ROUNDS);
	str_append(expected, "{\"version\":1,\"users\":{\n"
		   TEST_JOE ",\n" KIM("$1$round12", "$1$round12") ",\n" ODD);
	for (i = 0; i < ROUNDS; i++)
		str_printfa(expected, ",\n\"e%u\":{\"enabled\":true}", i);
	str_append(expected, "\n}}\n");
	test_assert_strcmp(test_file_read(path()), str_c(expected));
	test_home_end();
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_table,
		test_no_main_password,
		test_broken,
		test_locked,
		test_at_once,
		NULL
	};
	return test_run(test_functions);
}
