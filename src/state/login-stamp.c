/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "file-lock.h"
#include "write-full.h"
#include "printable.h"
#include "state-json.h"
#include "store-dict.h"
#include "store-private.h"
#include "login-stamp.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <jansson.h>

#define STAMP_NAME "login.json"
#define STAMP_VERSION 1
/* Our own are far below. */
#define STAMP_MAX_SIZE 1024
/* Always of the same size, so that a number takes the place of another one. */
#define STAMP_FORMAT "{\"version\":1,\"next\":%20"PRIu64"}\n"

enum stamp_result {
	STAMP_READ,
	/* the number is 0, and *error_r says why */
	STAMP_BROKEN,
	STAMP_FAILED
};

static enum stamp_result
parse(json_t *root, uint64_t *number_r, const char **error_r)
{
	int ret = state_json_is_newer(root, STAMP_VERSION, error_r);

	if (ret > 0)
		return STAMP_FAILED;
	if (ret < 0 ||
	    state_json_get_number(root, "next", number_r, error_r) < 0)
		return STAMP_BROKEN;
	return STAMP_READ;
}

static enum stamp_result
parse_text(const char *text, size_t size, uint64_t *number_r,
	   const char **error_r)
{
	enum stamp_result result;
	json_error_t json_error;
	json_t *root;

	if (size > STAMP_MAX_SIZE) {
		*error_r = t_strdup_printf("more than %u octets",
					   STAMP_MAX_SIZE);
		return STAMP_BROKEN;
	}
	root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &json_error);
	if (root == NULL) {
		*error_r = t_strdup(pop3_printable(json_error.text));
		return STAMP_BROKEN;
	}
	result = parse(root, number_r, error_r);
	json_decref(root);
	return result;
}

/* *size_r is how large the file is, or more than STAMP_MAX_SIZE. */
static enum stamp_result
read_file(const struct state_dir *dir, int fd, uint64_t *number_r,
	  size_t *size_r, const char **error_r)
{
	char text[STAMP_MAX_SIZE + 1];
	ssize_t size = pread(fd, text, sizeof(text), 0);
	enum stamp_result result;
	const char *error;

	*number_r = 0;
	if (size < 0) {
		*error_r = t_strdup_printf("read(%s/"STAMP_NAME") failed: %m",
					   dir->path);
		return STAMP_FAILED;
	}
	*size_r = size;
	if (size == 0) {
		/* as a full disk leaves a new one */
		return STAMP_READ;
	}
	result = parse_text(text, size, number_r, &error);
	if (result != STAMP_READ) {
		*error_r = t_strdup_printf("%s/"STAMP_NAME": %s", dir->path,
					   error);
	}
	return result;
}

enum policy_store_result
policy_login_stamp_read(struct policy_store *store, uint64_t *number_r,
			const char **error_r)
{
	enum stamp_result result = STAMP_READ;
	struct state_dir dir;
	size_t size;
	int fd, ret;

	if (store->dict != NULL)
		return store_dict_read_login_stamp(store, number_r, error_r);
	*number_r = 0;
	ret = state_dir_open(store->path, &dir, error_r);
	if (ret > 0) {
		ret = state_dir_open_file(&dir, STAMP_NAME, O_RDONLY, &fd,
					  error_r);
		if (ret > 0) {
			result = read_file(&dir, fd, number_r, &size, error_r);
			i_close_fd(&fd);
		}
		state_dir_close(&dir);
	}
	return ret < 0 || result == STAMP_FAILED ? POLICY_STORE_UNUSABLE :
		POLICY_STORE_OK;
}

/* What a full disk took of the first number would be an error to the next
   login. Returns FALSE if it stays there; errno is as before. */
static bool take_back(int fd, size_t old_size, size_t size)
{
	int old_errno = errno;
	bool ret = old_size >= size || ftruncate(fd, old_size) == 0;

	errno = old_errno;
	return ret;
}

static int
write_file(const struct state_dir *dir, int fd, uint64_t number,
	   size_t old_size, const char **error_r)
{
	const char *text = t_strdup_printf(STAMP_FORMAT, number);
	const char *failed = NULL;
	size_t size = strlen(text);

	/* nothing has moved the offset */
	if (write_full(fd, text, size) < 0) {
		failed = take_back(fd, old_size, size) ? "write" :
			"write(), ftruncate";
	} else if (old_size > size && ftruncate(fd, size) < 0)
		failed = "ftruncate";
	if (failed == NULL)
		return 0;
	*error_r = t_strdup_printf("%s(%s/"STAMP_NAME") failed: %m", failed,
				   dir->path);
	return -1;
}

static enum policy_store_result
set_locked(struct policy_store *store, const struct state_dir *dir, int fd,
	   uint64_t old, uint64_t number, bool *set_r, const char **error_r)
{
	uint64_t current;
	size_t size;

	switch (read_file(dir, fd, &current, &size, error_r)) {
	case STAMP_READ:
		break;
	case STAMP_BROKEN:
		e_error(store->event, "%s: went on without it", *error_r);
		break;
	case STAMP_FAILED:
		return POLICY_STORE_UNUSABLE;
	}
	*set_r = current == old;
	if (*set_r && write_file(dir, fd, number, size, error_r) < 0)
		return policy_store_write_failure(errno);
	return POLICY_STORE_OK;
}

static enum policy_store_result
set_in_dir(struct policy_store *store, const struct state_dir *dir,
	   uint64_t old, uint64_t number, bool *set_r, const char **error_r)
{
	enum policy_store_result result;
	struct file_lock *lock;
	int fd;

	if (state_dir_lock_file(dir, STAMP_NAME, &fd, &lock, error_r) < 0)
		return policy_store_write_failure(errno);
	result = set_locked(store, dir, fd, old, number, set_r, error_r);
	file_lock_free(&lock);
	return result;
}

enum policy_store_result
policy_login_stamp_set(struct policy_store *store, uint64_t old,
		       uint64_t number, bool *set_r, const char **error_r)
{
	enum policy_store_result result;
	struct state_dir dir;

	if (store->dict != NULL) {
		return store_dict_set_login_stamp(store, old, number, set_r,
						  error_r);
	}
	result = policy_store_open_dir(store, &dir, error_r);
	if (result != POLICY_STORE_OK)
		return result;
	result = set_in_dir(store, &dir, old, number, set_r, error_r);
	state_dir_close(&dir);
	return result;
}
