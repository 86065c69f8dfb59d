/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "credential-copy.h"
#include "credential-file.h"
#include "test-credential-use.h"
#include "test-home.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "credentials.json"
#define COPY NAME".good"
#define TEMP COPY".tmp"
#define TEXT TEST_FILE(TEST_JANE "\n")
#define OTHER_TEXT TEST_FILE(TEST_JOE "\n")
#define OWNER 4711
#define GROUP 4712

/* The names are below the home. */
static const char *path(const char *name)
{
	return test_home_path(name);
}

static struct stat get_stat(const char *name)
{
	struct stat st;

	if (lstat(path(name), &st) < 0)
		i_fatal("lstat(%s) failed: %m", name);
	return st;
}

static bool exists(const char *name)
{
	struct stat st;

	return lstat(path(name), &st) == 0;
}

static void begin(void)
{
	test_home_begin();
	test_file_write(path(NAME), TEXT);
}

static void set_mtime(const char *name, time_t sec, long nsec)
{
	const struct timespec times[] = {
		{ .tv_sec = sec, .tv_nsec = nsec },
		{ .tv_sec = sec, .tv_nsec = nsec },
	};

	if (utimensat(AT_FDCWD, path(name), times, 0) < 0)
		i_fatal("utimensat(%s) failed: %m", name);
}

/* Make a copy of the file below this folder, with the stat of the file. Returns
   what credential_copy_write() does. */
static int
write_copy_in(const char *folder, const char *text, time_t now,
	      const char **error_r)
{
	struct stat st = get_stat(NAME);
	struct credentials *credentials;
	int ret;

	*error_r = NULL;
	credentials = test_credentials_load(text, strlen(text), error_r);
	ret = credential_copy_write(path(t_strconcat(folder, NAME, NULL)),
				    credentials, &st, now, error_r);
	credentials_deinit(&credentials);
	test_assert((ret < 0) == (*error_r != NULL));
	return ret;
}

static int write_copy(time_t now)
{
	const char *error;
	int ret = write_copy_in("", TEXT, now, &error);

	if (ret < 0)
		test_assert(strstr(error, TEMP) != NULL);
	return ret;
}

static void test_text(void)
{
	struct credentials *credentials = NULL;
	const char *error = NULL;

	test_begin("credential copy: it is the file");
	begin();
	test_assert(credential_copy_read(path(NAME), &credentials,
					 &error) == 0);
	test_assert(credentials == NULL && error == NULL);
	test_assert(write_copy(time(NULL)) == 1);
	test_assert_strcmp(test_file_read(path(COPY)), TEXT);
	test_assert(!exists(TEMP));
	test_assert(credential_copy_read(path(NAME), &credentials,
					 &error) == 1);
	test_assert(strstr(test_credentials_show(credentials, "jane"),
			   "jane:$argon2id$") != NULL);
	credentials_deinit(&credentials);
	/* and once more in its place */
	test_assert(write_copy_in("", OTHER_TEXT, time(NULL), &error) == 1);
	test_assert_strcmp(test_file_read(path(COPY)), OTHER_TEXT);
	test_home_end();
	test_end();
}

static bool is_current(bool settled)
{
	struct stat st = get_stat(NAME);

	return credential_copy_is_current(path(NAME), &st, settled);
}

