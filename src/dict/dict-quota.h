#ifndef POP3_POLICY_DICT_QUOTA_H
#define POP3_POLICY_DICT_QUOTA_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "quota.h"
#include "dict-kv.h"

/* What was used in each window, as numbers of the dict: several hosts add to
   them at once, and nothing is lost. A window that begins has new numbers,
   whose keys have its start; those of the one before are removed. */
struct dict_quota {
	/* as they were last read */
	struct pop3_quota_counters counters;
	bool found[POP3_QUOTA_WINDOW_COUNT][POP3_QUOTA_RESOURCE_COUNT];
};

/* Read the numbers of windows that have a start; a number that is not there
   leaves what is in counters. Returns 0, or -1 and an error. */
int dict_quota_read(struct dict_quota *quota, struct dict_kv *kv,
		    struct pop3_quota_counters *counters, const char **error_r);

/* What else a write must know: numbers of windows that have begun since they
   were read. Returns 0, or -1 and an error. */
struct dict_quota_news {
	bool found[POP3_QUOTA_WINDOW_COUNT][POP3_QUOTA_RESOURCE_COUNT];
};
int dict_quota_look_ahead(const struct dict_quota *quota, struct dict_kv *kv,
			  const struct pop3_quota_counters *counters,
			  struct dict_quota_news *news_r, const char **error_r);
/* Add what the counters have gained or lost since they were read. */
void dict_quota_write(const struct dict_quota *quota,
		      struct dict_kv_transaction *trans,
		      const struct pop3_quota_counters *counters,
		      const struct dict_quota_news *news);

#endif
