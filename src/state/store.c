/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "file-lock.h"
#include "epoch.h"
#include "journal-file.h"
#include "brief.h"
#include "policy-event.h"
#include "state-file.h"
#include "policy-dict.h"
#include "store-dict.h"
#include "store-private.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME "state.lock"

#define STATE_USUAL_SIZE 4096

struct policy_store *
policy_store_init(const char *path, bool fsync, struct event *event_parent)
{
	struct policy_store *store = i_new(struct policy_store, 1);

	store->event = event_create(event_parent);
	store->path = i_strdup(path);
	store->fsync = fsync;
	store->known_text = buffer_create_dynamic(default_pool, 1024);
	store->dir.fd = -1;
	return store;
}

void policy_store_set_fsync(struct policy_store *store, bool fsync)
{
	store->fsync = fsync;
}

void policy_store_deinit(struct policy_store **_store)
{
	struct policy_store *store = *_store;

	if (store == NULL)
		return;
	*_store = NULL;
	i_assert(store->lock == NULL);
	if (store->dict != NULL)
		store->dict_v->close(&store->dict);
	policy_state_deinit(&store->known_state);
	buffer_free(&store->known_text);
	event_unref(&store->event);
	i_free(store->path);
	i_free(store);
}

enum policy_store_result policy_store_write_failure(int write_errno)
{
	switch (write_errno) {
	case ENOSPC:
	case EDQUOT:
	case EROFS:
		return POLICY_STORE_UNWRITABLE;
	default:
		return POLICY_STORE_UNUSABLE;
	}
}

void policy_store_set_known(struct policy_store *store,
			    struct policy_state *state, const void *text,
			    size_t size)
{
	policy_state_deinit(&store->known_state);
	buffer_set_used_size(store->known_text, 0);
	buffer_append(store->known_text, text, size);
	store->known_state = state;
}

/* The state whose text this is, if it is known. */
static struct policy_state *
get_known(struct policy_store *store, const void *text, size_t size)
{
	if (store->known_state == NULL || size != store->known_text->used ||
	    memcmp(text, store->known_text->data, size) != 0)
		return NULL;
	return policy_state_ref_unchanged(store->known_state);
}

enum load_result
policy_store_load_text(struct policy_store *store, const void *text,
		       size_t size, struct policy_state **state_r,
		       const char **error_r)
{
	struct policy_state *state = get_known(store, text, size);

	if (state == NULL) {
		switch (policy_state_parse(text, size, &state, error_r)) {
		case POLICY_STATE_PARSED:
			break;
		case POLICY_STATE_CORRUPT:
			return LOAD_CORRUPT;
		case POLICY_STATE_TOO_NEW:
			return LOAD_FAILED;
		}
		policy_store_set_known(store, state, text, size);
		state = policy_state_ref(state);
	}
	*state_r = state;
	return LOADED;
}

static enum load_result
load(struct policy_store *store, const struct state_dir *dir,
     struct policy_state **state_r, const char **error_r)
{
	enum load_result result;
	const void *text;
	size_t size;

	result = state_file_read(dir, &text, &size, error_r);
	if (result != LOADED)
		return result;
	if (text == NULL) {
		*state_r = policy_state_init();
		return LOADED;
	}
	return policy_store_load_text(store, text, size, state_r, error_r);
}

int policy_store_read_brief(struct policy_store *store, pool_t pool,
			    struct policy_epoch *epoch_r, const char **error_r)
{
	enum load_result result;
	struct state_dir dir;
	const void *text;
	size_t size;
	int ret;

	if (store->dict != NULL)
		return store_dict_read_brief(store, pool, epoch_r, error_r);
	ret = state_dir_open(store->path, &dir, error_r);
	if (ret <= 0)
		return ret;
	result = state_file_read(&dir, &text, &size, error_r);
	state_dir_close(&dir);
	if (result != LOADED)
		return result == LOAD_CORRUPT ? 0 : -1;
	return text == NULL ? 0 : policy_brief_parse(text, size, pool, epoch_r);
}