static void test_current(void)
{
	struct stat st;

	test_begin("credential copy: when it is up to date");
	begin();
	test_assert(!is_current(FALSE));
	set_mtime(NAME, 1000, 123456789);
	test_assert(write_copy(time(NULL)) == 1);
	st = get_stat(COPY);
	test_assert(st.st_mtim.tv_sec == 1000);
	test_assert(st.st_mtim.tv_nsec == 123456789);
	test_assert(is_current(FALSE));
	/* it was made in the tick of the change */
	test_assert(!is_current(TRUE));
	/* as long after the change as it must be */
	st = get_stat(NAME);
	st.st_ctim.tv_sec = get_stat(COPY).st_ctim.tv_sec -
		CREDENTIAL_FILE_TICK_SECS;
	test_assert(!credential_copy_is_current(path(NAME), &st, TRUE));
	st.st_ctim.tv_sec--;
	test_assert(credential_copy_is_current(path(NAME), &st, TRUE));

	set_mtime(COPY, 1000, 123456788);
	test_assert(!is_current(FALSE));
	set_mtime(COPY, 1001, 123456789);
	test_assert(!is_current(FALSE));
	set_mtime(COPY, 1000, 123456789);
	test_assert(is_current(FALSE));
	/* another content with the same mtime */
	usleep(20 * 1000);
	set_mtime(NAME, 1000, 123456789);
	test_assert(!is_current(FALSE));
	/* no file, though of this mtime */
	i_unlink(path(COPY));
	if (mkdir(path(COPY), 0700) < 0)
		i_fatal("mkdir() failed: %m");
	set_mtime(COPY, 1000, 123456789);
	test_assert(!is_current(FALSE));
	test_home_end();
	test_end();
}

static void test_modes(void)
{
	static const struct {
		unsigned int mode, copy_mode;
	} tests[] = {
		{ 0600, 0600 },
		{ 0640, 0640 },
		{ 0400, 0400 },
		{ 0440, 0440 },
		{ 0700, 0600 },
		{ 0666, 0640 },
	};
	unsigned int i;

	test_begin("credential copy: modes");
	begin();
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		if (chmod(path(NAME), tests[i].mode) < 0)
			i_fatal("chmod() failed: %m");
		test_assert_idx(write_copy(time(NULL)) == 1, i);
		test_assert_idx(test_file_mode(path(COPY)) ==
				tests[i].copy_mode, i);
	}
	test_home_end();
	test_end();
}

/* Root's copies are the owner's, others keep to what they may. */
static void test_owners(void)
{
	struct stat st;

	test_begin("credential copy: owners");
	begin();
	if (geteuid() == 0 && chown(path(NAME), OWNER, GROUP) == 0 &&
	    chmod(path(NAME), 0640) == 0) {
		test_assert(write_copy(time(NULL)) == 1);
		st = get_stat(COPY);
		test_assert(st.st_uid == OWNER && st.st_gid == GROUP);
		test_assert(test_file_mode(path(COPY)) == 0640);

		/* a group in which we are not must not become another */
		test_user_begin();
		test_assert(write_copy(time(NULL)) == 1);
		st = get_stat(COPY);
		test_assert(st.st_uid == geteuid() && st.st_gid != GROUP);
		test_assert(test_file_mode(path(COPY)) == 0600);
		test_user_end();

		/* and one in which we are can read it */
		if (chown(path(NAME), OWNER, getegid()) < 0)
			i_fatal("chown() failed: %m");
		test_user_begin();
		test_assert(write_copy(time(NULL)) == 1);
		st = get_stat(COPY);
		test_assert(st.st_uid == geteuid());
		test_assert(test_file_mode(path(COPY)) == 0640);
		test_user_end();
	}
	test_home_end();
	test_end();
}

static void test_others(void)
{
	time_t start;

	test_begin("credential copy: another one is writing it, or was");
	begin();
	test_file_write(path(COPY), "old");
	test_file_write(path(TEMP), "half");
	start = get_stat(TEMP).st_ctim.tv_sec;
	test_assert(write_copy(start) == 0);
	test_assert(write_copy(start + 59) == 0);
	test_assert(write_copy(start - 59) == 0);
	test_assert_strcmp(test_file_read(path(COPY)), "old");
	test_assert_strcmp(test_file_read(path(TEMP)), "half");
	test_assert(write_copy(start + 60) == 1);
	test_assert_strcmp(test_file_read(path(COPY)), TEXT);
	test_assert(!exists(TEMP));
	/* the clock was set back */
	test_file_write(path(TEMP), "half");
	start = get_stat(TEMP).st_ctim.tv_sec;
	test_assert(write_copy(start - 60) == 1);
	test_assert(!exists(TEMP));
	test_home_end();
	test_end();
}

