/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "dict-clock.h"
#include "dict-lock-private.h"
#include "dict-lock-owner.h"

#define KEY_VERSION DICT_KV_NUM"version"

void dict_lock_init(struct dict_lock *lock, struct dict_kv *kv,
		    struct event *event)
{
	i_zero(lock);
	lock->kv = kv;
	lock->event = event;
}

void dict_lock_deinit(struct dict_lock *lock)
{
	i_assert(!lock->held);
	i_free(lock->mark_key);
}

int dict_lock_get_version(struct dict_lock *lock, int64_t *version_r,
			  const char **error_r)
{
	int64_t version = 0;

	if (dict_kv_get_number(lock->kv, KEY_VERSION, &version, error_r) < 0)
		return -1;
	/* there must be a next one */
	if (version < 0 || version == INT64_MAX) {
		*error_r = t_strdup_printf("num/version is %"PRId64", expected "
			"0 to %"PRId64, version, INT64_MAX - 1);
		return -1;
	}
	*version_r = version;
	return 0;
}

static const char *lock_key(int64_t version, unsigned int turn)
{
	return t_strdup_printf(DICT_KV_NUM"lock/%"PRId64"/%u", version, turn);
}

const char *dict_lock_number_key(const struct dict_lock *lock)
{
	return lock_key(lock->version, lock->turn);
}

void dict_lock_unmark(struct dict_lock *lock,
		      struct dict_kv_transaction *trans)
{
	if (lock->mark_key != NULL)
		dict_kv_unset(trans, lock->mark_key);
}

static void
commit_or_log(struct dict_lock *lock, struct dict_kv_transaction *trans)
{
	const char *error;

	if (dict_kv_commit(&trans, &error) < 0)
		e_error(lock->event, "%s", error);
}

void dict_lock_give_back(struct dict_lock *lock)
{
	struct dict_kv_transaction *trans = dict_kv_begin(lock->kv);

	dict_kv_add(trans, dict_lock_number_key(lock), -1);
	dict_lock_unmark(lock, trans);
	commit_or_log(lock, trans);
}

void dict_lock_forget_number(struct dict_lock *lock)
{
	struct dict_kv_transaction *trans = dict_kv_begin(lock->kv);

	dict_kv_unset(trans, dict_lock_number_key(lock));
	dict_lock_unmark(lock, trans);
	commit_or_log(lock, trans);
}

void dict_lock_disown(struct dict_lock *lock)
{
	struct dict_kv_transaction *trans = dict_kv_begin(lock->kv);

	dict_kv_add(trans, dict_lock_number_key(lock), -1);
	dict_lock_unmark(lock, trans);
	/* the turn must be known until the next write */
	if (lock->turn == 0)
		dict_lock_owner_unset(trans);
	else
		dict_lock_owner_set(lock, trans, DICT_LOCK_NOBODY);
	commit_or_log(lock, trans);
}

void dict_lock_release(struct dict_lock *lock)
{
	i_assert(lock->held);

	lock->held = FALSE;
	if (dict_lock_owner_is_us(lock))
		dict_lock_disown(lock);
	else
		dict_lock_give_back(lock);
}

int dict_lock_check(struct dict_lock *lock, const char **error_r)
{
	int64_t version;

	i_assert(lock->held);

	if (dict_lock_get_version(lock, &version, error_r) < 0) {
		dict_lock_release(lock);
		return -1;
	}
	if (version != lock->version) {
		/* the number is of the past, and the owner somebody else */
		lock->held = FALSE;
		dict_lock_forget_number(lock);
		*error_r = t_strdup_printf("another host has written version "
			"%"PRId64" of the state while this one changed version "
			"%"PRId64": nothing was written", version,
			lock->version);
		return -1;
	}
	if (dict_clock_msecs() - lock->taken_at > DICT_LOCK_MAX_HOLD_MSECS) {
		dict_lock_release(lock);
		*error_r = t_strdup_printf("the change of the state took more "
			"than %u seconds: nothing was written",
			DICT_LOCK_MAX_HOLD_MSECS / 1000);
		return -1;
	}
	return 0;
}

void dict_lock_release_by(struct dict_lock *lock,
			  struct dict_kv_transaction *trans)
{
	unsigned int turn;

	i_assert(lock->held);

	lock->held = FALSE;
	dict_kv_set_number(trans, KEY_VERSION, lock->version + 1);
	/* so that it is there to be added to */
	dict_kv_set_number(trans, lock_key(lock->version + 1, 0), 0);
	for (turn = 0; turn <= lock->turn; turn++)
		dict_kv_unset(trans, lock_key(lock->version, turn));
	dict_lock_owner_unset(trans);
	dict_lock_unmark(lock, trans);
}