/* A corrupt file is left where it is; the state is then that of a new user. */
static enum policy_store_result
load_unlocked(struct policy_store *store, struct policy_state **state_r,
	      bool *corrupt_r, const char **error_r)
{
	enum load_result result;
	struct state_dir dir;
	int ret;

	if (store->dict != NULL)
		return store_dict_load(store, state_r, corrupt_r, error_r);
	*corrupt_r = FALSE;
	ret = state_dir_open(store->path, &dir, error_r);
	if (ret < 0)
		return POLICY_STORE_UNUSABLE;
	if (ret == 0) {
		*state_r = policy_state_init();
		return POLICY_STORE_OK;
	}
	result = load(store, &dir, state_r, error_r);
	state_dir_close(&dir);
	if (result == LOAD_CORRUPT) {
		*corrupt_r = TRUE;
		*state_r = policy_state_init();
	}
	return result == LOAD_FAILED ? POLICY_STORE_UNUSABLE : POLICY_STORE_OK;
}

enum policy_store_result
policy_store_read(struct policy_store *store, struct policy_state **state_r,
		  const char **error_r)
{
	enum policy_store_result result;
	bool corrupt;

	result = load_unlocked(store, state_r, &corrupt, error_r);
	if (!corrupt)
		return result;
	/* look again under the lock: who holds it may have mended it */
	policy_state_deinit(state_r);
	result = policy_store_begin(store, state_r, error_r);
	if (result == POLICY_STORE_OK)
		policy_store_rollback(store);
	return result == POLICY_STORE_UNWRITABLE ? POLICY_STORE_OK : result;
}

enum policy_store_result
policy_store_look(struct policy_store *store, struct policy_state **state_r,
		  const char **error_r)
{
	enum policy_store_result result;
	bool corrupt;

	result = load_unlocked(store, state_r, &corrupt, error_r);
	if (corrupt)
		policy_state_deinit(state_r);
	return result;
}

enum policy_store_result
policy_store_open_dir(struct policy_store *store, struct state_dir *dir_r,
		      const char **error_r)
{
	int ret;

	ret = state_dir_open(store->path, dir_r, error_r);
	if (ret == 0) {
		if (state_dir_create(store->path, store->fsync, error_r) < 0)
			return policy_store_write_failure(errno);
		ret = state_dir_open(store->path, dir_r, error_r);
		if (ret == 0)
			*error_r = t_strdup_printf("%s vanished", store->path);
	}
	return ret > 0 ? POLICY_STORE_OK : POLICY_STORE_UNUSABLE;
}

static enum policy_store_result
lock(struct policy_store *store, const char **error_r)
{
	int fd;

	return state_dir_lock_file(&store->dir, LOCK_NAME, &fd, &store->lock,
				   error_r) == 0 ? POLICY_STORE_OK :
		policy_store_write_failure(errno);
}

enum policy_store_result
policy_store_lock_dir(struct policy_store *store, const char **error_r)
{
	enum policy_store_result result;

	result = policy_store_open_dir(store, &store->dir, error_r);
	return result == POLICY_STORE_OK ? lock(store, error_r) : result;
}

void policy_store_unlock_dir(struct policy_store *store)
{
	if (store->lock != NULL)
		file_lock_free(&store->lock);
	state_dir_close(&store->dir);
}

static void unlock(struct policy_store *store)
{
	policy_store_unlock_dir(store);
	store->journal_generation = 0;
	store->journal_replaced = FALSE;
}

struct event *policy_store_corrupt_event(struct policy_store *store)
{
	return policy_event_state_failed(store->event, POLICY_EVENT_CORRUPT,
					 POLICY_EVENT_CONTINUED);
}

static enum policy_store_result
begin_unwritable(struct policy_store *store, struct policy_state **state_r,
		 const char **error_r)
{
	enum policy_store_result result;
	const char *error;
	bool corrupt;

	result = load_unlocked(store, state_r, &corrupt, &error);
	if (result != POLICY_STORE_OK) {
		*error_r = error;
		return result;
	}
	if (corrupt && store->dict != NULL) {
		e_error(policy_store_corrupt_event(store), "the state in the "
			"dict is corrupt (%s), and cannot be written: went on "
			"without it", error);
	} else if (corrupt) {
		e_error(policy_store_corrupt_event(store), "%s/"STATE_NAME" is "
			"corrupt (%s), and cannot be renamed: went on without "
			"it", store->path, error);
	}
	return POLICY_STORE_UNWRITABLE;
}

