/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "safe-memset.h"
#include "passdb-config.h"
#include "passwd-file-list.h"

#include <unistd.h>

/* With the line end, which may have two octets. */
#define BUFFER_SIZE (PASSWD_FILE_LINE_MAX_LEN + 2)

struct list_reader {
	int fd;
	const struct passdb_config *config;
	pool_t pool;
	ARRAY_TYPE(passwd_file_line) *lines;
	/* name -> number of the line */
	HASH_TABLE(const char *, void *) users;
	unsigned int number;

	/* what has been read and is no whole line yet; it has secrets */
	char *buffer;
	size_t used;
	/* the buffer begins within a line that is too long */
	bool too_long;
};

static void
add_invalid(struct list_reader *reader, const char *name, const char *reason)
{
	struct passwd_file_line *line = array_append_space(reader->lines);

	line->number = reader->number;
	line->result = PASSWORD_IMPORT_INVALID;
	line->reason = p_strdup(reader->pool, reason);
	line->entry.user.name = p_strdup(reader->pool, name);
}

static void
add_user(struct list_reader *reader, const struct passwd_file_entry *entry)
{
	struct passwd_file_line *line;
	const char *name, *error;
	void *other;

	if (passdb_config_username(reader->config, entry->user.name, &name,
				   &error) < 0) {
		add_invalid(reader, entry->user.name, error);
		return;
	}
	other = hash_table_lookup(reader->users, name);
	if (other != NULL) {
		add_invalid(reader, name, t_strdup_printf("the user is in line "
			"%u already, expected each one once",
			POINTER_CAST_TO(other, unsigned int)));
		return;
	}
	name = p_strdup(reader->pool, name);
	hash_table_insert(reader->users, name, POINTER_CAST(reader->number));
	line = array_append_space(reader->lines);
	line->number = reader->number;
	line->result = PASSWORD_IMPORT_NEW;
	line->entry = *entry;
	line->entry.user.name = name;
}

/* The line ends with NUL, in the place of its line end. */
static void read_line(struct list_reader *reader, const char *line, size_t len)
{
	struct passwd_file_entry entry;
	const char *error;
	int ret;

	if (memchr(line, '\0', len) != NULL) {
		add_invalid(reader, NULL, "the line has a NUL, expected text");
		return;
	}
	if (len > PASSWD_FILE_LINE_MAX_LEN) {
		add_invalid(reader, passwd_file_get_name(line), t_strdup_printf(
			"the line is too long, expected at most %u octets",
			PASSWD_FILE_LINE_MAX_LEN));
		return;
	}
	ret = passwd_file_parse(line, reader->pool, &entry, &error);
	if (ret < 0)
		add_invalid(reader, passwd_file_get_name(line), error);
	else if (ret > 0)
		add_user(reader, &entry);
}

/* From the start of the buffer to its end, which has space for the NUL. */
static void end_line(struct list_reader *reader, char *start, char *end)
{
	if (end > start && end[-1] == '\r')
		end--;
	*end = '\0';
	if (reader->too_long) {
		/* it was told when the buffer was full */
		reader->too_long = FALSE;
		return;
	}
	reader->number++;
	T_BEGIN {
		read_line(reader, start, end - start);
	} T_END;
}

/* What is left is moved to the start of the buffer. */
static void take_lines(struct list_reader *reader)
{
	char *start = reader->buffer, *end;

	while ((end = memchr(start, '\n', reader->used)) != NULL) {
		reader->used -= end + 1 - start;
		end_line(reader, start, end);
		start = end + 1;
	}
	if (reader->used == BUFFER_SIZE) {
		/* what is missing of the line does not matter any more */
		end_line(reader, start, start + reader->used);
		reader->too_long = TRUE;
		reader->used = 0;
	}
	memmove(reader->buffer, start, reader->used);
}

static int read_all(struct list_reader *reader, const char **error_r)
{
	ssize_t ret;

	while ((ret = read(reader->fd, reader->buffer + reader->used,
			   BUFFER_SIZE - reader->used)) != 0) {
		if (ret < 0 && errno == EINTR)
			continue;
		if (ret < 0) {
			*error_r = t_strdup_printf("cannot be read: %m");
			return -1;
		}
		reader->used += ret;
		take_lines(reader);
		if (reader->number > PASSWD_FILE_MAX_LINES) {
			*error_r = t_strdup_printf("is too long, expected at "
				"most %u lines", PASSWD_FILE_MAX_LINES);
			return -1;
		}
	}
	/* the last one may have no line end */
	if (reader->used > 0 || reader->too_long) {
		end_line(reader, reader->buffer,
			 reader->buffer + reader->used);
	}
	return 0;
}

int passwd_file_list_read(int fd, const struct passdb_config *config,
			  pool_t pool,
			  ARRAY_TYPE(passwd_file_line) *lines_r,
			  const char **error_r)
{
	struct list_reader reader = {
		.fd = fd, .config = config, .pool = pool, .lines = lines_r
	};
	int ret;

	p_array_init(lines_r, pool, 128);
	hash_table_create(&reader.users, default_pool, 0, str_hash, strcmp);
	reader.buffer = i_malloc(BUFFER_SIZE + 1);
	ret = read_all(&reader, error_r);
	safe_memset(reader.buffer, 0, BUFFER_SIZE + 1);
	i_free(reader.buffer);
	hash_table_destroy(&reader.users);
	return ret;
}
