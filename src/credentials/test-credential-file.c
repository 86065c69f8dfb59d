/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "credential-edit.h"
#include "credential-file.h"
#include "test-credential-use.h"
#include "test-home.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "credentials.json"
#define A "\"a\":{\"password\":\"$1$a\",\"enabled\":true}"
#define B "\"b\":{\"password\":\"$1$b\",\"enabled\":true}"

static const char *path(void)
{
	return test_home_path(NAME);
}

/* What is read, or the error without the path. */
static const char *read_file(struct stat *st_r)
{
	const char *error = NULL, *result, *at;
	string_t *text = NULL;
	int ret;

	i_zero(st_r);
	ret = credential_file_read(path(), &text, st_r, &error);
	test_assert((text != NULL) == (ret > 0));
	if (ret > 0) {
		result = t_strdup(str_c(text));
		str_free(&text);
		return result;
	}
	at = strstr(error, path());
	test_assert(at != NULL);
	return at == NULL ? error :
		t_strconcat(ret == 0 ? "none: " : "", t_strdup_until(error, at),
			    at + strlen(path()), NULL);
}

static void test_modes(void)
{
	static const unsigned int good[] = { 0600, 0640, 0400, 0440, 0700 };
	static const unsigned int bad[] = {
		0644, 0604, 0602, 0601, 0660, 0620, 0610, 0650, 0777, 04644,
	};
	struct stat st;
	unsigned int i;

	test_begin("credential file: modes");
	test_home_begin();
	test_file_write(path(), "text");
	for (i = 0; i < N_ELEMENTS(good); i++) {
		if (chmod(path(), good[i]) < 0)
			i_fatal("chmod() failed: %m");
		test_assert_strcmp_idx(read_file(&st), "text", i);
		test_assert_idx((st.st_mode & 07777) == good[i], i);
		test_assert_idx(st.st_size == 4, i);
	}
	for (i = 0; i < N_ELEMENTS(bad); i++) {
		if (chmod(path(), bad[i]) < 0)
			i_fatal("chmod() failed: %m");
		test_assert_strcmp_idx(read_file(&st), t_strdup_printf(
			" has mode 0%o, which gives others the hashes of "
			"passwords, expected 0600, or 0640 for a group that "
			"reads it", bad[i]), i);
		test_assert_idx(st.st_size == 0, i);
	}
	test_home_end();
	test_end();
}

static void test_intruders(void)
{
	struct stat st;
	int fd;

	test_begin("credential file: not a file");
	test_home_begin();
	test_assert_strcmp(read_file(&st),
			   "none: open() failed: No such file or directory");
	if (symlink("other", path()) < 0)
		i_fatal("symlink() failed: %m");
	test_assert_strcmp(read_file(&st), " is a link, which is not followed");
	test_file_write(test_home_path("other"), "text");
	test_assert_strcmp(read_file(&st), " is a link, which is not followed");
	i_unlink(path());
	if (mkfifo(path(), 0600) < 0)
		i_fatal("mkfifo() failed: %m");
	test_assert_strcmp(read_file(&st), " is not a regular file");
	i_unlink(path());
	if (mkdir(path(), 0700) < 0)
		i_fatal("mkdir() failed: %m");
	test_assert_strcmp(read_file(&st), " is not a regular file");
	if (rmdir(path()) < 0)
		i_fatal("rmdir() failed: %m");
	if (test_mknod_null(path())) {
		test_assert_strcmp(read_file(&st), " is not a regular file");
		i_unlink(path());
	}
	/* with holes */
	fd = open(path(), O_WRONLY | O_CREAT, 0600);
	if (fd == -1 || ftruncate(fd, CREDENTIALS_MAX_SIZE + 1) < 0)
		i_fatal("ftruncate() failed: %m");
	i_close_fd(&fd);
	test_assert_strcmp(read_file(&st), " has 67108865 octets, expected at "
			   "most 67108864");
	i_unlink(path());
	test_file_write(path(), "");
	test_assert_strcmp(read_file(&st), "");
	if (chmod(path(), 0) < 0)
		i_fatal("chmod() failed: %m");
	test_user_begin();
	test_assert_strcmp(read_file(&st), "open() failed: Permission denied");
	test_user_end();
	test_home_end();
	test_end();
}

/* Add a user; *error_r is NULL if that went well. */
static int add(const char *name, const char **error_r)
{
	pool_t pool = pool_alloconly_create("test add", 1024);
	struct credential_file_edit *edit = NULL;
	struct credential_user user;
	string_t *text = t_str_new(256);
	int ret;

	*error_r = NULL;
	credential_user_init(&user, name, pool);
	user.password = t_strconcat("$1$", name, NULL);
	ret = credential_file_edit_begin(path(), 0, &edit, error_r);
	test_assert((edit != NULL) == (ret > 0));
	if (ret > 0) {
		test_assert(credential_edit_add(credential_file_edit_get(edit),
						&user, text, error_r) == 1);
		ret = credential_file_edit_commit(&edit, text, error_r);
		test_assert(edit == NULL);
	}
	pool_unref(&pool);
	return ret;
}

