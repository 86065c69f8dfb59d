/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "hostpid.h"
#include "test-common.h"
#include "dict-lock.h"
#include "test-kv.h"

#include <time.h>

#define PLACE "1:2"

static struct event *event;
static struct dict_lock here, there;
static const char *error;

static void begin(const char *name)
{
	test_begin(name);
	test_kv_begin();
	event = event_create(NULL);
	my_hostname = "here";
	dict_lock_init(&here, test_kv(), event);
	dict_lock_init(&there, test_kv(), event);
}

static void end(void)
{
	dict_lock_deinit(&here);
	dict_lock_deinit(&there);
	event_unref(&event);
	test_kv_end();
	test_end();
}

static enum dict_lock_result take(struct dict_lock *lock, const char *place)
{
	error = NULL;
	my_hostname = lock == &here ? "here" : "there";
	return dict_lock_take(lock, place, &error);
}

static void release(struct dict_lock *lock)
{
	my_hostname = lock == &here ? "here" : "there";
	dict_lock_release(lock);
}

static void write_with(struct dict_lock *lock)
{
	struct dict_kv_transaction *trans;

	my_hostname = lock == &here ? "here" : "there";
	test_assert(dict_lock_check(lock, &error) == 0);
	trans = dict_kv_begin(test_kv());
	dict_lock_release_by(lock, trans);
	test_assert(dict_kv_commit(&trans, &error) == 1);
}

