/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "file-lock.h"
#include "time-util.h"
#include "mkdir-parents.h"
#include "write-full.h"
#include "state-dir.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STATE_DIR_MODE 0700
#define STATE_FILE_MODE 0600
/* A write takes milliseconds. Who waits longer than this finds a file server
   that hangs. */
#define LOCK_TIMEOUT_SECS 10

int state_dir_open(const char *path, struct state_dir *dir_r,
		   const char **error_r)
{
	struct stat st;
	int fd;

	fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
		    O_CLOEXEC);
	if (fd == -1) {
		if (errno == ENOENT)
			return 0;
		*error_r = errno == ENOTDIR || errno == ELOOP ?
			t_strdup_printf("%s is not a folder "
				"(links are not followed)", path) :
			t_strdup_printf("open(%s) failed: %m", path);
		return -1;
	}
	if (fstat(fd, &st) < 0) {
		*error_r = t_strdup_printf("fstat(%s) failed: %m", path);
	} else if (st.st_uid != geteuid()) {
		*error_r = t_strdup_printf("%s is owned by uid %s, "
			"expected %s", path, dec2str(st.st_uid),
			dec2str(geteuid()));
	} else if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		*error_r = t_strdup_printf("%s has mode 0%o, which lets others "
			"write, expected 0%o", path,
			(unsigned int)st.st_mode & 07777, STATE_DIR_MODE);
	} else {
		dir_r->path = path;
		dir_r->fd = fd;
		return 1;
	}
	i_close_fd(&fd);
	return -1;
}

void state_dir_close(struct state_dir *dir)
{
	i_close_fd(&dir->fd);
}

/* A new folder that is lost in a crash would take the counters with it. */
static int parent_fsync(const char *path, const char **error_r)
{
	const char *slash = strrchr(path, '/');
	const char *parent = slash == NULL ? "." :
		slash == path ? "/" : t_strdup_until(path, slash);
	int fd, ret;

	fd = openat(AT_FDCWD, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 && errno == EACCES) {
		/* a parent may be closed for reading */
		return 0;
	}
	ret = fd == -1 ? -1 : fsync(fd);
	if (ret < 0)
		*error_r = t_strdup_printf("fsync(%s) failed: %m", parent);
	i_close_fd(&fd);
	return ret;
}

int state_dir_create(const char *path, bool sync, const char **error_r)
{
	if (mkdir_parents(path, STATE_DIR_MODE) == 0)
		return sync ? parent_fsync(path, error_r) : 0;
	if (errno == EEXIST)
		return 0;
	*error_r = t_strdup_printf("mkdir(%s) failed: %m", path);
	return -1;
}

int state_dir_open_file(const struct state_dir *dir, const char *name,
			int flags, int *fd_r, const char **error_r)
{
	const char *path = t_strconcat(dir->path, "/", name, NULL);
	struct stat st;
	int fd;

	/* O_NONBLOCK: a FIFO must not make the session wait for a writer */
	fd = openat(dir->fd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
		    STATE_FILE_MODE);
	if (fd == -1) {
		*error_r = errno == ELOOP ?
			t_strdup_printf("%s is a link, which is not followed",
					path) :
			t_strdup_printf("open(%s) failed: %m", path);
		return errno == ENOENT ? 0 : -1;
	}
	if (fstat(fd, &st) < 0) {
		*error_r = t_strdup_printf("fstat(%s) failed: %m", path);
	} else if (!S_ISREG(st.st_mode)) {
		*error_r = t_strdup_printf("%s is not a regular file", path);
	} else if (st.st_uid != geteuid()) {
		*error_r = t_strdup_printf("%s is owned by uid %s, expected %s",
			path, dec2str(st.st_uid), dec2str(geteuid()));
	} else {
		*fd_r = fd;
		return 1;
	}
	i_close_fd(&fd);
	errno = EPERM;
	return -1;
}

int state_dir_lock_file(const struct state_dir *dir, const char *name,
			int *fd_r, struct file_lock **lock_r,
			const char **error_r)
{
	const struct file_lock_settings set = {
		.lock_method = FILE_LOCK_METHOD_FCNTL,
		.close_on_free = TRUE,
		/* fail, rather than panic in the middle of a session */
		.allow_deadlock = TRUE,
	};
	const char *path = t_strconcat(dir->path, "/", name, NULL);
	int fd;

	if (state_dir_open_file(dir, name, O_RDWR | O_CREAT, &fd,
				error_r) <= 0)
		return -1;
	if (file_wait_lock(fd, path, F_WRLCK, &set, LOCK_TIMEOUT_SECS, lock_r,
			   error_r) <= 0) {
		i_close_fd(&fd);
		errno = EAGAIN;
		return -1;
	}
	*fd_r = fd;
	return 0;
}

static int
write_new_file(const struct state_dir *dir, const char *name,
	       const string_t *text, bool sync, const char **error_r)
{
	const char *failed = NULL;
	int fd;

	/* what a process left that was killed here */
	if (unlinkat(dir->fd, name, 0) < 0 && errno != ENOENT) {
		*error_r = t_strdup_printf("unlink(%s/%s) failed: %m",
					   dir->path, name);
		return -1;
	}
	if (state_dir_open_file(dir, name, O_WRONLY | O_CREAT | O_EXCL, &fd,
				error_r) <= 0)
		return -1;
	if (write_full(fd, str_data(text), str_len(text)) < 0)
		failed = "write";
	else if (sync && fdatasync(fd) < 0)
		failed = "fdatasync";
	if (failed != NULL)
		i_close_fd(&fd);
	else if (close(fd) < 0)
		failed = "close";
	if (failed == NULL)
		return 0;
	*error_r = t_strdup_printf("%s(%s/%s) failed: %m", failed, dir->path,
				   name);
	return -1;
}

int state_dir_write_file(const struct state_dir *dir, const char *name,
			 const string_t *text, bool sync, const char **error_r)
{
	int old_errno;

	if (write_new_file(dir, name, text, sync, error_r) == 0)
		return 0;
	old_errno = errno;
	(void)unlinkat(dir->fd, name, 0);
	errno = old_errno;
	return -1;
}

int state_dir_replace_file(const struct state_dir *dir, const char *name,
			   const string_t *text, bool sync,
			   const char **error_r)
{
	const char *temp_name = t_strconcat(name, ".tmp", NULL);

	if (state_dir_write_file(dir, temp_name, text, sync, error_r) < 0)
		return -1;
	if (renameat(dir->fd, temp_name, dir->fd, name) < 0) {
		*error_r = t_strdup_printf("rename(%s/%s) failed: %m",
					   dir->path, temp_name);
		return -1;
	}
	return 0;
}

const char *
state_dir_corrupt_name(const struct state_dir *dir, const char *name)
{
	const char *first = t_strdup_printf("%s.corrupt-%s", name,
		t_strfgmtime("%Y%m%dT%H%M%SZ", time(NULL)));
	struct stat st;
	unsigned int i;

	name = first;
	for (i = 2; fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0; i++)
		name = t_strdup_printf("%s-%u", first, i);
	return name;
}

int state_dir_sync(const struct state_dir *dir, const char **error_r)
{
	if (fsync(dir->fd) == 0)
		return 0;
	*error_r = t_strdup_printf("fsync(%s) failed: %m", dir->path);
	return -1;
}
