/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#define _GNU_SOURCE /* unshare() */
#include "lib.h"
#include "str.h"
#include "read-full.h"
#include "write-full.h"
#include "unlink-directory.h"
#include "test-home.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define OTHER_UID 65534

volatile time_t test_time;

static char *home;

time_t time(time_t *time_r)
{
	struct timespec ts = { .tv_sec = test_time };

	if (ts.tv_sec == 0 && clock_gettime(CLOCK_REALTIME, &ts) < 0)
		i_fatal("clock_gettime() failed: %m");
	if (time_r != NULL)
		*time_r = ts.tv_sec;
	return ts.tv_sec;
}

void test_home_begin(void)
{
	const char *tmp = getenv("TMPDIR");

	i_assert(home == NULL);
	home = i_strconcat(tmp == NULL ? "/tmp" : tmp, "/pop3-policy.XXXXXX",
			   NULL);
	if (mkdtemp(home) == NULL)
		i_fatal("mkdtemp(%s) failed: %m", home);
}

void test_home_end(void)
{
	const char *error;

	if (unlink_directory(home, UNLINK_DIRECTORY_FLAG_RMDIR, &error) <= 0)
		i_fatal("unlink_directory(%s): %s", home, error);
	i_free(home);
}

const char *test_home_path(const char *name)
{
	return t_strconcat(home, "/", name, NULL);
}

static void file_write(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd == -1)
		i_fatal("open(%s) failed: %m", path);
	if (write_full(fd, data, size) < 0)
		i_fatal("write(%s) failed: %m", path);
	i_close_fd(&fd);
}

void test_file_write(const char *path, const char *data)
{
	file_write(path, data, strlen(data));
}

void test_file_write_size(const char *path, size_t size)
{
	void *data = i_malloc(I_MAX(size, 1));

	file_write(path, data, size);
	i_free(data);
}

void test_disk_fill(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	static const char block[4096];

	if (fd == -1)
		i_fatal("open(%s) failed: %m", path);
	while (write(fd, block, sizeof(block)) > 0) ;
	if (errno != ENOSPC)
		i_fatal("write(%s) failed: %m", path);
	i_close_fd(&fd);
}

const char *test_file_read(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	char *data;

	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) < 0)
		i_fatal("fstat(%s) failed: %m", path);
	data = t_malloc0(st.st_size + 1);
	if (st.st_size > 0 && read_full(fd, data, st.st_size) <= 0)
		i_fatal("read(%s) failed: %m", path);
	i_close_fd(&fd);
	return data;
}

unsigned int test_file_mode(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 ? 0 : st.st_mode & 07777;
}

unsigned int
test_dir_count(const char *path, const char *prefix, const char **name_r)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	unsigned int count = 0;

	if (dir == NULL)
		i_fatal("opendir(%s) failed: %m", path);
	*name_r = NULL;
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0 ||
		    strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		*name_r = t_strdup(entry->d_name);
		count++;
	}
	if (closedir(dir) < 0)
		i_fatal("closedir(%s) failed: %m", path);
	return count;
}

void test_user_begin(void)
{
	if (geteuid() != 0)
		return;
	if (chown(home, OTHER_UID, (gid_t)-1) < 0)
		i_fatal("chown(%s) failed: %m", home);
	if (seteuid(OTHER_UID) < 0)
		i_fatal("seteuid() failed: %m");
}

void test_user_end(void)
{
	if (geteuid() != getuid() && seteuid(getuid()) < 0)
		i_fatal("seteuid() failed: %m");
}

static bool left_out(const char *call)
{
	printf("  left out, %s: %s\n", call, strerror(errno));
	return FALSE;
}

bool test_mknod_null(const char *path)
{
	return mknod(path, S_IFCHR | 0600, makedev(1, 3)) == 0 ? TRUE :
		left_out("mknod()");
}

bool test_chown_other(const char *path)
{
	return lchown(path, OTHER_UID, (gid_t)-1) == 0 ? TRUE :
		left_out("lchown()");
}

bool test_mount_tmpfs(const char *path, const char *options)
{
	static bool own_mounts = FALSE;

	if (mkdir(path, 0700) < 0)
		i_fatal("mkdir(%s) failed: %m", path);
	/* mounts that are seen by this process only go when it dies */
	if (!own_mounts && unshare(CLONE_NEWNS) < 0)
		return left_out("unshare()");
	own_mounts = TRUE;
	/* fails where the root is no mount, as in a chroot */
	(void)mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL);
	return mount("none", path, "tmpfs", 0, options) == 0 ? TRUE :
		left_out("mount()");
}

void test_mount_read_only(const char *path, bool read_only)
{
	unsigned long flags = MS_REMOUNT | (read_only ? MS_RDONLY : 0);

	if (mount("none", path, "tmpfs", flags, NULL) < 0)
		i_fatal("mount(%s) failed: %m", path);
}

void test_umount(const char *path)
{
	if (umount(path) < 0)
		i_fatal("umount(%s) failed: %m", path);
}
