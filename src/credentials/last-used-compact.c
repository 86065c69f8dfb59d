/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "write-full.h"
#include "last-used-private.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define TEMP_SUFFIX ".tmp"

#define WRITE_SIZE (32 * 1024)

static int
call_error(const char *call, const char *path, const char **error_r)
{
	*error_r = t_strdup_printf("%s(%s) failed: %m", call, path);
	return -1;
}

static void
print_user(string_t *dest, const char *name,
	   const struct last_used_entry *entry)
{
	for (; entry != NULL; entry = entry->next) {
		const struct last_used_line line = {
			.user = name,
			.id = entry->id,
			.time = entry->time,
			.ip = entry->ip,
		};

		last_used_line_print(dest, &line);
	}
}

/* In parts, so that a worker has not all of it in memory twice. */
static int write_users(struct last_used *used, int fd)
{
	string_t *text = str_new(default_pool, WRITE_SIZE * 2);
	struct hash_iterate_context *iter;
	struct last_used_entry *entry;
	const char *name;
	int ret = 0;

	iter = hash_table_iterate_init(used->users);
	while (ret == 0 &&
	       hash_table_iterate(iter, used->users, &name, &entry)) T_BEGIN {
		print_user(text, name, entry);
		if (str_len(text) >= WRITE_SIZE) {
			ret = write_full(fd, str_data(text), str_len(text));
			str_truncate(text, 0);
		}
	} T_END;
	hash_table_iterate_deinit(&iter);
	if (ret == 0)
		ret = write_full(fd, str_data(text), str_len(text));
	str_free(&text);
	return ret;
}

/* Who owns the file may not be in its group, which does not matter if that has
   no rights. */
static int keep_owner(int fd, const struct stat *st)
{
	if (fchown(fd, st->st_uid, st->st_gid) == 0)
		return 0;
	return errno == EPERM && st->st_uid == geteuid() &&
		(st->st_mode & S_IRWXG) == 0 ? 0 : -1;
}

/* The owner first: the mode lets the group read, which must be the right one by
   then. */
static int
write_temp(struct last_used *used, int fd, const struct stat *st,
	   const char *path, const char **error_r)
{
	if (keep_owner(fd, st) < 0)
		return call_error("fchown", path, error_r);
	if (fchmod(fd, st->st_mode & 0777) < 0)
		return call_error("fchmod", path, error_r);
	if (write_users(used, fd) < 0)
		return call_error("write", path, error_r);
	if (fdatasync(fd) < 0)
		return call_error("fdatasync", path, error_r);
	if (rename(path, used->used_path) < 0)
		return call_error("rename", path, error_r);
	return 0;
}

/* Who has the lock may remove what somebody left who was killed here. */
static int create_temp(const char *path, const char **error_r)
{
	int fd;

	if (unlink(path) < 0 && errno != ENOENT)
		return call_error("unlink", path, error_r);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd == -1 ? call_error("open", path, error_r) : fd;
}

int last_used_compact(struct last_used *used, int fd, const char **error_r)
{
	const char *path = t_strconcat(used->used_path, TEMP_SUFFIX, NULL);
	struct stat st;
	int temp_fd, ret = -1;

	if (fstat(fd, &st) < 0)
		return call_error("fstat", used->used_path, error_r);
	/* before the work, as the folder may not be ours to write */
	temp_fd = create_temp(path, error_r);
	if (temp_fd == -1)
		return -1;
	/* all of it, rather than what was in it at some time */
	last_used_reset(used);
	if (last_used_read(used, fd, error_r) == 0)
		ret = write_temp(used, temp_fd, &st, path, error_r);
	if (ret < 0)
		i_unlink(path);
	i_close_fd(&temp_fd);
	return ret;
}
