/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "hostpid.h"
#include "test-common.h"
#include "test-kv.h"
#include "test-dict-lock-use.h"

#include <time.h>

struct event *event;
struct dict_lock here, there;

void begin(const char *name)
{
	test_begin(name);
	test_kv_begin();
	event = event_create(NULL);
	my_hostname = "here";
	dict_lock_init(&here, test_kv(), event);
	dict_lock_init(&there, test_kv(), event);
}

void end(void)
{
	dict_lock_deinit(&here);
	dict_lock_deinit(&there);
	event_unref(&event);
	test_kv_end();
	test_end();
}

enum dict_lock_result take_lock(struct dict_lock *lock, const char *place,
				const char **error_r)
{
	*error_r = NULL;
	my_hostname = lock == &here ? "here" : "there";
	return dict_lock_take(lock, place, error_r);
}

void release(struct dict_lock *lock)
{
	my_hostname = lock == &here ? "here" : "there";
	dict_lock_release(lock);
}

void write_with(struct dict_lock *lock)
{
	struct dict_kv_transaction *trans;
	const char *error;

	my_hostname = lock == &here ? "here" : "there";
	test_assert(dict_lock_check(lock, &error) == 0);
	trans = dict_kv_begin(test_kv());
	dict_lock_release_by(lock, trans);
	test_assert(dict_kv_commit(&trans, &error) == 1);
}

const char *owner_at(unsigned int turn, time_t when, const char *host)
{
	return t_strdup_printf("0 %u %s %s", turn, dec2str(when), host);
}
