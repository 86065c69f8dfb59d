/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "mail-search.h"
#include "maildrop.h"
#include "search-query.h"
#include "exempt.h"

static bool exempts_nothing(const char *query)
{
	return *query == '\0' || strcasecmp(query, "none") == 0;
}

static struct mail_search_args *parse(const char *query, const char **error_r)
{
	return search_query_parse(query, "FLAGGED, or none", error_r);
}

int retention_exempt_check(const char *query, const char **error_r)
{
	struct mail_search_args *args;

	/* the default, which most users have */
	if (exempts_nothing(query) || strcmp(query, "FLAGGED") == 0)
		return 0;
	args = parse(query, error_r);
	if (args == NULL)
		return -1;
	mail_search_args_unref(&args);
	return 0;
}

int retention_find_exempt(struct maildrop *drop, const char *query,
			  const ARRAY_TYPE(seq_range) *uids,
			  ARRAY_TYPE(seq_range) *found, const char **error_r)
{
	struct mail_search_args *args;
	int ret;

	if (exempts_nothing(query) || array_count(uids) == 0)
		return 0;
	args = parse(query, error_r);
	if (args == NULL)
		return -1;
	ret = search_query_find(args, drop->box, uids, found, error_r);
	mail_search_args_unref(&args);
	return ret;
}

int retention_mark_exempt(struct maildrop *drop, const char *query,
			  const ARRAY_TYPE(seq_range) *uids,
			  ARRAY_TYPE(pop3_retention_message) *messages,
			  const char **error_r)
{
	struct pop3_retention_message *message;
	ARRAY_TYPE(seq_range) found;
	int ret;

	i_array_init(&found, 32);
	ret = retention_find_exempt(drop, query, uids, &found, error_r);
	if (ret == 0 && array_count(&found) > 0) {
		array_foreach_modifiable(messages, message) {
			if (message->exempt ||
			    !seq_range_exists(&found, message->uid))
				continue;
			message->exempt = TRUE;
			ret = 1;
		}
	}
	array_free(&found);
	return ret;
}
