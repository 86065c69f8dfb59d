/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "ioloop.h"
#include "llist.h"
#include "credential-store.h"
#include "credential-upgrade.h"
#include "last-used.h"
#include "password-hash.h"
#include "after-login.h"

#include <fcntl.h>
#include <unistd.h>

/* How long the next login that this process serves may have to wait. */
#define LOCK_SECS 2
/* The same trouble is not logged again for this time. */
#define LOG_INTERVAL_SECS 3600

struct waiting_login {
	struct waiting_login *prev, *next;
	pool_t pool;
	struct after_logins *logins;
	struct timeout *to;
	struct after_login login;
};

struct after_logins {
	struct password_hasher *hasher;
	struct credential_store *store;
	struct event *event;
	struct waiting_login *waiting;

	/* of the file that was used last */
	char *used_path;
	struct last_used *used;

	/* when it may be logged again that this failed */
	time_t log_folder, log_used, log_copy, log_upgrade;
};

struct after_logins *
after_logins_init(struct password_hasher *hasher,
		  struct credential_store *store, struct event *event_parent)
{
	struct after_logins *logins = i_new(struct after_logins, 1);

	logins->hasher = hasher;
	logins->store = store;
	logins->event = event_create(event_parent);
	event_set_append_log_prefix(logins->event, "passdb json: ");
	return logins;
}

static bool may_log(time_t *next)
{
	/* a clock that was set back is no reason to be silent */
	if (ioloop_time < *next && *next - ioloop_time <= LOG_INTERVAL_SECS)
		return FALSE;
	*next = ioloop_time + LOG_INTERVAL_SECS;
	return TRUE;
}

/* Many servers do not let auth write where the files are. */
static bool
can_write_beside(struct after_logins *logins, const char *path)
{
	const char *folder = t_strdup_until(path, strrchr(path, '/') + 1);

	if (faccessat(AT_FDCWD, folder, W_OK, AT_EACCESS) == 0)
		return TRUE;
	if (may_log(&logins->log_folder)) {
		e_info(logins->event, "the last use of passwords is not noted "
		       "and old hashes are not replaced: cannot write to %s: "
		       "%m", folder);
	}
	return FALSE;
}

static void set_path(struct after_logins *logins, const char *path)
{
	if (null_strcmp(logins->used_path, path) == 0)
		return;
	if (logins->used != NULL)
		last_used_deinit(&logins->used);
	i_free(logins->used_path);
	logins->used_path = i_strdup(path);
	logins->used = last_used_init(path);
}

static void
note_use(struct after_logins *logins, const struct after_login *login)
{
	const char *error;

	set_path(logins, login->path);
	if (last_used_note(logins->used, login->user_name, login->id,
			   login->address, ioloop_time, &error) < 0 &&
	    may_log(&logins->log_used))
		e_warning(logins->event, "cannot note the last use of a "
			  "password of %s: %s", login->user_name, error);
}

static void keep_copy(struct after_logins *logins, const char *path)
{
	const char *error;

	if (credential_store_keep_copy(logins->store, path, ioloop_time,
				       &error) < 0 &&
	    may_log(&logins->log_copy))
		e_warning(logins->event, "cannot keep a copy of %s: %s", path,
			  error);
}

static void
upgrade(struct after_logins *logins, const struct after_login *login)
{
	const char *hash, *error;
	int ret;

	ret = password_hasher_hash(logins->hasher, login->secret, &hash,
				   &error);
	if (ret == 0) {
		ret = credential_upgrade_hash(login->path, login->user_name,
					      login->id, login->old_hash, hash,
					      LOCK_SECS, &error);
	}
	if (ret > 0) {
		e_info(logins->event, "replaced an old hash of a password of "
		       "%s", login->user_name);
	} else if (ret < 0 && may_log(&logins->log_upgrade)) {
		e_warning(logins->event, "cannot replace an old hash of a "
			  "password of %s: %s", login->user_name, error);
	}
}

static void finish(struct waiting_login *waiting)
{
	struct after_logins *logins = waiting->logins;
	const struct after_login *login = &waiting->login;

	if (can_write_beside(logins, login->path)) {
		note_use(logins, login);
		/* before the file changes: where all have old hashes it does
		   so in each login */
		keep_copy(logins, login->path);
		if (login->old_hash != NULL)
			upgrade(logins, login);
	}
	timeout_remove(&waiting->to);
	DLLIST_REMOVE(&logins->waiting, waiting);
	/* wipes it, too */
	pool_unref(&waiting->pool);
}

void after_logins_add(struct after_logins *logins,
		      const struct after_login *login)
{
	pool_t pool = pool_alloconly_create_clean("after login", 1024);
	struct waiting_login *waiting = p_new(pool, struct waiting_login, 1);

	waiting->pool = pool;
	waiting->logins = logins;
	waiting->login.path = p_strdup(pool, login->path);
	waiting->login.user_name = p_strdup(pool, login->user_name);
	waiting->login.id = p_strdup(pool, login->id);
	waiting->login.address = p_strdup(pool, login->address);
	waiting->login.old_hash = p_strdup(pool, login->old_hash);
	waiting->login.secret = login->old_hash == NULL ? NULL :
		p_strdup(pool, login->secret);
	DLLIST_PREPEND(&logins->waiting, waiting);
	/* the answer is written when we return to the loop */
	waiting->to = timeout_add_short(0, finish, waiting);
}

void after_logins_deinit(struct after_logins **_logins)
{
	struct after_logins *logins = *_logins;

	*_logins = NULL;
	while (logins->waiting != NULL)
		finish(logins->waiting);
	if (logins->used != NULL)
		last_used_deinit(&logins->used);
	i_free(logins->used_path);
	event_unref(&logins->event);
	i_free(logins);
}
