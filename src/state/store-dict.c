/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "brief.h"
#include "policy-dict.h"
#include "store-dict.h"
#include "store-private.h"

#include <sys/stat.h>

#define STATE_USUAL_SIZE 4096

struct policy_store *
policy_store_init_dict(struct policy_dict *dict,
		       const struct policy_dict_vfuncs *dict_v,
		       const char *path, struct event *event_parent)
{
	struct policy_store *store =
		policy_store_init(path, FALSE, event_parent);

	store->dict = dict;
	store->dict_v = dict_v;
	return store;
}

int store_dict_read_brief(struct policy_store *store, pool_t pool,
			  struct policy_epoch *epoch_r, const char **error_r)
{
	const char *text;
	int ret;

	ret = store->dict_v->get_state(store->dict, &text, error_r);
	return ret <= 0 ? ret :
		policy_brief_parse(text, strlen(text), pool, epoch_r);
}

/* *text_r is NULL if there is none. */
static enum load_result
load(struct policy_store *store, struct policy_state **state_r,
     const char **text_r, const char **error_r)
{
	enum load_result result;
	struct policy_state *state;
	int ret;

	*text_r = NULL;
	ret = store->dict_v->get_state(store->dict, text_r, error_r);
	if (ret < 0)
		return LOAD_FAILED;
	if (ret == 0) {
		state = policy_state_init();
	} else if (strlen(*text_r) > STATE_MAX_SIZE) {
		*error_r = t_strdup_printf("%zu octets, expected at most %u",
					   strlen(*text_r), STATE_MAX_SIZE);
		return LOAD_CORRUPT;
	} else {
		result = policy_store_load_text(store, *text_r, strlen(*text_r),
						&state, error_r);
		if (result != LOADED)
			return result;
	}
	/* other hosts may have added to them since it was written */
	if (store->dict_v->get_quota(store->dict, policy_state_quota(state),
				     error_r) < 0) {
		policy_state_deinit(&state);
		return LOAD_FAILED;
	}
	*state_r = state;
	return LOADED;
}

/* The counters of a state that is of no use are lost with it. */
static int
init_anew(struct policy_store *store, struct policy_state **state_r,
	  const char **error_r)
{
	struct policy_state *state = policy_state_init();

	if (store->dict_v->get_quota(store->dict, policy_state_quota(state),
				     error_r) < 0) {
		policy_state_deinit(&state);
		return -1;
	}
	*state_r = state;
	return 0;
}

enum policy_store_result
store_dict_load(struct policy_store *store, struct policy_state **state_r,
		bool *corrupt_r, const char **error_r)
{
	enum load_result result;
	const char *text;

	result = load(store, state_r, &text, error_r);
	*corrupt_r = result == LOAD_CORRUPT;
	if (*corrupt_r)
		*state_r = policy_state_init();
	return result == LOAD_FAILED ? POLICY_STORE_UNUSABLE : POLICY_STORE_OK;
}

/* A folder that cannot be had is no matter: the lock in the dict is enough, and
   that of the folder only tells of processes of this host. */
static enum policy_store_result
lock_dir(struct policy_store *store, const char **place_r,
	 const char **error_r)
{
	enum policy_store_result result;
	struct stat st;

	*place_r = NULL;
	if (*store->path == '\0')
		return POLICY_STORE_OK;
	result = policy_store_lock_dir(store, error_r);
	if (result == POLICY_STORE_OK && fstat(store->dir.fd, &st) == 0) {
		*place_r = t_strdup_printf("%llx:%llx",
			(unsigned long long)st.st_dev,
			(unsigned long long)st.st_ino);
	} else if (result == POLICY_STORE_UNUSABLE && store->dir.fd != -1) {
		/* somebody has it for too long */
		policy_store_unlock_dir(store);
		return POLICY_STORE_UNUSABLE;
	}
	return POLICY_STORE_OK;
}

static enum policy_store_result
lock(struct policy_store *store, const char **error_r)
{
	enum policy_store_result result;
	const char *place;

	result = lock_dir(store, &place, error_r);
	if (result != POLICY_STORE_OK)
		return result;
	result = store->dict_v->lock(store->dict, place, error_r);
	store->dict_locked = result == POLICY_STORE_OK;
	if (!store->dict_locked)
		policy_store_unlock_dir(store);
	return result;
}

void store_dict_rollback(struct policy_store *store)
{
	i_assert(store->dict_locked);

	store->dict_locked = FALSE;
	store->dict_v->unlock(store->dict);
	policy_store_unlock_dir(store);
}

static int
set_aside(struct policy_store *store, const char *text, const char *reason,
	  struct policy_state **state_r, const char **error_r)
{
	const char *key;

	key = store->dict_v->set_aside(store->dict, text, error_r);
	if (key == NULL)
		return -1;
	e_error(policy_store_corrupt_event(store), "the state in the dict is "
		"corrupt (%s): kept it as %s and went on without it", reason,
		key);
	return init_anew(store, state_r, error_r);
}

enum policy_store_result
store_dict_begin(struct policy_store *store, struct policy_state **state_r,
		 const char **error_r)
{
	enum policy_store_result result;
	const char *text;

	i_assert(!store->dict_locked);

	result = lock(store, error_r);
	if (result != POLICY_STORE_OK)
		return result;
	switch (load(store, state_r, &text, error_r)) {
	case LOADED:
		return POLICY_STORE_OK;
	case LOAD_CORRUPT:
		if (set_aside(store, text, *error_r, state_r, error_r) == 0)
			return POLICY_STORE_OK;
		break;
	case LOAD_FAILED:
		break;
	}
	store_dict_rollback(store);
	return POLICY_STORE_UNUSABLE;
}

enum policy_store_result
store_dict_commit(struct policy_store *store, struct policy_state *state,
		  const char **error_r)
{
	enum policy_store_result result;
	string_t *text = t_str_new(STATE_USUAL_SIZE);

	i_assert(store->dict_locked);

	store->dict_locked = FALSE;
	policy_state_print(state, text);
	result = store->dict_v->write(store->dict, str_c(text),
				      policy_state_quota(state), error_r);
	if (result == POLICY_STORE_OK) {
		policy_store_set_known(store, policy_state_ref(state),
				       str_data(text), str_len(text));
	} else {
		/* it may be this one, which now differs from its text */
		policy_state_deinit(&store->known_state);
	}
	policy_store_unlock_dir(store);
	return result;
}

enum policy_store_result
store_dict_read_login_stamp(struct policy_store *store, uint64_t *number_r,
			    const char **error_r)
{
	return store->dict_v->get_login_stamp(store->dict, number_r,
					      error_r) < 0 ?
		POLICY_STORE_UNUSABLE : POLICY_STORE_OK;
}

enum policy_store_result
store_dict_set_login_stamp(struct policy_store *store, uint64_t old,
			   uint64_t number, bool *set_r, const char **error_r)
{
	enum policy_store_result result;
	uint64_t current;
	int ret;

	result = lock(store, error_r);
	if (result != POLICY_STORE_OK)
		return result;
	ret = store->dict_v->get_login_stamp(store->dict, &current, error_r);
	if (ret == 0) {
		*set_r = current == old;
		if (*set_r) {
			ret = store->dict_v->set_login_stamp(store->dict,
							     number, error_r);
		}
	}
	store_dict_rollback(store);
	return ret < 0 ? POLICY_STORE_UNUSABLE : POLICY_STORE_OK;
}
