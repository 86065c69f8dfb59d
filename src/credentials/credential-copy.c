/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "write-full.h"
#include "credentials-private.h"
#include "credential-copy.h"
#include "credential-file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define COPY_SUFFIX ".good"
#define TEMP_SUFFIX ".tmp"

/* Whoever has not finished after this time was killed. */
#define LEFTOVER_SECS 60

#define MODE_KEPT (S_IRUSR | S_IWUSR | S_IRGRP)

const char *credential_copy_path(const char *path)
{
	return t_strconcat(path, COPY_SUFFIX, NULL);
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec ||
		(a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

bool credential_copy_is_current(const char *path, const struct stat *st,
				bool settled)
{
	struct stat copy_st;

	if (lstat(credential_copy_path(path), &copy_st) < 0 ||
	    !S_ISREG(copy_st.st_mode) ||
	    copy_st.st_mtim.tv_sec != st->st_mtim.tv_sec ||
	    copy_st.st_mtim.tv_nsec != st->st_mtim.tv_nsec)
		return FALSE;
	/* a file that was changed later may have got its old mtime back */
	return !is_before(&copy_st.st_ctim, &st->st_ctim) &&
		(!settled || copy_st.st_ctim.tv_sec - st->st_ctim.tv_sec >
		 CREDENTIAL_FILE_TICK_SECS);
}

static int
call_error(const char *call, const char *path, const char **error_r)
{
	*error_r = t_strdup_printf("%s(%s) failed: %m", call, path);
	return -1;
}

static bool is_leftover(const char *path, time_t now)
{
	struct stat st;

	/* also after the clock was set back */
	return lstat(path, &st) == 0 &&
		(now - st.st_ctim.tv_sec >= LEFTOVER_SECS ||
		 st.st_ctim.tv_sec - now >= LEFTOVER_SECS);
}

/* Returns 1 and *fd_r, 0 if somebody else has it, -1 and an error. */
static int
create_temp(const char *path, time_t now, int *fd_r, const char **error_r)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = open(path, flags, 0600);

	if (fd == -1 && errno == EEXIST) {
		if (!is_leftover(path, now))
			return 0;
		if (unlink(path) < 0 && errno != ENOENT)
			return call_error("unlink", path, error_r);
		fd = open(path, flags, 0600);
		if (fd == -1 && errno == EEXIST)
			return 0;
	}
	if (fd == -1)
		return call_error("open", path, error_r);
	*fd_r = fd;
	return 1;
}

/* Only root may give a file away. The group may read it if it is the right
   one. */
static int keep_rights(int fd, const struct stat *st)
{
	uid_t uid = geteuid() == 0 ? st->st_uid : (uid_t)-1;
	mode_t mode = st->st_mode & MODE_KEPT;

	if (fchown(fd, uid, st->st_gid) < 0)
		mode &= ~S_IRGRP;
	return fchmod(fd, mode);
}

static int
write_temp(int fd, const char *path, const struct credentials *credentials,
	   const struct stat *st, const char **error_r)
{
	const struct timespec times[] = { st->st_mtim, st->st_mtim };
	const string_t *text = credentials->text;

	if (keep_rights(fd, st) < 0)
		return call_error("fchmod", path, error_r);
	if (write_full(fd, str_data(text), str_len(text)) < 0)
		return call_error("write", path, error_r);
	if (fdatasync(fd) < 0)
		return call_error("fdatasync", path, error_r);
	if (futimens(fd, times) < 0)
		return call_error("futimens", path, error_r);
	return 0;
}

/* Returns as credential_copy_write(), but an old copy may still be there. */
static int
replace(const char *copy_path, const struct credentials *credentials,
	const struct stat *st, time_t now, const char **error_r)
{
	const char *path = t_strconcat(copy_path, TEMP_SUFFIX, NULL);
	int fd, ret;

	ret = create_temp(path, now, &fd, error_r);
	if (ret <= 0)
		return ret;
	ret = write_temp(fd, path, credentials, st, error_r);
	i_close_fd(&fd);
	if (ret == 0 && rename(path, copy_path) < 0)
		ret = call_error("rename", path, error_r);
	if (ret < 0)
		i_unlink_if_exists(path);
	return ret < 0 ? -1 : 1;
}

int credential_copy_write(const char *path,
			  const struct credentials *credentials,
			  const struct stat *st, time_t now,
			  const char **error_r)
{
	const char *copy_path = credential_copy_path(path), *error;
	int ret;

	ret = replace(copy_path, credentials, st, now, &error);
	if (ret >= 0)
		return ret;
	*error_r = unlink(copy_path) == 0 || errno == ENOENT ? error :
		t_strdup_printf("%s, and an old copy stays there: "
				"unlink(%s) failed: %m", error, copy_path);
	return -1;
}

int credential_copy_read(const char *path, struct credentials **credentials_r,
			 const char **error_r)
{
	const char *error;
	struct stat st;
	int ret;

	ret = credential_file_load(credential_copy_path(path), credentials_r,
				   &st, &error);
	if (ret < 0)
		*error_r = error;
	return ret;
}
