/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "hostpid.h"
#include "dict-clock.h"
#include "dict-lock-private.h"
#include "dict-lock-owner.h"
#include "dict-lock-dead.h"

#include <time.h>

/* Who is about to go on looks twice. */
#define MIN_WATCH_MSECS 2000

static bool owner_is_dead(const struct dict_lock_owner *owner, uint64_t watched)
{
	time_t now = time(NULL);

	return watched >= MIN_WATCH_MSECS &&
		(now - owner->time > DICT_LOCK_OWNER_EXPIRE_SECS ||
		 owner->time - now > DICT_LOCK_OWNER_EXPIRE_SECS);
}

static void
watch_turn(struct dict_lock *lock, struct dict_lock_watch *watch,
	   const char *owner_text)
{
	const char *seen = t_strdup_printf("%"PRId64"/%u %s", lock->version,
					   lock->turn, owner_text);
	uint64_t now = dict_clock_msecs();

	if (watch->seen == NULL || strcmp(watch->seen, seen) != 0) {
		i_free(watch->seen);
		watch->seen = i_strdup(seen);
		watch->since = now;
	}
}

int dict_lock_look_for_dead(struct dict_lock *lock,
			    struct dict_lock_watch *watch,
			    const char **error_r)
{
	struct dict_lock_owner owner;
	uint64_t watched;
	const char *text;
	bool owned;
	int ret;

	ret = dict_lock_owner_get(lock, lock->version, &owner, &text, error_r);
	if (ret < 0)
		return -1;
	watch_turn(lock, watch, text);
	watched = dict_clock_msecs() - watch->since;
	owned = ret > 0 && owner.turn == lock->turn &&
		strcmp(owner.host, DICT_LOCK_NOBODY) != 0;
	if (owned ? !owner_is_dead(&owner, watched) :
	    watched < DICT_LOCK_NO_OWNER_EXPIRE_MSECS)
		return 0;
	e_warning(lock->event, "a lock of version %"PRId64" was never given "
		  "back (%s): went on without it", lock->version,
		  owned ? owner.host : "by nobody known");
	watch->next_version = lock->version;
	watch->next_turn = lock->turn + 1;
	return 0;
}

static bool mark_parse(struct dict_lock *lock, const char *text)
{
	const char *const *words = t_strsplit(text, " ");

	return str_array_length(words) == 2 &&
		str_to_int64(words[0], &lock->version) == 0 &&
		str_to_uint(words[1], &lock->turn) == 0 &&
		lock->turn <= DICT_LOCK_MAX_TURN;
}

int dict_lock_take_back(struct dict_lock *lock, const char **error_r)
{
	struct dict_lock_owner owner;
	int64_t version;
	const char *text;
	int ret;

	ret = dict_kv_get(lock->kv, lock->mark_key, &text, error_r);
	if (ret <= 0 || !mark_parse(lock, text))
		return ret < 0 ? -1 : 0;
	if (dict_lock_get_version(lock, &version, error_r) < 0)
		return -1;
	if (version != lock->version) {
		dict_lock_forget_number(lock);
		return 0;
	}
	ret = dict_lock_owner_get(lock, version, &owner, &text, error_r);
	if (ret < 0)
		return -1;
	e_warning(lock->event, "a process was killed that had or wanted the "
		  "lock of version %"PRId64": gave it back", version);
	if (ret > 0 && owner.turn == lock->turn &&
	    strcmp(owner.host, my_hostname) == 0)
		dict_lock_disown(lock);
	else
		dict_lock_give_back(lock);
	return 0;
}