static void test_links(void)
{
	struct credentials *credentials = NULL;
	const char *error = NULL;
	time_t start;

	test_begin("credential copy: links");
	begin();
	test_file_write(path("other"), OTHER_TEXT);
	if (symlink("other", path(COPY)) < 0 ||
	    symlink("other", path(TEMP)) < 0)
		i_fatal("symlink() failed: %m");
	test_assert(credential_copy_read(path(NAME), &credentials,
					 &error) == -1);
	test_assert(strstr(error, COPY" is a link, which is not followed") !=
		    NULL);
	start = get_stat(TEMP).st_ctim.tv_sec;
	test_assert(write_copy(start) == 0);
	test_assert(write_copy(start + 60) == 1);
	test_assert(S_ISREG(get_stat(COPY).st_mode));
	test_assert_strcmp(test_file_read(path(COPY)), TEXT);
	test_assert_strcmp(test_file_read(path("other")), OTHER_TEXT);
	test_home_end();
	test_end();
}

static void test_useless(void)
{
	static const struct {
		const char *text;
		unsigned int mode;
		const char *error;
	} tests[] = {
		{ "", 0600, COPY": line 1 column " },
		{ "{\"version\":1,\"users\":{\n", 0600, COPY": line 2 " },
		{ TEXT, 0644, COPY" has mode 0644" },
		{ TEXT, 0660, COPY" has mode 0660" },
	};
	struct credentials *credentials = NULL;
	const char *error;
	unsigned int i;

	test_begin("credential copy: copies of no use");
	begin();
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		test_file_write(path(COPY), tests[i].text);
		if (chmod(path(COPY), tests[i].mode) < 0)
			i_fatal("chmod() failed: %m");
		error = "";
		test_assert_idx(credential_copy_read(path(NAME), &credentials,
						     &error) == -1, i);
		test_assert_idx(strstr(error, tests[i].error) != NULL, i);
		test_assert_idx(credentials == NULL, i);
	}
	test_home_end();
	test_end();
}

static void test_full(void)
{
	const char *error;

	test_begin("credential copy: a full file system");
	begin();
	if (test_mount_tmpfs(path("disk"), "size=64k")) {
		test_file_write(path("disk/"COPY), OTHER_TEXT);
		test_disk_fill(path("disk/filler"));
		test_assert(write_copy_in("disk/", TEXT, time(NULL),
					  &error) == -1);
		test_assert(strstr(error, "write(") != NULL);
		test_assert(strstr(error, "No space left on device") != NULL);
		/* the old one went, too */
		test_assert(!exists("disk/"COPY) && !exists("disk/"TEMP));
		i_unlink(path("disk/filler"));
		test_assert(write_copy_in("disk/", TEXT, time(NULL),
					  &error) == 1);

		test_mount_read_only(path("disk"), TRUE);
		test_assert(write_copy_in("disk/", TEXT, time(NULL),
					  &error) == -1);
		test_assert(strstr(error, "and an old copy stays there: "
				   "unlink(") != NULL);
		test_mount_read_only(path("disk"), FALSE);
		test_umount(path("disk"));
	}
	test_home_end();
	test_end();
}

static void test_folders(void)
{
	const char *error;
	time_t start;

	test_begin("credential copy: folders in its place");
	begin();
	if (mkdir(path(COPY), 0700) < 0)
		i_fatal("mkdir() failed: %m");
	test_assert(write_copy_in("", TEXT, time(NULL), &error) == -1);
	test_assert(strstr(error, "rename(") != NULL);
	test_assert(!exists(TEMP));
	if (rmdir(path(COPY)) < 0)
		i_fatal("rmdir() failed: %m");
	test_file_write(path(COPY), OTHER_TEXT);
	if (mkdir(path(TEMP), 0700) < 0)
		i_fatal("mkdir() failed: %m");
	start = get_stat(TEMP).st_ctim.tv_sec;
	test_assert(write_copy(start) == 0);
	test_assert(exists(COPY));
	test_assert(write_copy(start + 60) == -1);
	test_assert(!exists(COPY));
	test_home_end();
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_text,
		test_current,
		test_modes,
		test_owners,
		test_others,
		test_links,
		test_useless,
		test_full,
		test_folders,
		NULL
	};

	return test_run(test_functions);
}