static void assert_added(const char *name, unsigned int idx)
{
	const char *error;

	test_assert_idx(add(name, &error) == 0, idx);
	test_assert_strcmp_idx(error, NULL, idx);
}

/* The edit must fail with these words, and leave the file as it is. */
static void assert_fails(const char *words, unsigned int idx)
{
	const char *before = test_file_read(path()), *error, *name;

	test_assert_idx(add("b", &error) < 0, idx);
	if (error == NULL || strstr(error, words) == NULL)
		test_assert_strcmp_idx(error, words, idx);
	test_assert_strcmp_idx(test_file_read(path()), before, idx);
	test_assert_idx(test_dir_count(test_home_path("."), NAME".tmp",
				       &name) == 0, idx);
}

static void test_new_file(void)
{
	test_begin("credential file: a new one");
	test_home_begin();
	(void)umask(0);
	assert_added("a", 0);
	(void)umask(022);
	test_assert_strcmp(test_file_read(path()), TEST_FILE(A "\n"));
	test_assert(test_file_mode(path()) == 0600);
	test_assert(test_file_mode(test_home_path(NAME".lock")) == 0600);
	test_assert(test_file_mode(test_home_path(NAME".tmp")) == 0);
	assert_added("b", 1);
	test_assert_strcmp(test_file_read(path()),
			   TEST_FILE(A ",\n" B "\n"));
	test_home_end();
	test_end();
}

/* The file of the user and group, with this mode. */
static void write_owned(unsigned int mode, uid_t uid, gid_t gid)
{
	test_file_write(path(), TEST_FILE(A "\n"));
	if (chown(path(), uid, gid) < 0 || chmod(path(), mode) < 0)
		i_fatal("chown() failed: %m");
}

static void
assert_owned(unsigned int mode, uid_t uid, gid_t gid, unsigned int idx)
{
	struct stat st;

	test_assert_idx(lstat(path(), &st) == 0, idx);
	test_assert_idx((st.st_mode & 07777) == mode, idx);
	test_assert_idx(st.st_uid == uid && st.st_gid == gid, idx);
}

static void test_owners(void)
{
	static const unsigned int modes[] = { 0600, 0640, 0400 };
	const uid_t uid = geteuid() == 0 ? 1234 : geteuid();
	const gid_t gid = geteuid() == 0 ? 2345 : getegid();
	struct stat st;
	unsigned int i;

	test_begin("credential file: owner, group and mode");
	for (i = 0; i < N_ELEMENTS(modes); i++) {
		test_home_begin();
		write_owned(modes[i], uid, gid);
		assert_added("b", i);
		assert_owned(modes[i], uid, gid, i);
		test_assert_strcmp_idx(test_file_read(path()),
				       TEST_FILE(A ",\n" B "\n"), i);
		/* who owns the file may lock it */
		test_assert_idx(lstat(test_home_path(NAME".lock"), &st) == 0,
				i);
		test_assert_idx(st.st_uid == uid, i);
		test_home_end();
	}
	test_end();
}

/* What root makes is of who owns the folder. */
static void test_new_owner(void)
{
	const uid_t uid = geteuid() == 0 ? 1234 : geteuid();
	const gid_t gid = geteuid() == 0 ? 2345 : getegid();
	struct stat st;

	test_begin("credential file: owner of a new one");
	test_home_begin();
	if (chown(test_home_path(""), uid, gid) < 0)
		i_fatal("chown() failed: %m");
	assert_added("a", 0);
	assert_owned(0600, uid, gid, 0);
	test_assert(lstat(test_home_path(NAME".lock"), &st) == 0);
	test_assert(st.st_uid == uid);
	test_home_end();
	test_end();
}

/* Root's file that the group may read: the group cannot replace it. */
static void test_not_owner(void)
{
	test_begin("credential file: of another owner");
	if (geteuid() == 0) {
		test_home_begin();
		write_owned(0640, 0, 2345);
		if (setegid(2345) < 0)
			i_fatal("setegid() failed: %m");
		test_user_begin();
		assert_fails("fchown(", 0);
		test_user_end();
		if (setegid(getgid()) < 0)
			i_fatal("setegid() failed: %m");
		assert_owned(0640, 0, 2345, 0);
		test_home_end();
	}
	test_end();
}

/* Another file in its place, of the same size and time. */
static void replace_alike(void)
{
	const char *other = test_home_path("alike");
	struct timespec times[2];
	struct stat st;

	if (stat(path(), &st) < 0)
		i_fatal("stat() failed: %m");
	test_file_write(other, test_file_read(path()));
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	if (utimensat(AT_FDCWD, other, times, 0) < 0 ||
	    rename(other, path()) < 0)
		i_fatal("rename() failed: %m");
}

