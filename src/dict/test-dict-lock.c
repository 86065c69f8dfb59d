/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "hostpid.h"
#include "test-common.h"
#include "test-kv.h"
#include "test-dict-lock-use.h"

#include <time.h>

static const char *error;

static enum dict_lock_result take(struct dict_lock *lock, const char *place)
{
	return take_lock(lock, place, &error);
}

static void test_take(void)
{
	unsigned int sql;

	for (sql = 0; sql <= 1; sql++) {
		begin(sql == 0 ? "lock: take, release, write" :
		      "lock: the same with SQL");
		test_kv_is_sql = sql == 1;
		test_assert(take(&here, PLACE) == DICT_LOCK_OK);
		test_assert(here.version == 0 && here.held);
		test_assert_strcmp(test_kv_value("num/lock/0/0"), "1");
		test_assert_strcmp(test_kv_value("doc/lock/here:"PLACE), "0 0");
		release(&here);
		test_assert_strcmp(test_kv_all(""), "num/lock/0/0=0");
		test_assert(take(&there, NULL) == DICT_LOCK_OK);
		test_assert(test_kv_value("doc/owner") != NULL);
		write_with(&there);
		test_assert(!there.held);
		test_assert_strcmp(test_kv_all(""),
				   "num/lock/1/0=0 num/version=1");
		test_assert(take(&here, PLACE) == DICT_LOCK_OK);
		test_assert(here.version == 1);
		write_with(&here);
		test_assert_strcmp(test_kv_all(""),
				   "num/lock/2/0=0 num/version=2");
		end();
	}
}

static void release_there(void)
{
	if (there.held && test_kv_msecs > 1000500) {
		release(&there);
		my_hostname = "here";
	}
}

static void test_wait(void)
{
	begin("lock: wait for another host");
	test_assert(take(&there, PLACE) == DICT_LOCK_OK);
	test_kv_sleep_hook = release_there;
	test_assert(take(&here, PLACE) == DICT_LOCK_OK);
	test_assert(!there.held && test_kv_msecs < 1001000);
	release(&here);
	test_assert_strcmp(test_kv_all(""), "num/lock/0/0=0");
	end();

	begin("lock: wait for another host in vain");
	test_assert(take(&there, PLACE) == DICT_LOCK_OK);
	test_assert(take(&here, PLACE) == DICT_LOCK_FAILED);
	test_assert(strstr(error, "version 0 of the state is locked (0/0 0 0 ")
		    != NULL);
	test_assert(strstr(error, " there)") != NULL);
	test_assert(test_kv_msecs >= 1010000 && test_kv_msecs < 1011000);
	test_assert_strcmp(test_kv_value("num/lock/0/0"), "1");
	test_assert(!here.held && there.held);
	write_with(&there);
	test_assert_strcmp(test_kv_all(""), "num/lock/1/0=0 num/version=1");
	end();
}

/* The other host adds between our adding and our reading: both give way. */
static unsigned int steps;

static void add_before_count(enum test_kv_op op, const char *key)
{
	if (op == TEST_KV_GET && strcmp(key, "num/lock/0/0") == 0 &&
	    steps++ == 0)
		test_kv_put("num/lock/0/0", "2");
	else if (steps == 1 && op == TEST_KV_COMMIT)
		steps++;
}

static void take_away(void)
{
	test_kv_put("num/lock/0/0", "0");
}

static void test_both_add(void)
{
	begin("lock: two hosts add at once");
	steps = 0;
	test_kv_hook = add_before_count;
	test_kv_sleep_hook = take_away;
	test_assert(take(&here, PLACE) == DICT_LOCK_OK);
	test_assert(steps > 1);
	release(&here);
	end();
}

static void write_before_version(enum test_kv_op op, const char *key)
{
	/* the second time that it is asked: after adding */
	if (op == TEST_KV_GET && strcmp(key, "num/version") == 0 &&
	    ++steps == 2) {
		test_kv_put("num/version", "1");
		test_kv_put("num/lock/1/0", "0");
	}
}

