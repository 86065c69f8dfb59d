/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "file-lock.h"
#include "state-dir.h"
#include "credentials.h"
#include "credential-file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define LOCK_SUFFIX ".lock"
#define TEMP_SUFFIX ".tmp"

struct credential_file_edit {
	char *path;
	/* of the file in the folder */
	const char *name;
	char *dir_path;
	struct state_dir dir;
	struct file_lock *lock;
	struct credentials *credentials;
	/* there is a file; st is of it */
	bool exists;
	struct stat st;
};

static void edit_free(struct credential_file_edit **_edit)
{
	struct credential_file_edit *edit = *_edit;

	*_edit = NULL;
	credentials_deinit(&edit->credentials);
	if (edit->lock != NULL)
		file_lock_free(&edit->lock);
	i_close_fd(&edit->dir.fd);
	i_free(edit->dir_path);
	i_free(edit->path);
	i_free(edit);
}

/* The folder is the admin's, who may have a link there. */
static int
edit_open_dir(struct credential_file_edit *edit, const char **error_r)
{
	const char *slash = strrchr(edit->path, '/');

	edit->name = slash == NULL ? edit->path : slash + 1;
	edit->dir_path = slash == NULL ? i_strdup(".") :
		slash == edit->path ? i_strdup("/") :
		i_strdup_until(edit->path, slash);
	edit->dir.path = edit->dir_path;
	edit->dir.fd = open(edit->dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (edit->dir.fd != -1)
		return 0;
	*error_r = t_strdup_printf("open(%s) failed: %m", edit->dir_path);
	return -1;
}

/* Whose file it is, or, as root makes a new one, whose it shall be: the owner's
   of the folder. Returns FALSE if it is the process's. */
static bool get_owner(struct credential_file_edit *edit, struct stat *st_r)
{
	return fstatat(edit->dir.fd, edit->name, st_r,
		       AT_SYMLINK_NOFOLLOW) == 0 ||
		(geteuid() == 0 && fstat(edit->dir.fd, st_r) == 0);
}

/* Who may write the file must be able to lock it: the lock file is given to the
   owner of that one. It has no content, so its mode does not matter. */
static int
lock_file_give(struct credential_file_edit *edit, int fd, const char *path,
	       const char **error_r)
{
	struct stat st;

	if (!get_owner(edit, &st) || st.st_uid == geteuid() ||
	    fchown(fd, st.st_uid, st.st_gid) == 0)
		return 0;
	*error_r = t_strdup_printf("fchown(%s) failed: %m", path);
	return -1;
}

/* Whether root made the lock file and was killed before it could be given away.
   Nothing else is given to those who may write in the folder. */
static bool is_left_by_root(int fd)
{
	struct stat st;

	return geteuid() == 0 && fstat(fd, &st) == 0 && st.st_uid == 0 &&
		S_ISREG(st.st_mode) && st.st_nlink == 1 && st.st_size == 0;
}

static int
open_lock_file(struct credential_file_edit *edit, const char *path,
	       const char **error_r)
{
	const char *name = t_strconcat(edit->name, LOCK_SUFFIX, NULL);
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd;

	fd = openat(edit->dir.fd, name, flags | O_CREAT | O_EXCL, 0600);
	if (fd != -1) {
		if (lock_file_give(edit, fd, path, error_r) < 0) {
			(void)unlinkat(edit->dir.fd, name, 0);
			i_close_fd(&fd);
		}
		return fd;
	}
	if (errno == EEXIST)
		fd = openat(edit->dir.fd, name, flags);
	if (fd == -1)
		*error_r = t_strdup_printf("open(%s) failed: %m", path);
	else if (is_left_by_root(fd) &&
		 lock_file_give(edit, fd, path, error_r) < 0)
		i_close_fd(&fd);
	return fd;
}

static int
edit_lock(struct credential_file_edit *edit, unsigned int lock_secs,
	  const char **error_r)
{
	const struct file_lock_settings set = {
		.lock_method = FILE_LOCK_METHOD_FCNTL,
		.close_on_free = TRUE,
		/* fail, rather than panic in the middle of a login */
		.allow_deadlock = TRUE,
	};
	const char *path = t_strconcat(edit->path, LOCK_SUFFIX, NULL);
	int fd, ret;

	fd = open_lock_file(edit, path, error_r);
	if (fd == -1)
		return -1;
	ret = file_wait_lock(fd, path, F_WRLCK, &set, lock_secs, &edit->lock,
			     error_r);
	if (ret <= 0)
		i_close_fd(&fd);
	return ret;
}

static int edit_read(struct credential_file_edit *edit, const char **error_r)
{
	const char *error;
	int ret;

	ret = credential_file_load(edit->path, &edit->credentials, &edit->st,
				   &error);
	if (ret < 0) {
		*error_r = error;
		return -1;
	}
	if (ret == 0)
		edit->credentials = credentials_init_empty();
	edit->exists = ret > 0;
	return 0;
}

int credential_file_edit_begin(const char *path, unsigned int lock_secs,
			       struct credential_file_edit **edit_r,
			       const char **error_r)
{
	struct credential_file_edit *edit;
	int ret;

	edit = i_new(struct credential_file_edit, 1);
	edit->path = i_strdup(path);
	edit->dir.fd = -1;
	ret = edit_open_dir(edit, error_r);
	if (ret == 0)
		ret = edit_lock(edit, lock_secs, error_r);
	if (ret > 0 && edit_read(edit, error_r) < 0)
		ret = -1;
	if (ret <= 0)
		edit_free(&edit);
	else
		*edit_r = edit;
	return ret;
}

const struct credentials *
credential_file_edit_get(const struct credential_file_edit *edit)
{
	return edit->credentials;
}

/* Editors know nothing of our lock. */
static int check_unchanged(struct credential_file_edit *edit,
			   const char **error_r)
{
	struct stat st;
	bool exists;

	exists = fstatat(edit->dir.fd, edit->name, &st,
			 AT_SYMLINK_NOFOLLOW) == 0;
	if (!exists && errno != ENOENT) {
		*error_r = t_strdup_printf("stat(%s) failed: %m", edit->path);
		return -1;
	}
	if (exists == edit->exists &&
	    (!exists || (st.st_dev == edit->st.st_dev &&
			 st.st_ino == edit->st.st_ino &&
			 st.st_size == edit->st.st_size &&
			 st.st_mtim.tv_sec == edit->st.st_mtim.tv_sec &&
			 st.st_mtim.tv_nsec == edit->st.st_mtim.tv_nsec)))
		return 0;
	*error_r = t_strdup_printf("%s was changed meanwhile by a program that "
		"does not lock it", edit->path);
	return -1;
}

/* The owner first: the mode lets the group read, which must be the right one by
   then. */
static int
fd_keep_owner(int fd, const struct stat *st, const char *path,
	      const char **error_r)
{
	struct stat temp_st;

	if (fstat(fd, &temp_st) < 0) {
		*error_r = t_strdup_printf("fstat(%s) failed: %m", path);
	} else if (temp_st.st_nlink != 1) {
		*error_r = t_strdup_printf("%s has another name", path);
	} else if (fchown(fd, st->st_uid, st->st_gid) < 0) {
		*error_r = t_strdup_printf("fchown(%s, %s, %s) failed: %m",
			path, dec2str(st->st_uid), dec2str(st->st_gid));
	} else if (fchmod(fd, st->st_mode & 0777) < 0) {
		*error_r = t_strdup_printf("fchmod(%s) failed: %m", path);
	} else if (fsync(fd) < 0) {
		*error_r = t_strdup_printf("fsync(%s) failed: %m", path);
	} else {
		return 0;
	}
	return -1;
}

static int
keep_owner(struct credential_file_edit *edit, const char *name,
	   const char **error_r)
{
	const char *path = t_strconcat(edit->dir.path, "/", name, NULL);
	struct stat st = edit->st;
	int fd, ret;

	if (!edit->exists) {
		if (!get_owner(edit, &st))
			return 0;
		st.st_mode = 0600;
	}
	if (state_dir_open_file(&edit->dir, name, O_RDONLY, &fd, error_r) <= 0)
		return -1;
	ret = fd_keep_owner(fd, &st, path, error_r);
	i_close_fd(&fd);
	return ret;
}

static int
install(struct credential_file_edit *edit, const char *name,
	const char **error_r)
{
	if (keep_owner(edit, name, error_r) < 0 ||
	    check_unchanged(edit, error_r) < 0)
		return -1;
	if (renameat(edit->dir.fd, name, edit->dir.fd, edit->name) < 0) {
		*error_r = t_strdup_printf("rename(%s/%s) failed: %m",
					   edit->dir.path, name);
		return -1;
	}
	return 0;
}

static int
replace(struct credential_file_edit *edit, const string_t *text,
	const char **error_r)
{
	const char *name = t_strconcat(edit->name, TEMP_SUFFIX, NULL);

	if (state_dir_write_file(&edit->dir, name, text, TRUE, error_r) < 0)
		return -1;
	if (install(edit, name, error_r) < 0) {
		(void)unlinkat(edit->dir.fd, name, 0);
		return -1;
	}
	return state_dir_sync(&edit->dir, error_r);
}

int credential_file_edit_commit(struct credential_file_edit **edit,
				const string_t *text, const char **error_r)
{
	int ret = replace(*edit, text, error_r);

	edit_free(edit);
	return ret;
}

void credential_file_edit_rollback(struct credential_file_edit **edit)
{
	if (*edit != NULL)
		edit_free(edit);
}
