/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "file-lock.h"
#include "store-private.h"
#include "run-lock.h"

#include <fcntl.h>

#define LOCK_NAME "retention.lock"

struct policy_run_lock {
	struct state_dir dir;
	struct file_lock *lock;
};

static int
try_lock(struct policy_run_lock *lock, const char **error_r)
{
	const struct file_lock_settings set = {
		.lock_method = FILE_LOCK_METHOD_FCNTL,
		.close_on_free = TRUE,
	};
	const char *path = t_strconcat(lock->dir.path, "/"LOCK_NAME, NULL);
	int fd, ret;

	if (state_dir_open_file(&lock->dir, LOCK_NAME, O_RDWR | O_CREAT, &fd,
				error_r) <= 0)
		return -1;
	ret = file_try_lock(fd, path, F_WRLCK, &set, &lock->lock, error_r);
	if (ret <= 0)
		i_close_fd(&fd);
	return ret;
}

/* With the state in a dict, this host may have no folder of the user yet. */
static int make_dir(struct policy_store *store, const char **error_r)
{
	if (*store->path == '\0') {
		*error_r = "the user has no home directory for "LOCK_NAME;
		return -1;
	}
	return state_dir_create(store->path, FALSE, error_r);
}

int policy_run_try_lock(struct policy_store *store,
			struct policy_run_lock **lock_r, const char **error_r)
{
	struct policy_run_lock *lock;
	int ret;

	if (store->dict != NULL && make_dir(store, error_r) < 0)
		return -1;
	lock = i_new(struct policy_run_lock, 1);
	ret = state_dir_open(store->path, &lock->dir, error_r);
	if (ret > 0) {
		ret = try_lock(lock, error_r);
		if (ret <= 0)
			state_dir_close(&lock->dir);
	} else if (ret == 0) {
		*error_r = t_strdup_printf("%s does not exist", store->path);
		ret = -1;
	}
	if (ret <= 0) {
		i_free(lock);
		return ret;
	}
	*lock_r = lock;
	return 1;
}

void policy_run_unlock(struct policy_run_lock **_lock)
{
	struct policy_run_lock *lock = *_lock;

	if (lock == NULL)
		return;
	*_lock = NULL;
	file_lock_free(&lock->lock);
	state_dir_close(&lock->dir);
	i_free(lock);
}