static void test_late(void)
{
	begin("lock: another host has written meanwhile");
	steps = 0;
	test_kv_hook = write_before_version;
	test_assert(take(&here, PLACE) == DICT_LOCK_OK);
	test_assert(here.version == 1);
	test_assert(test_kv_value("num/lock/0/0") == NULL);
	test_assert_strcmp(test_kv_value("num/lock/1/0"), "1");
	test_kv_hook = NULL;
	release(&here);

	/* others have gone on, and written */
	test_assert(take(&here, PLACE) == DICT_LOCK_OK);
	test_kv_put("num/version", "2");
	test_kv_put("num/lock/2/0", "0");
	test_kv_remove("doc/owner");
	test_assert(dict_lock_check(&here, &error) == -1);
	test_assert(strstr(error, "another host has written version 2 of the "
			   "state while this one changed version 1") != NULL);
	test_assert(!here.held);
	test_assert_strcmp(test_kv_all(""), "num/lock/2/0=0 num/version=2");
	end();

	begin("lock: held for too long");
	test_assert(take(&here, PLACE) == DICT_LOCK_OK);
	test_kv_msecs += 90 * 1000;
	test_assert(dict_lock_check(&here, &error) == 0);
	test_kv_msecs++;
	test_assert(dict_lock_check(&here, &error) == -1);
	test_assert(strstr(error, "took more than 90 seconds") != NULL);
	test_assert(!here.held);
	test_assert_strcmp(test_kv_all(""), "num/lock/0/0=0");
	end();

	begin("lock: held for so long that another has it");
	test_assert(take(&here, PLACE) == DICT_LOCK_OK);
	test_kv_put("doc/owner", owner_at(1, time(NULL), "there"));
	test_kv_put("num/lock/0/1", "1");
	test_kv_msecs += 91 * 1000;
	test_assert(dict_lock_check(&here, &error) == -1);
	test_assert_strcmp(test_kv_value("num/lock/0/1"), "1");
	test_assert_strcmp(test_kv_value("num/lock/0/0"), "0");
	test_assert(test_kv_value("doc/owner") != NULL);
	end();
}

static void step_takes_long(enum test_kv_op op, const char *key)
{
	if (op == TEST_KV_GET && strcmp(key, "num/lock/0/0") == 0 &&
	    steps++ == 0)
		test_kv_msecs += 5000;
}

static void test_slow_step(void)
{
	begin("lock: a step takes so long that others may have gone on");
	steps = 0;
	test_kv_hook = step_takes_long;
	test_assert(take(&here, PLACE) == DICT_LOCK_OK);
	test_assert(steps == 2);
	release(&here);
	test_assert_strcmp(test_kv_all(""), "num/lock/0/0=0");
	end();
}

static void test_unwritable(void)
{
	begin("lock: reading or writing fails");
	test_kv_read_only = TRUE;
	test_assert(take(&here, PLACE) == DICT_LOCK_UNWRITABLE);
	test_assert_strcmp(error, "writing failed");
	test_kv_read_only = FALSE;
	test_kv_fail_at = 0;
	test_assert(take(&here, PLACE) == DICT_LOCK_FAILED);
	test_assert_strcmp(error, "reading failed");
	test_assert(!here.held);
	test_kv_fail_at = UINT_MAX;
	test_kv_put("num/version", "many");
	test_assert(take(&here, PLACE) == DICT_LOCK_FAILED);
	test_assert_strcmp(error, "not a number");
	test_kv_put("num/version", "-1");
	test_assert(take(&here, PLACE) == DICT_LOCK_FAILED);
	test_assert_strcmp(error, "num/version is -1, expected 0 to "
			   "9223372036854775806");
	/* a next one could not be counted */
	test_kv_put("num/version", "9223372036854775807");
	test_assert(take(&here, PLACE) == DICT_LOCK_FAILED);
	test_assert_strcmp(error, "num/version is 9223372036854775807, "
			   "expected 0 to 9223372036854775806");
	end();
}

int main(void)
{
	static void (*const tests[])(void) = {
		test_take,
		test_wait,
		test_both_add,
		test_late,
		test_slow_step,
		test_unwritable,
		NULL
	};

	return test_run(tests);
}
