/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "hostpid.h"
#include "dict-clock.h"
#include "dict-lock-private.h"
#include "dict-lock-owner.h"
#include "dict-lock-dead.h"

/* "VERSION TURN", for each host that has added to a number */
#define KEY_MARK DICT_KV_DOC"lock"

/* As long as others wait for the lock of files. */
#define WAIT_MSECS (10 * 1000)

/* Add one to the number, and say so, if there is somebody who can find it. */
static int add_one(struct dict_lock *lock, const char **error_r)
{
	struct dict_kv_transaction *trans = dict_kv_begin(lock->kv);

	dict_kv_add(trans, dict_lock_number_key(lock), 1);
	if (lock->mark_key != NULL) {
		dict_kv_set(trans, lock->mark_key, t_strdup_printf(
			"%"PRId64" %u", lock->version, lock->turn));
	}
	return dict_kv_commit(&trans, error_r);
}

/* A moment, so that two hosts do not stay in step. */
static void wait_a_moment(void)
{
	dict_clock_sleep(5 + i_rand_limit(25));
}

/* SQL adds to no number that is not there. Two hosts that make the same one
   are told apart by the wait: what both add to comes after what both set. */
static int make_number(struct dict_lock *lock, const char **error_r)
{
	struct dict_kv_transaction *trans = dict_kv_begin(lock->kv);
	int ret;

	dict_kv_set_number(trans, dict_lock_number_key(lock), 0);
	dict_lock_unmark(lock, trans);
	ret = dict_kv_commit(&trans, error_r);
	dict_clock_sleep(50 + i_rand_limit(50));
	return ret < 0 ? -1 : 0;
}

/* Nobody else has added to the number: say that the lock is ours, if the
   version is still the same one. Returns 1, 0 to try again, -1 and an error. */
static int own(struct dict_lock *lock, const char **error_r)
{
	struct dict_kv_transaction *trans;
	int64_t version;

	if (dict_lock_get_version(lock, &version, error_r) < 0)
		return -1;
	if (version != lock->version) {
		dict_lock_forget_number(lock);
		return 0;
	}
	trans = dict_kv_begin(lock->kv);
	dict_lock_owner_set(lock, trans, my_hostname);
	if (dict_kv_commit(&trans, error_r) < 0)
		return -1;
	if (dict_clock_msecs() - lock->taken_at > DICT_LOCK_MAX_STEP_MSECS) {
		lock->held = TRUE;
		dict_lock_release(lock);
		return 0;
	}
	return 1;
}

/* Which lock it is to be. Returns 0, or -1 and an error. */
static int
choose_turn(struct dict_lock *lock, const struct dict_lock_watch *watch,
	    const char **error_r)
{
	struct dict_lock_owner owner;
	const char *text;
	int ret;

	if (dict_lock_get_version(lock, &lock->version, error_r) < 0)
		return -1;
	ret = dict_lock_owner_get(lock, lock->version, &owner, &text, error_r);
	if (ret < 0)
		return -1;
	lock->turn = ret > 0 ? owner.turn : 0;
	if (watch->next_version == lock->version)
		lock->turn = I_MAX(lock->turn, watch->next_turn);
	return 0;
}

/* Returns 1 if we have the lock, 0 if somebody else has, -1 and an error;
   *adding_r says whether that was a write. */
static int
try_take(struct dict_lock *lock, struct dict_lock_watch *watch, bool *adding_r,
	 const char **error_r)
{
	int64_t count = 0;
	int ret;

	*adding_r = FALSE;
	if (choose_turn(lock, watch, error_r) < 0)
		return -1;
	*adding_r = TRUE;
	lock->taken_at = dict_clock_msecs();
	ret = add_one(lock, error_r);
	if (ret == 0)
		ret = make_number(lock, error_r) < 0 ? -1 : 0;
	if (ret <= 0)
		return ret;
	*adding_r = FALSE;
	if (dict_kv_get_number(lock->kv, dict_lock_number_key(lock), &count,
			       error_r) < 0)
		return -1;
	if (count == 1)
		return own(lock, error_r);
	dict_lock_give_back(lock);
	return dict_lock_look_for_dead(lock, watch, error_r);
}

static void set_place(struct dict_lock *lock, const char *place)
{
	i_free(lock->mark_key);
	if (place != NULL) {
		lock->mark_key = i_strdup_printf(KEY_MARK"/%s:%s", my_hostname,
						 place);
	}
}

enum dict_lock_result
dict_lock_take(struct dict_lock *lock, const char *place,
	       const char **error_r)
{
	struct dict_lock_watch watch = {
		.deadline = dict_clock_msecs() + WAIT_MSECS,
		.next_version = -1,
	};
	const char *error;
	bool adding;
	int ret;

	i_assert(!lock->held);

	set_place(lock, place);
	if (lock->mark_key != NULL && dict_lock_take_back(lock, error_r) < 0)
		return DICT_LOCK_FAILED;
	for (;;) {
		T_BEGIN {
			ret = try_take(lock, &watch, &adding, &error);
		} T_END_PASS_STR_IF(ret < 0, &error);
		if (ret != 0 || watch.next_turn > DICT_LOCK_MAX_TURN ||
		    dict_clock_msecs() > watch.deadline)
			break;
		wait_a_moment();
	}
	lock->held = ret > 0;
	if (ret == 0) {
		*error_r = t_strdup_printf("version %"PRId64" of the state is "
			"locked (%s)", lock->version,
			watch.seen == NULL ? "it keeps changing" : watch.seen);
	} else if (ret < 0) {
		*error_r = error;
	}
	i_free(watch.seen);
	return ret > 0 ? DICT_LOCK_OK : ret < 0 && adding ?
		DICT_LOCK_UNWRITABLE : DICT_LOCK_FAILED;
}