static void test_failures(void)
{
	const char *tmp, *lock;
	string_t *text = t_str_new(64);
	struct credential_file_edit *edit;
	const char *error;

	test_begin("credential file: failures of an edit");
	test_home_begin();
	tmp = test_home_path(NAME".tmp");
	lock = test_home_path(NAME".lock");

	/* what was left there */
	test_file_write(tmp, "left");
	assert_added("a", 0);
	test_assert(test_file_mode(tmp) == 0);

	/* a link in place of the lock or of the temporary file */
	i_unlink(lock);
	test_file_write(test_home_path("other"), "other");
	if (symlink("other", lock) < 0 || symlink("other", tmp) < 0)
		i_fatal("symlink() failed: %m");
	test_assert(add("b", &error) < 0);
	test_assert(strstr(error, ".lock) failed: Too many levels of "
			   "symbolic links") != NULL);
	i_unlink(lock);
	assert_added("b", 1);
	test_assert_strcmp(test_file_read(test_home_path("other")), "other");
	i_unlink(path());
	if (symlink("other", path()) < 0)
		i_fatal("symlink() failed: %m");
	assert_fails(" is a link, which is not followed", 2);
	i_unlink(path());

	/* not one of ours */
	test_file_write(path(), "{\"version\":2,\"users\":{}}");
	assert_fails("version 2 is newer than version 1", 3);
	test_file_write(path(), "{\n");
	assert_fails(NAME": line 2 column 0: ", 4);
	if (chmod(path(), 0644) < 0)
		i_fatal("chmod() failed: %m");
	assert_fails(" has mode 0644", 5);
	i_unlink(path());

	/* changed by somebody who does not lock it */
	test_file_write(path(), TEST_FILE(A "\n"));
	test_assert(credential_file_edit_begin(path(), 0, &edit,
					       &error) == 1);
	test_file_write(path(), TEST_FILE(B "\n"));
	str_append(text, TEST_FILE(""));
	test_assert(credential_file_edit_commit(&edit, text, &error) < 0);
	test_assert(strstr(error, NAME" was changed meanwhile") != NULL);
	test_assert_strcmp(test_file_read(path()), TEST_FILE(B "\n"));
	test_assert(test_file_mode(tmp) == 0);
	test_assert(credential_file_edit_begin(path(), 0, &edit,
					       &error) == 1);
	replace_alike();
	test_assert(credential_file_edit_commit(&edit, text, &error) < 0);
	test_assert(strstr(error, NAME" was changed meanwhile") != NULL);
	test_assert(credential_file_edit_begin(path(), 0, &edit,
					       &error) == 1);
	i_unlink(path());
	test_assert(credential_file_edit_commit(&edit, text, &error) < 0);
	test_assert(strstr(error, NAME" was changed meanwhile") != NULL);
	test_assert(test_file_mode(path()) == 0);
	test_assert(credential_file_edit_begin(path(), 0, &edit,
					       &error) == 1);
	test_file_write(path(), TEST_FILE(A "\n"));
	test_assert(credential_file_edit_commit(&edit, text, &error) < 0);
	test_assert(strstr(error, NAME" was changed meanwhile") != NULL);

	/* a rollback */
	test_assert(credential_file_edit_begin(path(), 0, &edit,
					       &error) == 1);
	credential_file_edit_rollback(&edit);
	credential_file_edit_rollback(&edit);
	test_assert_strcmp(test_file_read(path()), TEST_FILE(A "\n"));

	/* a folder that is not there */
	test_assert(credential_file_edit_begin(test_home_path("x/y"), 0, &edit,
					       &error) < 0);
	test_assert(strstr(error, "/x) failed: No such file") != NULL);
	test_home_end();
	test_end();
}

static void test_disk(void)
{
	const char *error, *before;
	string_t *text;
	struct credential_file_edit *edit;

	test_begin("credential file: a full disk and a read-only one");
	test_home_begin();
	if (test_mount_tmpfs(test_home_path("disk"), "size=64k,mode=700")) {
		const char *file = test_home_path("disk/x");

		test_file_write(file, TEST_FILE(A "\n"));
		before = test_file_read(file);
		text = str_new(default_pool, 1);
		memset(buffer_append_space_unsafe(text, 100000), 'x', 100000);
		test_assert(credential_file_edit_begin(file, 0, &edit,
						       &error) == 1);
		test_assert(credential_file_edit_commit(&edit, text,
							&error) < 0);
		test_assert(strstr(error, "write(") != NULL &&
			    strstr(error, "No space left") != NULL);
		test_assert_strcmp(test_file_read(file), before);
		test_assert(test_file_mode(test_home_path("disk/x.tmp")) == 0);
		test_mount_read_only(test_home_path("disk"), TRUE);
		test_assert(credential_file_edit_begin(file, 0, &edit,
						       &error) < 0);
		test_assert(strstr(error, "x.lock) failed: Read-only") != NULL);
		test_umount(test_home_path("disk"));
		str_free(&text);
	}
	test_home_end();
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_modes,
		test_intruders,
		test_new_file,
		test_owners,
		test_new_owner,
		test_not_owner,
		test_failures,
		test_disk,
		NULL
	};
	return test_run(test_functions);
}