static const char *owner_at(unsigned int turn, time_t when, const char *host)
{
	return t_strdup_printf("0 %u %s %s", turn, dec2str(when), host);
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

static void test_dead(void)
{
	static const struct {
		/* of the owner; 0 is none */
		int age;
		const char *host;
		unsigned int most_msecs;
		bool taken;
	} tests[] = {
		{ 125, "there", 3000, TRUE },
		{ -125, "there", 3000, TRUE },
		{ 100, "there", 0, FALSE },
		{ -100, "there", 0, FALSE },
		/* of this host, but nobody says that it is dead */
		{ 100, "here", 0, FALSE },
		{ 0, NULL, 9000, TRUE },
		{ 1000, "-", 9000, TRUE },
	};
	unsigned int i;

	begin("lock: never given back by another host");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		uint64_t start = test_kv_msecs;

		if (tests[i].taken)
			test_expect_error_string("was never given back");
		test_kv_put("num/lock/0/0", "1");
		if (tests[i].host != NULL) {
			test_kv_put("doc/owner", owner_at(0,
				time(NULL) - tests[i].age, tests[i].host));
		}
		test_assert_idx((take(&here, PLACE) == DICT_LOCK_OK) ==
				tests[i].taken, i);
		if (!tests[i].taken) {
			test_assert_idx(!here.held, i);
			test_assert_strcmp(test_kv_value("num/lock/0/0"), "1");
		} else {
			test_expect_no_more_errors();
			test_assert_idx(here.turn == 1, i);
			test_assert_idx(test_kv_msecs - start >= 2000 &&
					test_kv_msecs - start <=
					tests[i].most_msecs, i);
			release(&here);
			/* who comes next needs not wait again */
			start = test_kv_msecs;
			test_assert_idx(take(&there, PLACE) == DICT_LOCK_OK, i);
			test_assert_idx(there.turn == 1 &&
					test_kv_msecs == start, i);
			release(&there);
		}
		test_kv_remove("doc/owner");
		test_kv_remove("num/lock/0/1");
	}
	end();

	begin("lock: a write removes what was never given back");
	test_kv_put("num/lock/0/0", "1");
	test_expect_error_string("was never given back (by nobody known)");
	test_assert(take(&here, PLACE) == DICT_LOCK_OK);
	test_expect_no_more_errors();
	write_with(&here);
	test_assert_strcmp(test_kv_all(""), "num/lock/1/0=0 num/version=1");
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

/* Take it, and write or release, as a process does that dies at this operation,
   before or after it is done. Returns FALSE if it does not come so far. */
static bool die_at(unsigned int op, bool after, bool writes)
{
	struct dict_kv_transaction *trans;

	test_kv_ops = 0;
	test_kv_fail_at = op;
	test_kv_fail_after = after;
	if (take(&here, PLACE) == DICT_LOCK_OK) {
		if (!writes) {
			release(&here);
		} else if (dict_lock_check(&here, &error) == 0) {
			trans = dict_kv_begin(test_kv());
			dict_lock_release_by(&here, trans);
			(void)dict_kv_commit(&trans, &error);
		}
	}
	here.held = FALSE;
	test_kv_fail_at = UINT_MAX;
	return test_kv_ops > op;
}

static void expect_lock_works(struct dict_lock *lock, unsigned int idx)
{
	test_assert_idx(take(lock, PLACE) == DICT_LOCK_OK, idx);
	if (lock->held)
		write_with(lock);
	/* what is of a version that is past does no harm */
	test_assert_idx(strstr(test_kv_all(""), "doc/owner") == NULL, idx);
	test_assert_idx(take(lock, PLACE) == DICT_LOCK_OK, idx);
	if (lock->held)
		release(lock);
}

/* As two minutes later. */
static void expire_owner(void)
{
	const char *owner = test_kv_value("doc/owner");
	const char *const *words;

	if (owner == NULL)
		return;
	words = t_strsplit(owner, " ");
	test_kv_put("doc/owner", t_strdup_printf("%s %s 1000 %s", words[0],
						 words[1], words[3]));
}

static void test_take_back(void)
{
	begin("lock: what a process of this host has left is given back first");
	test_assert(take(&here, PLACE) == DICT_LOCK_OK);
	here.held = FALSE;
	test_expect_error_string("a process was killed that had or wanted the "
				 "lock of version 0");
	/* mark, version, owner and one write */
	test_kv_fail_at = test_kv_ops + 4;
	test_assert(take(&here, PLACE) == DICT_LOCK_FAILED);
	test_expect_no_more_errors();
	test_assert_strcmp(test_kv_all(""), "num/lock/0/0=0");
	test_kv_fail_at = UINT_MAX;

	/* of another lock of this host, nothing is known */
	test_kv_put("doc/lock/here:3:4", "0 0");
	test_assert(take(&here, PLACE) == DICT_LOCK_OK);
	write_with(&here);
	test_kv_remove("doc/lock/here:3:4");

	/* of a version that is past */
	test_kv_put("doc/lock/here:"PLACE, "0 0");
	test_assert(take(&here, PLACE) == DICT_LOCK_OK);
	write_with(&here);
	test_assert_strcmp(test_kv_all(""), "num/lock/2/0=0 num/version=2");
	end();
}

static void test_hostile(void)
{
	static const char *const texts[] = {
		"", " ", "0", "0 x", "0 0 1", "0 0 1 ", "0 0 x y", "x 0 1 y",
		"0 -1 1 y", "0 1001 1 y", "0 4294967296 1 y", "0 0 1 y z",
		"99999999999999999999 0 1 y", "1 0 1 y"
	};
	unsigned int i;

	begin("lock: what is no owner and no mark");
	for (i = 0; i < N_ELEMENTS(texts); i++) {
		test_kv_put("doc/owner", texts[i]);
		test_kv_put("doc/lock/here:"PLACE, texts[i]);
		test_assert_idx(take(&here, PLACE) == DICT_LOCK_OK, i);
		test_assert_idx(here.turn == 0, i);
		if (here.held)
			release(&here);
		test_assert_strcmp(test_kv_value("num/lock/0/0"), "0");
	}
	end();

	begin("lock: so many turns that something is wrong");
	test_kv_put("doc/owner", owner_at(1000, 1000, "there"));
	test_kv_put("num/lock/0/1000", "1");
	test_expect_error_string("was never given back");
	test_assert(take(&here, PLACE) == DICT_LOCK_FAILED);
	test_expect_no_more_errors();
	test_assert(strstr(error, "version 0 of the state is locked") != NULL);
	end();

	begin("lock: a mark that is wrong");
	test_kv_put("num/lock/0/0", "0");
	test_kv_put("doc/lock/here:"PLACE, "0 0");
	test_expect_error_string_n_times("", 2);
	test_assert(take(&here, PLACE) == DICT_LOCK_OK);
	test_expect_no_more_errors();
	test_assert(here.turn == 1);
	write_with(&here);
	test_assert_strcmp(test_kv_all(""), "num/lock/1/0=0 num/version=1");
	end();
}

static void test_die(bool same_host, bool sql, bool after, bool writes,
		     bool first)
{
	unsigned int op;
	bool died = TRUE;
	uint64_t start;

	for (op = 0; died; op++) {
		test_kv_begin();
		test_kv_is_sql = sql;
		if (!first) {
			test_assert(take(&there, PLACE) == DICT_LOCK_OK);
			write_with(&there);
		}
		died = die_at(op, after, writes);
		if (same_host) {
			start = test_kv_msecs;
			expect_lock_works(&here, op);
			test_assert_idx(test_kv_msecs - start < 500, op);
		} else {
			expire_owner();
			expect_lock_works(&there, op);
		}
		test_kv_end();
	}
	test_assert(op > 6);
}

static void test_die_everywhere(void)
{
	unsigned int i;

	test_begin("lock: a process that dies at any step");
	event = event_create(NULL);
	test_kv_ignore_errors(TRUE);
	dict_lock_init(&here, test_kv(), event);
	dict_lock_init(&there, test_kv(), event);
	for (i = 0; i < 32; i++) {
		test_die((i & 1) == 0, (i & 2) != 0, (i & 4) != 0,
			 (i & 8) != 0, (i & 16) != 0);
	}
	test_kv_ignore_errors(FALSE);
	dict_lock_deinit(&here);
	dict_lock_deinit(&there);
	event_unref(&event);
	test_end();
}

int main(void)
{
	static void (*const tests[])(void) = {
		test_take,
		test_wait,
		test_both_add,
		test_late,
		test_slow_step,
		test_dead,
		test_unwritable,
		test_take_back,
		test_hostile,
		test_die_everywhere,
		NULL
	};

	return test_run(tests);
}
