/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "last-used-private.h"

#include <fcntl.h>
#include <unistd.h>

#define SUFFIX ".used"

#define READ_SIZE (32 * 1024)

static void users_alloc(struct last_used *used)
{
	used->pool = pool_alloconly_create("last used", 1024);
	hash_table_create(&used->users, default_pool, 0, str_hash, strcmp);
}

static void users_free(struct last_used *used)
{
	hash_table_destroy(&used->users);
	pool_unref(&used->pool);
}

struct last_used *last_used_init(const char *path)
{
	struct last_used *used = i_new(struct last_used, 1);

	used->path = i_strdup(path);
	used->used_path = i_strconcat(path, SUFFIX, NULL);
	users_alloc(used);
	return used;
}

void last_used_deinit(struct last_used **_used)
{
	struct last_used *used = *_used;

	if (used == NULL)
		return;
	*_used = NULL;
	users_free(used);
	i_free(used->used_path);
	i_free(used->path);
	i_free(used);
}

void last_used_reset(struct last_used *used)
{
	struct last_used empty = {
		.path = used->path,
		.used_path = used->used_path,
	};

	users_free(used);
	*used = empty;
	users_alloc(used);
}

/* Returns NULL if there are too many. */
static struct last_used_entry *
entry_alloc(struct last_used *used, const char *name)
{
	struct last_used_entry *entry, *first;

	if (used->entries_count == LAST_USED_MAX_ENTRIES) {
		used->too_many = TRUE;
		return NULL;
	}
	used->entries_count++;
	entry = p_new(used->pool, struct last_used_entry, 1);
	first = hash_table_lookup(used->users, name);
	if (first == NULL) {
		name = p_strdup(used->pool, name);
		hash_table_insert(used->users, name, entry);
	} else {
		entry->next = first->next;
		first->next = entry;
	}
	return entry;
}

/* The entry that this line is to be written into. */
static struct last_used_entry *
entry_get(struct last_used *used, const struct last_used_line *line)
{
	struct last_used_entry *entry, *oldest = NULL;
	unsigned int count = 0;

	entry = hash_table_lookup(used->users, line->user);
	for (; entry != NULL; entry = entry->next) {
		if (strcmp(entry->id, line->id) == 0)
			return entry;
		if (oldest == NULL || entry->time < oldest->time)
			oldest = entry;
		count++;
	}
	return count == LAST_USED_USER_MAX_ENTRIES ? oldest :
		entry_alloc(used, line->user);
}

static void
read_line(struct last_used *used, const char *text, size_t size)
{
	struct last_used_line line;
	struct last_used_entry *entry;
	const char *error;

	/* who was killed while they wrote left such a one; a file of nothing
	   but short ones must not keep a worker busy */
	if (size < LAST_USED_LINE_MIN_SIZE ||
	    last_used_line_parse(text, size, &line, &error) < 0)
		return;
	entry = entry_get(used, &line);
	if (entry == NULL)
		return;
	/* the last line counts, also when the clock was set back */
	i_strocpy(entry->id, line.id, sizeof(entry->id));
	entry->time = line.time;
	entry->ip = line.ip;
}

/* Returns how many octets were whole lines. */
static size_t read_data(struct last_used *used, const char *data, size_t size)
{
	const char *p = data, *end;

	while ((end = memchr(p, '\n', size - (p - data))) != NULL) {
		used->lines_count++;
		if (used->in_long_line)
			used->in_long_line = FALSE;
		else T_BEGIN {
			read_line(used, p, end - p);
		} T_END;
		p = end + 1;
	}
	return p - data;
}

static int
read_error(const struct last_used *used, const char **error_r)
{
	*error_r = t_strdup_printf("read(%s) failed: %m", used->used_path);
	return -1;
}

