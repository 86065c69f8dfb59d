/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "last-used-private.h"

#include <fcntl.h>
#include <unistd.h>

#define MODE 0600
#define MODE_REFUSED (S_IWGRP | S_IXGRP | S_IRWXO)

static const char *folder_path(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? "." : slash == path ? "/" :
		t_strdup_until(path, slash);
}

/* The owners of the credential file and of the folder decide anyway what is
   there. */
static bool owner_is_good(const struct last_used *used, uid_t uid)
{
	struct stat st;

	return uid == geteuid() || uid == 0 ||
		(lstat(used->path, &st) == 0 && st.st_uid == uid) ||
		(stat(folder_path(used->path), &st) == 0 && st.st_uid == uid);
}

static int
check(const struct last_used *used, int fd, const char **error_r)
{
	struct stat st;

	if (fstat(fd, &st) < 0) {
		*error_r = t_strdup_printf("fstat(%s) failed: %m",
					   used->used_path);
	} else if (!S_ISREG(st.st_mode)) {
		*error_r = t_strdup_printf("%s is not a regular file",
					   used->used_path);
	} else if (!owner_is_good(used, st.st_uid)) {
		*error_r = t_strdup_printf("%s is owned by uid %s, expected "
			"%s, or the owner of %s", used->used_path,
			dec2str(st.st_uid), dec2str(geteuid()), used->path);
	} else if (st.st_nlink > 1) {
		*error_r = t_strdup_printf("%s has another name",
					   used->used_path);
	} else if ((st.st_mode & MODE_REFUSED) != 0) {
		*error_r = t_strdup_printf("%s has mode 0%o, expected 0%o, or "
			"0640 for a group that reads it", used->used_path,
			(unsigned int)st.st_mode & 07777, MODE);
	} else {
		return 0;
	}
	return -1;
}

int last_used_open(const struct last_used *used, int flags, int *fd_r,
		   const char **error_r)
{
	int fd;

	/* O_NONBLOCK: a FIFO must not make logins wait for a writer */
	fd = open(used->used_path,
		  flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1) {
		*error_r = errno == ELOOP ?
			t_strdup_printf("%s is a link, which is not followed",
					used->used_path) :
			t_strdup_printf("open(%s) failed: %m", used->used_path);
		return -1;
	}
	if (check(used, fd, error_r) < 0) {
		i_close_fd(&fd);
		return -1;
	}
	*fd_r = fd;
	return 1;
}

/* Who may write the credential file must be able to write this one, too. */
static int
give_to_owner(const struct last_used *used, int fd, const char **error_r)
{
	struct stat st;

	if (geteuid() != 0 || lstat(used->path, &st) < 0 || st.st_uid == 0 ||
	    fchown(fd, st.st_uid, st.st_gid) == 0)
		return 0;
	*error_r = t_strdup_printf("fchown(%s, %s, %s) failed: %m",
		used->used_path, dec2str(st.st_uid), dec2str(st.st_gid));
	return -1;
}

/* Returns 1 and *fd_r, 0 if somebody else was faster, -1 and an error. */
static int
create(const struct last_used *used, int *fd_r, const char **error_r)
{
	int fd;

	fd = open(used->used_path, O_RDWR | O_APPEND | O_CREAT | O_EXCL |
		  O_CLOEXEC, MODE);
	if (fd == -1 && errno == EEXIST)
		return 0;
	if (fd == -1) {
		*error_r = t_strdup_printf("open(%s) failed: %m",
					   used->used_path);
		return -1;
	}
	if (give_to_owner(used, fd, error_r) < 0) {
		i_unlink(used->used_path);
		i_close_fd(&fd);
		return -1;
	}
	*fd_r = fd;
	return 1;
}

int last_used_open_append(const struct last_used *used, int *fd_r,
			  const char **error_r)
{
	int ret;

	ret = last_used_open(used, O_RDWR | O_APPEND, fd_r, error_r);
	if (ret == 0)
		ret = create(used, fd_r, error_r);
	if (ret == 0)
		ret = last_used_open(used, O_RDWR | O_APPEND, fd_r, error_r);
	return ret;
}
