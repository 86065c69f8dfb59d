/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "hostpid.h"
#include "dict-clock.h"
#include "dict-lock.h"

#include <time.h>

#define NOBODY "-"

#define KEY_VERSION DICT_KV_NUM"version"
#define KEY_OWNER DICT_KV_DOC"owner"
/* "VERSION TURN", for each host that has added to a number */
#define KEY_MARK DICT_KV_DOC"lock"

/* As long as others wait for the lock of files. */
#define WAIT_MSECS (10 * 1000)
/* Who has the lock longer must not write: others may have gone on. */
#define MAX_HOLD_MSECS (90 * 1000)
/* Others go on when an owner's time is so far from theirs: more than the above,
   by what clocks of hosts may differ. */
#define OWNER_EXPIRE_SECS 120
/* Between having the lock and saying so there is one step. */
#define MAX_STEP_MSECS (4 * 1000)
/* So a lock that nobody owns up to is one of a process that was killed. */
#define NO_OWNER_EXPIRE_MSECS (8 * 1000)
/* Who is about to go on looks twice. */
#define MIN_WATCH_MSECS 2000
/* More turns than crashes within one version. */
#define MAX_TURN 1000

/* Who has the lock, as KEY_OWNER says it: "VERSION TURN TIME HOST". */
struct lock_owner {
	int64_t version;
	unsigned int turn;
	time_t time;
	/* NOBODY: only the turn is of use */
	const char *host;
};

/* What a waiter has seen, and since when. */
struct lock_watch {
	uint64_t deadline;
	/* "VERSION/TURN OWNER" */
	char *seen;
	uint64_t since;
	/* the turn that this process goes on to, of this version */
	int64_t next_version;
	unsigned int next_turn;
};

static const char *lock_key(int64_t version, unsigned int turn)
{
	return t_strdup_printf(DICT_KV_NUM"lock/%"PRId64"/%u", version, turn);
}

static bool owner_parse(const char *text, struct lock_owner *owner_r)
{
	const char *const *words = t_strsplit(text, " ");

	return str_array_length(words) == 4 &&
		str_to_int64(words[0], &owner_r->version) == 0 &&
		str_to_uint(words[1], &owner_r->turn) == 0 &&
		owner_r->turn <= MAX_TURN &&
		str_to_time(words[2], &owner_r->time) == 0 &&
		*(owner_r->host = words[3]) != '\0';
}

static const char *
owner_text(const struct dict_lock *lock, const char *host)
{
	return t_strdup_printf("%"PRId64" %u %s %s", lock->version, lock->turn,
			       dec2str(time(NULL)), host);
}

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

/* Returns 1 if somebody has said that he has the lock of this version or had
   it, 0 if not, -1 and an error. *text_r is what is there, or "". */
static int
get_owner(struct dict_lock *lock, int64_t version, struct lock_owner *owner_r,
	  const char **text_r, const char **error_r)
{
	int ret;

	*text_r = "";
	ret = dict_kv_get(lock->kv, KEY_OWNER, text_r, error_r);
	if (ret <= 0)
		return ret;
	return owner_parse(*text_r, owner_r) && owner_r->version == version ?
		1 : 0;
}

static int
get_version(struct dict_lock *lock, int64_t *version_r, const char **error_r)
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

static const char *own_key(const struct dict_lock *lock)
{
	return lock_key(lock->version, lock->turn);
}

/* Add one to the number, and say so, if there is somebody who can find it. */
static int add_one(struct dict_lock *lock, const char **error_r)
{
	struct dict_kv_transaction *trans = dict_kv_begin(lock->kv);

	dict_kv_add(trans, own_key(lock), 1);
	if (lock->mark_key != NULL) {
		dict_kv_set(trans, lock->mark_key, t_strdup_printf(
			"%"PRId64" %u", lock->version, lock->turn));
	}
	return dict_kv_commit(&trans, error_r);
}

static void
unmark(struct dict_lock *lock, struct dict_kv_transaction *trans)
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

static void give_back(struct dict_lock *lock)
{
	struct dict_kv_transaction *trans = dict_kv_begin(lock->kv);

	dict_kv_add(trans, own_key(lock), -1);
	unmark(lock, trans);
	commit_or_log(lock, trans);
}

/* A number of a version that is past: nobody can have that lock. */
static void forget_number(struct dict_lock *lock)
{
	struct dict_kv_transaction *trans = dict_kv_begin(lock->kv);

	dict_kv_unset(trans, own_key(lock));
	unmark(lock, trans);
	commit_or_log(lock, trans);
}

/* Give back the lock that is held. */
static void disown(struct dict_lock *lock)
{
	struct dict_kv_transaction *trans = dict_kv_begin(lock->kv);

	dict_kv_add(trans, own_key(lock), -1);
	unmark(lock, trans);
	/* the turn must be known until the next write */
	if (lock->turn == 0)
		dict_kv_unset(trans, KEY_OWNER);
	else
		dict_kv_set(trans, KEY_OWNER, owner_text(lock, NOBODY));
	commit_or_log(lock, trans);
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

	dict_kv_set_number(trans, own_key(lock), 0);
	unmark(lock, trans);
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

	if (get_version(lock, &version, error_r) < 0)
		return -1;
	if (version != lock->version) {
		forget_number(lock);
		return 0;
	}
	trans = dict_kv_begin(lock->kv);
	dict_kv_set(trans, KEY_OWNER, owner_text(lock, my_hostname));
	if (dict_kv_commit(&trans, error_r) < 0)
		return -1;
	if (dict_clock_msecs() - lock->taken_at > MAX_STEP_MSECS) {
		lock->held = TRUE;
		dict_lock_release(lock);
		return 0;
	}
	return 1;
}