static uint32_t journal_generation(const struct policy_state *state)
{
	const struct policy_epoch *epoch = policy_state_epoch(state);

	return epoch == NULL ? 0 : epoch->journal_generation;
}

static enum policy_store_result
begin_in_files(struct policy_store *store, struct policy_state **state_r,
	       const char **error_r)
{
	enum policy_store_result result;

	result = policy_store_lock_dir(store, error_r);
	if (result == POLICY_STORE_OK) {
		switch (load(store, &store->dir, state_r, error_r)) {
		case LOADED:
			store->journal_generation = journal_generation(*state_r);
			return POLICY_STORE_OK;
		case LOAD_CORRUPT:
			state_file_set_aside(store, *error_r);
			*state_r = policy_state_init();
			return POLICY_STORE_OK;
		case LOAD_FAILED:
			result = POLICY_STORE_UNUSABLE;
			break;
		}
	}
	unlock(store);
	return result;
}

enum policy_store_result
policy_store_begin(struct policy_store *store, struct policy_state **state_r,
		   const char **error_r)
{
	enum policy_store_result result;

	i_assert(store->lock == NULL);

	result = store->dict != NULL ?
		store_dict_begin(store, state_r, error_r) :
		begin_in_files(store, state_r, error_r);
	return result == POLICY_STORE_UNWRITABLE ?
		begin_unwritable(store, state_r, error_r) : result;
}

static void forget_new_journal(struct policy_store *store)
{
	if (store->journal_replaced &&
	    unlinkat(store->dir.fd, JOURNAL_NEW_NAME, 0) < 0) {
		e_error(store->event, "unlink(%s/"JOURNAL_NEW_NAME") failed: "
			"%m", store->path);
	}
}

void policy_store_rollback(struct policy_store *store)
{
	if (store->dict != NULL) {
		store_dict_rollback(store);
		return;
	}
	i_assert(store->lock != NULL);
	forget_new_journal(store);
	unlock(store);
}

/* Returns 0, or -1 with errno and an error; then the old state is there. */
static int
replace_state(struct policy_store *store, struct policy_state *state,
	      const char **error_r)
{
	string_t *text = t_str_new(STATE_USUAL_SIZE);

	policy_state_print(state, text);
	if (str_len(text) > STATE_MAX_SIZE) {
		/* it would be refused when it is read */
		*error_r = t_strdup_printf("%s/"STATE_NAME" would have %zu "
			"octets, expected at most %u: remove what others have "
			"put there", store->path, str_len(text),
			STATE_MAX_SIZE);
		errno = EFBIG;
	} else if (state_dir_replace_file(&store->dir, STATE_NAME, text,
					  store->fsync, error_r) == 0) {
		policy_store_set_known(store, policy_state_ref(state),
				       str_data(text), str_len(text));
		return 0;
	}
	/* it may be this one, which now differs from its text */
	policy_state_deinit(&store->known_state);
	return -1;
}

/* Returns 0, or -1 with errno and an error: then it is not sure that what was
   renamed stays so when the power fails. */
static int sync_names(struct policy_store *store, const char **error_r)
{
	return store->fsync ? state_dir_sync(&store->dir, error_r) : 0;
}

static void install_new_journal(struct policy_store *store)
{
	const char *error;

	/* not a failure: it is found where it is */
	if (journal_file_install(&store->dir, &error) < 0)
		e_error(store->event, "%s", error);
}

/* The state is there. It may name a journal that is not in its place yet, but
   never one that is not there any more: so its own name has to last first. */
static int
finish_commit(struct policy_store *store, const char **error_r)
{
	if (sync_names(store, error_r) < 0)
		return -1;
	if (!store->journal_replaced)
		return 0;
	install_new_journal(store);
	return sync_names(store, error_r);
}

enum policy_store_result
policy_store_commit(struct policy_store *store, struct policy_state *state,
		    const char **error_r)
{
	enum policy_store_result result = POLICY_STORE_OK;

	if (store->dict != NULL)
		return store_dict_commit(store, state, error_r);
	i_assert(store->lock != NULL);

	if (replace_state(store, state, error_r) < 0) {
		result = policy_store_write_failure(errno);
		forget_new_journal(store);
	} else if (finish_commit(store, error_r) < 0) {
		result = policy_store_write_failure(errno);
	}
	unlock(store);
	return result;
}