static int
read_new(struct last_used *used, int fd, const char **error_r)
{
	char data[READ_SIZE];
	ssize_t size;
	size_t done;

	while (used->offset < used->size && !used->too_many) {
		size = pread(fd, data, I_MIN(sizeof(data), used->size -
					     used->offset), used->offset);
		if (size < 0)
			return read_error(used, error_r);
		done = read_data(used, data, size);
		if (done == 0 && size == sizeof(data)) {
			used->in_long_line = TRUE;
			done = size;
		}
		if (done == 0) {
			/* somebody is writing the last line, or was killed */
			break;
		}
		used->offset += done;
	}
	return 0;
}

/* Returns how many octets there are, or -1 and an error. */
static ssize_t
read_tail(const struct last_used *used, int fd, char *tail_r,
	  const char **error_r)
{
	size_t size = I_MIN(sizeof(used->tail), used->offset);
	ssize_t ret;

	memset(tail_r, 0, sizeof(used->tail));
	ret = pread(fd, tail_r, size, used->offset - size);
	return ret < 0 ? read_error(used, error_r) : ret;
}

/* Whether it is the file that was read, with nothing but more lines. The number
   of a file that was replaced may be in use again. */
static int
is_same(const struct last_used *used, int fd, const struct stat *st,
	const char **error_r)
{
	char tail[sizeof(used->tail)];

	if (st->st_dev != used->dev || st->st_ino != used->ino ||
	    (uoff_t)st->st_size < used->offset)
		return 0;
	if (read_tail(used, fd, tail, error_r) < 0)
		return -1;
	return memcmp(tail, used->tail, sizeof(tail)) == 0 ? 1 : 0;
}

static int
check_bounds(const struct last_used *used, const char **error_r)
{
	if (used->size > LAST_USED_MAX_SIZE) {
		*error_r = t_strdup_printf("%s has %"PRIuUOFF_T" octets, "
			"expected at most %u", used->used_path, used->size,
			LAST_USED_MAX_SIZE);
		return -1;
	}
	if (used->too_many) {
		*error_r = t_strdup_printf("%s has more passwords than are "
			"expected, which is at most %u", used->used_path,
			LAST_USED_MAX_ENTRIES);
		return -1;
	}
	return 0;
}

int last_used_read(struct last_used *used, int fd, const char **error_r)
{
	struct stat st;
	int ret;

	if (fstat(fd, &st) < 0) {
		*error_r = t_strdup_printf("fstat(%s) failed: %m",
					   used->used_path);
		return -1;
	}
	ret = is_same(used, fd, &st, error_r);
	if (ret < 0)
		return -1;
	if (ret == 0)
		last_used_reset(used);
	used->dev = st.st_dev;
	used->ino = st.st_ino;
	used->size = st.st_size;
	if (check_bounds(used, error_r) < 0 ||
	    read_new(used, fd, error_r) < 0 ||
	    read_tail(used, fd, used->tail, error_r) < 0)
		return -1;
	return check_bounds(used, error_r);
}

const struct last_used_entry *
last_used_lookup(const struct last_used *used, const char *name, const char *id)
{
	const struct last_used_entry *entry;

	entry = hash_table_lookup(used->users, name);
	while (entry != NULL && strcmp(entry->id, id) != 0)
		entry = entry->next;
	return entry;
}

int last_used_get(struct last_used *used, const char *name, pool_t pool,
		  ARRAY_TYPE(last_use) *uses_r, const char **error_r)
{
	const struct last_used_entry *entry;
	struct last_use *use;
	int fd, ret;

	ret = last_used_open(used, O_RDONLY, &fd, error_r);
	if (ret < 0)
		return -1;
	if (ret == 0) {
		last_used_reset(used);
	} else {
		ret = last_used_read(used, fd, error_r);
		i_close_fd(&fd);
		if (ret < 0)
			return -1;
	}
	p_array_init(uses_r, pool, 4);
	entry = hash_table_lookup(used->users, name);
	for (; entry != NULL; entry = entry->next) {
		use = array_append_space(uses_r);
		use->id = p_strdup(pool, entry->id);
		use->time = entry->time;
		use->address = entry->ip.family == 0 ? "" :
			p_strdup(pool, net_ip2addr(&entry->ip));
	}
	return 0;
}
