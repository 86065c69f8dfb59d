/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "read-full.h"
#include "state-file.h"
#include "store-private.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static enum load_result
read_open_file(int fd, const void **text_r, size_t *size_r,
	       const char **error_r)
{
	struct stat st;
	void *data;

	if (fstat(fd, &st) < 0) {
		*error_r = t_strdup_printf("fstat("STATE_NAME") failed: %m");
		return LOAD_FAILED;
	}
	if (st.st_size > STATE_MAX_SIZE) {
		*error_r = t_strdup_printf(
			"%"PRIuUOFF_T" octets, expected at most %u",
			(uoff_t)st.st_size, STATE_MAX_SIZE);
		return LOAD_CORRUPT;
	}
	data = t_malloc_no0(I_MAX(st.st_size, 1));
	if (read_full(fd, data, st.st_size) <= 0 && st.st_size > 0) {
		*error_r = t_strdup_printf("read("STATE_NAME") failed: %m");
		return LOAD_FAILED;
	}
	*text_r = data;
	*size_r = st.st_size;
	return LOADED;
}

enum load_result
state_file_read(const struct state_dir *dir, const void **text_r,
		size_t *size_r, const char **error_r)
{
	enum load_result result;
	int fd, ret;

	*text_r = NULL;
	ret = state_dir_open_file(dir, STATE_NAME, O_RDONLY, &fd, error_r);
	if (ret <= 0)
		return ret < 0 ? LOAD_FAILED : LOADED;
	result = read_open_file(fd, text_r, size_r, error_r);
	i_close_fd(&fd);
	return result;
}

void state_file_set_aside(struct policy_store *store, const char *reason)
{
	const char *name = state_dir_corrupt_name(&store->dir, STATE_NAME);

	if (renameat(store->dir.fd, STATE_NAME, store->dir.fd, name) < 0) {
		e_error(policy_store_corrupt_event(store),
			"%s/"STATE_NAME" is corrupt (%s), and renaming it to "
			"%s failed: %m",
			store->path, reason, name);
	} else {
		e_error(policy_store_corrupt_event(store),
			"%s/"STATE_NAME" is corrupt (%s): renamed it to %s and "
			"went on without it",
			store->path, reason, name);
	}
}
