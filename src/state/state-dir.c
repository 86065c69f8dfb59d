/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "mkdir-parents.h"
#include "state-dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_DIR_MODE 0700
#define STATE_FILE_MODE 0600

int state_dir_open(const char *path, int *fd_r, const char **error_r)
{
	struct stat st;
	int fd;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
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
		*fd_r = fd;
		return 1;
	}
	i_close_fd(&fd);
	return -1;
}

/* A new folder that is lost in a crash would take the counters with it. */
static int parent_fsync(const char *path, const char **error_r)
{
	const char *slash = strrchr(path, '/');
	const char *parent = slash == NULL ? "." :
		slash == path ? "/" : t_strdup_until(path, slash);
	int fd, ret;

	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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

int state_dir_create(const char *path, const char **error_r)
{
	if (mkdir_parents(path, STATE_DIR_MODE) == 0)
		return parent_fsync(path, error_r);
	if (errno == EEXIST)
		return 0;
	*error_r = t_strdup_printf("mkdir(%s) failed: %m", path);
	return -1;
}

int state_dir_open_file(int dir_fd, const char *name, int flags, int *fd_r,
			const char **error_r)
{
	struct stat st;
	int fd;

	/* O_NONBLOCK: a FIFO must not make the session wait for a writer */
	fd = openat(dir_fd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
		    STATE_FILE_MODE);
	if (fd == -1) {
		*error_r = errno == ELOOP ?
			t_strdup_printf("%s is a link, which is not followed",
					name) :
			t_strdup_printf("open(%s) failed: %m", name);
		return errno == ENOENT ? 0 : -1;
	}
	if (fstat(fd, &st) < 0) {
		*error_r = t_strdup_printf("fstat(%s) failed: %m", name);
	} else if (!S_ISREG(st.st_mode)) {
		*error_r = t_strdup_printf("%s is not a regular file", name);
	} else if (st.st_uid != geteuid()) {
		*error_r = t_strdup_printf("%s is owned by uid %s, expected %s",
			name, dec2str(st.st_uid), dec2str(geteuid()));
	} else {
		*fd_r = fd;
		return 1;
	}
	i_close_fd(&fd);
	errno = EPERM;
	return -1;
}
