/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "test-kv.h"
#include "test-dict-lock-use.h"

#include <time.h>

static const char *error;

static enum dict_lock_result take(struct dict_lock *lock, const char *place)
{
	return take_lock(lock, place, &error);
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
		test_dead,
		test_take_back,
		test_hostile,
		test_die_everywhere,
		NULL
	};

	return test_run(tests);
}
