/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "dict-quota.h"
#include "test-kv.h"

#define DAY POP3_QUOTA_WINDOW_DAY
#define MONTH POP3_QUOTA_WINDOW_MONTH

static const char *error;

static void set_used(struct pop3_quota_counters *counters,
		     enum pop3_quota_window window, time_t start,
		     uint64_t bytes, uint64_t messages)
{
	counters->window[window].start = start;
	counters->window[window].used.n[POP3_QUOTA_BYTES] = bytes;
	counters->window[window].used.n[POP3_QUOTA_MESSAGES] = messages;
}

static void
write_counters(const struct dict_quota *quota,
	       const struct pop3_quota_counters *counters)
{
	struct dict_kv_transaction *trans;
	struct dict_quota_news news;

	test_assert(dict_quota_look_ahead(quota, test_kv(), counters, &news,
					  &error) == 0);
	trans = dict_kv_begin(test_kv());
	dict_quota_write(quota, trans, counters, &news);
	test_assert(dict_kv_commit(&trans, &error) == 1);
}

static void test_count(void)
{
	struct dict_quota quota;
	struct pop3_quota_counters counters;
	unsigned int sql;

	for (sql = 0; sql <= 1; sql++) {
		test_begin(sql == 0 ? "quota: count" : "quota: count in SQL");
		test_kv_begin();
		test_kv_is_sql = sql == 1;
		i_zero(&counters);
		test_assert(dict_quota_read(&quota, test_kv(), &counters,
					    &error) == 0);
		test_assert(test_kv_ops == 0);
		set_used(&counters, DAY, 1000, 70, 2);
		set_used(&counters, MONTH, 500, 0, 0);
		write_counters(&quota, &counters);
		test_assert_strcmp(test_kv_all(""),
			"num/quota/day/1000/bytes=70 "
			"num/quota/day/1000/messages=2 "
			"num/quota/month/500/bytes=0 "
			"num/quota/month/500/messages=0");

		/* the state may be older than the numbers */
		set_used(&counters, DAY, 1000, 5, 1);
		test_assert(dict_quota_read(&quota, test_kv(), &counters,
					    &error) == 0);
		test_assert(counters.window[DAY].used.n[0] == 70 &&
			    counters.window[DAY].used.n[1] == 2);
		/* another host adds between reading and writing */
		test_kv_put("num/quota/day/1000/bytes", "100");
		set_used(&counters, DAY, 1000, 50, 3);
		set_used(&counters, MONTH, 500, 7, 1);
		write_counters(&quota, &counters);
		test_assert_strcmp(test_kv_all(""),
			"num/quota/day/1000/bytes=80 "
			"num/quota/day/1000/messages=3 "
			"num/quota/month/500/bytes=7 "
			"num/quota/month/500/messages=1");
		test_kv_end();
		test_end();
	}
}

static void test_window(void)
{
	struct dict_quota quota;
	struct pop3_quota_counters counters;

	test_begin("quota: a new window");
	test_kv_begin();
	test_kv_is_sql = TRUE;
	test_kv_put("num/quota/day/1000/bytes", "70");
	test_kv_put("num/quota/day/1000/messages", "2");
	i_zero(&counters);
	set_used(&counters, DAY, 1000, 1, 1);
	test_assert(dict_quota_read(&quota, test_kv(), &counters, &error) == 0);
	/* another host has begun it, too */
	test_kv_put("num/quota/day/2000/bytes", "30");
	set_used(&counters, DAY, 2000, 12, 1);
	write_counters(&quota, &counters);
	test_assert_strcmp(test_kv_all(""),
			   "num/quota/day/2000/bytes=42 "
			   "num/quota/day/2000/messages=1");
	test_kv_end();
	test_end();
}

static void test_lost(void)
{
	struct dict_quota quota;
	struct pop3_quota_counters counters;

	test_begin("quota: numbers that are lost or not numbers");
	test_kv_begin();
	test_kv_is_sql = TRUE;
	test_kv_put("num/quota/day/1000/messages", "-3");
	i_zero(&counters);
	set_used(&counters, DAY, 1000, 70, 2);
	test_assert(dict_quota_read(&quota, test_kv(), &counters, &error) == 0);
	/* what the state says is all that is known */
	test_assert(counters.window[DAY].used.n[0] == 70 &&
		    counters.window[DAY].used.n[1] == 0);
	set_used(&counters, DAY, 1000, 80, UINT64_MAX);
	write_counters(&quota, &counters);
	test_assert_strcmp(test_kv_value("num/quota/day/1000/bytes"), "80");
	test_assert_strcmp(test_kv_value("num/quota/day/1000/messages"),
			   "9223372036854775804");
	test_kv_put("num/quota/day/1000/bytes", "lots");
	test_assert(dict_quota_read(&quota, test_kv(), &counters,
				    &error) == -1);
	test_assert_strcmp(error, "not a number");
	test_kv_end();
	test_end();
}

int main(void)
{
	static void (*const tests[])(void) = {
		test_count,
		test_window,
		test_lost,
		NULL
	};

	return test_run(tests);
}
