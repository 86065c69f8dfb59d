/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "file-lock.h"
#include "last-used-private.h"

#include <fcntl.h>
#include <unistd.h>

#define NOTE_SECS 3600
/* With fewer lines it is not worth it. */
#define COMPACT_MIN_LINES 1000

static bool
is_due(const struct last_used *used, const struct last_used_line *line)
{
	const struct last_used_entry *entry;

	entry = last_used_lookup(used, line->user, line->id);
	/* no use was in the future: the clock was wrong then */
	return entry == NULL || entry->time > line->time ||
		line->time - entry->time >= NOTE_SECS;
}

/* Whether the locked file is still the one of that name. */
static bool is_in_place(const struct last_used *used)
{
	struct stat st;

	return lstat(used->used_path, &st) == 0 && st.st_dev == used->dev &&
		st.st_ino == used->ino;
}

/* At once, so that it stands whole in a line even if somebody writes who knows
   nothing of the lock. */
static int
write_line(const struct last_used *used, int fd, const string_t *text,
	   const char **error_r)
{
	ssize_t size = write(fd, str_data(text), str_len(text));

	if (size == (ssize_t)str_len(text))
		return 0;
	if (size >= 0)
		errno = ENOSPC;
	*error_r = t_strdup_printf("write(%s) failed: %m", used->used_path);
	if (size > 0 && ftruncate(fd, used->size) < 0) {
		*error_r = t_strdup_printf("%s, and so did ftruncate(): %m",
					   *error_r);
	}
	return -1;
}

static int
append(struct last_used *used, int fd, const struct last_used_line *line,
       const char **error_r)
{
	string_t *text = t_str_new(256);

	/* what somebody left who was killed must not take this one along */
	if (used->offset < used->size || used->in_long_line)
		str_append_c(text, '\n');
	last_used_line_print(text, line);
	if (used->size + str_len(text) > LAST_USED_MAX_SIZE) {
		*error_r = t_strdup_printf("%s would have %"PRIuUOFF_T" "
			"octets, expected at most %u", used->used_path,
			used->size + str_len(text), LAST_USED_MAX_SIZE);
		return -1;
	}
	if (write_line(used, fd, text, error_r) < 0 ||
	    last_used_read(used, fd, error_r) < 0)
		return -1;
	if (used->lines_count > COMPACT_MIN_LINES &&
	    used->lines_count > used->entries_count * 2 &&
	    last_used_compact(used, fd, error_r) < 0)
		return -1;
	return 1;
}

/* Somebody else may have written until now. */
static int
append_if_due(struct last_used *used, int fd, const struct last_used_line *line,
	      const char **error_r)
{
	if (last_used_read(used, fd, error_r) < 0)
		return -1;
	if (!is_due(used, line) || !is_in_place(used))
		return 0;
	return append(used, fd, line, error_r);
}

static int
lock_and_append(struct last_used *used, int fd,
		const struct last_used_line *line, const char **error_r)
{
	const struct file_lock_settings set = {
		.lock_method = FILE_LOCK_METHOD_FCNTL,
	};
	struct file_lock *lock;
	int ret;

	ret = file_try_lock(fd, used->used_path, F_WRLCK, &set, &lock, error_r);
	if (ret <= 0)
		return ret;
	ret = append_if_due(used, fd, line, error_r);
	file_unlock(&lock);
	return ret;
}

static int
note(struct last_used *used, const struct last_used_line *line,
     const char **error_r)
{
	int fd, ret;

	ret = last_used_open_append(used, &fd, error_r);
	if (ret <= 0)
		return ret;
	ret = last_used_read(used, fd, error_r);
	if (ret == 0 && is_due(used, line))
		ret = lock_and_append(used, fd, line, error_r);
	i_close_fd(&fd);
	return ret;
}

int last_used_note(struct last_used *used, const char *name, const char *id,
		   const char *address, time_t now, const char **error_r)
{
	struct last_used_line line = {
		.user = name,
		.id = id,
		.time = now,
	};

	if (!last_used_line_is_valid(&line, error_r) ||
	    last_used_address_parse(address, &line.ip, error_r) < 0)
		return -1;
	return note(used, &line, error_r);
}
