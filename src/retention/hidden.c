/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "mail-search.h"
#include "maildrop.h"
#include "search-query.h"
#include "hidden.h"

int retention_view_check(const char *view, const char **error_r)
{
	struct mail_search_args *args;

	if (view == NULL)
		return 0;
	args = search_query_parse_view(view, error_r);
	if (args == NULL)
		return -1;
	mail_search_args_unref(&args);
	return 0;
}

int retention_find_hidden(struct maildrop *drop, const char *view,
			  const ARRAY_TYPE(seq_range) *uids,
			  ARRAY_TYPE(seq_range) *hidden, const char **error_r)
{
	struct mail_search_args *args;
	ARRAY_TYPE(seq_range) shown, others;
	int ret;

	if (view == NULL || array_count(uids) == 0)
		return 0;
	args = search_query_parse_view(view, error_r);
	if (args == NULL)
		return -1;
	i_array_init(&shown, 32);
	i_array_init(&others, 32);
	ret = search_query_find(args, drop->box, uids, &shown, error_r);
	if (ret == 0) {
		array_append_array(&others, uids);
		seq_range_array_remove_seq_range(&others, &shown);
		seq_range_array_merge(hidden, &others);
	}
	array_free(&others);
	array_free(&shown);
	mail_search_args_unref(&args);
	return ret;
}

static void
find_downloaded(const ARRAY_TYPE(seq_range) *uids,
		const ARRAY_TYPE(pop3_retention_message) *messages,
		ARRAY_TYPE(seq_range) *found)
{
	const struct pop3_retention_message *message;

	array_foreach(messages, message) {
		if (message->downloaded != 0 && !message->exempt &&
		    seq_range_exists(uids, message->uid))
			seq_range_array_add(found, message->uid);
	}
}

int retention_mark_hidden(struct maildrop *drop, const char *view,
			  const ARRAY_TYPE(seq_range) *uids,
			  ARRAY_TYPE(pop3_retention_message) *messages,
			  const char **error_r)
{
	struct pop3_retention_message *message;
	ARRAY_TYPE(seq_range) asked, hidden;
	int ret;

	if (view == NULL)
		return 0;
	i_array_init(&asked, 32);
	i_array_init(&hidden, 32);
	find_downloaded(uids, messages, &asked);
	ret = retention_find_hidden(drop, view, &asked, &hidden, error_r);
	if (ret == 0 && array_count(&hidden) > 0) {
		array_foreach_modifiable(messages, message) {
			if (!seq_range_exists(&hidden, message->uid))
				continue;
			message->exempt = TRUE;
			message->hidden = TRUE;
			ret = 1;
		}
	}
	array_free(&hidden);
	array_free(&asked);
	return ret;
}