static bool owner_is_dead(const struct lock_owner *owner, uint64_t watched)
{
	time_t now = time(NULL);

	return watched >= MIN_WATCH_MSECS &&
		(now - owner->time > OWNER_EXPIRE_SECS ||
		 owner->time - now > OWNER_EXPIRE_SECS);
}

static void
watch_turn(struct dict_lock *lock, struct lock_watch *watch,
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

/* Somebody else has added to the number. Go on to the next turn, if he is
   gone. */
static int
look_for_dead(struct dict_lock *lock, struct lock_watch *watch,
	      const char **error_r)
{
	struct lock_owner owner;
	uint64_t watched;
	const char *text;
	bool owned;
	int ret;

	ret = get_owner(lock, lock->version, &owner, &text, error_r);
	if (ret < 0)
		return -1;
	watch_turn(lock, watch, text);
	watched = dict_clock_msecs() - watch->since;
	owned = ret > 0 && owner.turn == lock->turn &&
		strcmp(owner.host, NOBODY) != 0;
	if (owned ? !owner_is_dead(&owner, watched) :
	    watched < NO_OWNER_EXPIRE_MSECS)
		return 0;
	e_warning(lock->event, "a lock of version %"PRId64" was never given "
		  "back (%s): went on without it", lock->version,
		  owned ? owner.host : "by nobody known");
	watch->next_version = lock->version;
	watch->next_turn = lock->turn + 1;
	return 0;
}

/* Which lock it is to be. Returns 0, or -1 and an error. */
static int
choose_turn(struct dict_lock *lock, const struct lock_watch *watch,
	    const char **error_r)
{
	struct lock_owner owner;
	const char *text;
	int ret;

	if (get_version(lock, &lock->version, error_r) < 0)
		return -1;
	ret = get_owner(lock, lock->version, &owner, &text, error_r);
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
try_take(struct dict_lock *lock, struct lock_watch *watch, bool *adding_r,
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
	if (dict_kv_get_number(lock->kv, own_key(lock), &count, error_r) < 0)
		return -1;
	if (count == 1)
		return own(lock, error_r);
	give_back(lock);
	return look_for_dead(lock, watch, error_r);
}

static bool mark_parse(struct dict_lock *lock, const char *text)
{
	const char *const *words = t_strsplit(text, " ");

	return str_array_length(words) == 2 &&
		str_to_int64(words[0], &lock->version) == 0 &&
		str_to_uint(words[1], &lock->turn) == 0 &&
		lock->turn <= MAX_TURN;
}

/* Give back what a process has left that had the other lock before, which has
   said what it has added to. Returns 0, or -1 and an error. */
static int take_back(struct dict_lock *lock, const char **error_r)
{
	struct lock_owner owner;
	int64_t version;
	const char *text;
	int ret;

	ret = dict_kv_get(lock->kv, lock->mark_key, &text, error_r);
	if (ret <= 0 || !mark_parse(lock, text))
		return ret < 0 ? -1 : 0;
	if (get_version(lock, &version, error_r) < 0)
		return -1;
	if (version != lock->version) {
		forget_number(lock);
		return 0;
	}
	ret = get_owner(lock, version, &owner, &text, error_r);
	if (ret < 0)
		return -1;
	e_warning(lock->event, "a process was killed that had or wanted the "
		  "lock of version %"PRId64": gave it back", version);
	if (ret > 0 && owner.turn == lock->turn &&
	    strcmp(owner.host, my_hostname) == 0)
		disown(lock);
	else
		give_back(lock);
	return 0;
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
	struct lock_watch watch = {
		.deadline = dict_clock_msecs() + WAIT_MSECS,
		.next_version = -1,
	};
	const char *error;
	bool adding;
	int ret;

	i_assert(!lock->held);

	set_place(lock, place);
	if (lock->mark_key != NULL && take_back(lock, error_r) < 0)
		return DICT_LOCK_FAILED;
	for (;;) {
		T_BEGIN {
			ret = try_take(lock, &watch, &adding, &error);
		} T_END_PASS_STR_IF(ret < 0, &error);
		if (ret != 0 || watch.next_turn > MAX_TURN ||
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

/* Whether nobody has gone on meanwhile, who would own it now. */
static bool is_owned_by_us(struct dict_lock *lock)
{
	struct lock_owner owner;
	const char *text, *error;

	return get_owner(lock, lock->version, &owner, &text, &error) > 0 &&
		owner.turn == lock->turn &&
		strcmp(owner.host, my_hostname) == 0;
}

void dict_lock_release(struct dict_lock *lock)
{
	i_assert(lock->held);

	lock->held = FALSE;
	if (is_owned_by_us(lock))
		disown(lock);
	else
		give_back(lock);
}

int dict_lock_check(struct dict_lock *lock, const char **error_r)
{
	int64_t version;

	i_assert(lock->held);

	if (get_version(lock, &version, error_r) < 0) {
		dict_lock_release(lock);
		return -1;
	}
	if (version != lock->version) {
		/* the number is of the past, and the owner somebody else */
		lock->held = FALSE;
		forget_number(lock);
		*error_r = t_strdup_printf("another host has written version "
			"%"PRId64" of the state while this one changed version "
			"%"PRId64": nothing was written", version,
			lock->version);
		return -1;
	}
	if (dict_clock_msecs() - lock->taken_at > MAX_HOLD_MSECS) {
		dict_lock_release(lock);
		*error_r = t_strdup_printf("the change of the state took more "
			"than %u seconds: nothing was written",
			MAX_HOLD_MSECS / 1000);
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
	dict_kv_unset(trans, KEY_OWNER);
	unmark(lock, trans);
}
