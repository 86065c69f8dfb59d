/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "dict-quota.h"

static const char *const resource_names[POP3_QUOTA_RESOURCE_COUNT] = {
	"bytes", "messages"
};

static const char *
number_key(unsigned int window, time_t start, unsigned int resource)
{
	return t_strdup_printf(DICT_KV_NUM"quota/%s/%s/%s",
			       pop3_quota_window_name(window), dec2str(start),
			       resource_names[resource]);
}

static int64_t to_number(uint64_t used)
{
	return (int64_t)I_MIN(used, (uint64_t)INT64_MAX);
}

/* Returns as dict_kv_get_number(). */
static int
read_number(struct dict_kv *kv, unsigned int window, time_t start,
	    unsigned int resource, uint64_t *used_r, const char **error_r)
{
	int64_t number = 0;
	int ret;

	ret = dict_kv_get_number(kv, number_key(window, start, resource),
				 &number, error_r);
	/* more may have been given back than was taken, if a host has come to
	   life again that others had given up */
	if (ret > 0)
		*used_r = (uint64_t)I_MAX(number, 0);
	return ret;
}

int dict_quota_read(struct dict_quota *quota, struct dict_kv *kv,
		    struct pop3_quota_counters *counters, const char **error_r)
{
	unsigned int w, r;
	int ret;

	i_zero(quota);
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		struct pop3_quota_counter *counter = &counters->window[w];

		for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT &&
		     counter->start != 0; r++) {
			ret = read_number(kv, w, counter->start, r,
					  &counter->used.n[r], error_r);
			if (ret < 0)
				return -1;
			quota->found[w][r] = ret > 0;
		}
	}
	quota->counters = *counters;
	return 0;
}

int dict_quota_look_ahead(const struct dict_quota *quota, struct dict_kv *kv,
			  const struct pop3_quota_counters *counters,
			  struct dict_quota_news *news_r, const char **error_r)
{
	unsigned int w, r;
	uint64_t used;
	int ret;

	i_zero(news_r);
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		time_t start = counters->window[w].start;

		for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT &&
		     start != quota->counters.window[w].start; r++) {
			ret = read_number(kv, w, start, r, &used, error_r);
			if (ret < 0)
				return -1;
			news_r->found[w][r] = ret > 0;
		}
	}
	return 0;
}

static void
write_number(struct dict_kv_transaction *trans, const char *key, bool found,
	     uint64_t before, uint64_t after)
{
	if (!found)
		dict_kv_set_number(trans, key, to_number(after));
	else if (after != before)
		dict_kv_add(trans, key, to_number(after) - to_number(before));
}

static void
begin_window(const struct dict_quota *quota, struct dict_kv_transaction *trans,
	     unsigned int window, const struct pop3_quota_counter *counter,
	     const struct dict_quota_news *news)
{
	time_t old_start = quota->counters.window[window].start;
	unsigned int r;

	for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
		write_number(trans, number_key(window, counter->start, r),
			     news->found[window][r], 0, counter->used.n[r]);
		if (old_start != 0) {
			dict_kv_unset(trans,
				      number_key(window, old_start, r));
		}
	}
}

void dict_quota_write(const struct dict_quota *quota,
		      struct dict_kv_transaction *trans,
		      const struct pop3_quota_counters *counters,
		      const struct dict_quota_news *news)
{
	unsigned int w, r;

	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		const struct pop3_quota_counter *counter = &counters->window[w];
		const struct pop3_quota_counter *before =
			&quota->counters.window[w];

		if (counter->start != before->start) {
			begin_window(quota, trans, w, counter, news);
			continue;
		}
		for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT &&
		     counter->start != 0; r++) {
			write_number(trans, number_key(w, counter->start, r),
				     quota->found[w][r], before->used.n[r],
				     counter->used.n[r]);
		}
	}
}
