/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "strescape.h"
#include "mail-storage.h"
#include "mail-search.h"
#include "mail-search-build.h"
#include "mail-search-parser.h"
#include "mail-search-register.h"
#include "maildrop.h"
#include "exempt.h"

static bool exempts_nothing(const char *query)
{
	return *query == '\0' || strcasecmp(query, "none") == 0;
}

/* Returns 0 and the words in the data stack, with NULL behind them, or -1 if a
   quote is not closed. */
static int split_words(const char *query, const char *const **words_r)
{
	ARRAY_TYPE(const_string) words;
	const char *word;

	t_array_init(&words, 8);
	for (;;) {
		query += strspn(query, " \t");
		if (*query == '\0')
			break;
		if (*query == '"') {
			query++;
			if (str_unescape_next(&query, &word) < 0)
				return -1;
		} else {
			size_t len = strcspn(query, " \t");

			word = t_strndup(query, len);
			query += len;
		}
		array_push_back(&words, &word);
	}
	array_append_zero(&words);
	*words_r = array_front(&words);
	return 0;
}

static struct mail_search_args *
build_search(const char *query, const char **error_r)
{
	struct mail_search_args *args = NULL;
	struct mail_search_parser *parser;
	const char *const *words;
	const char *charset = "UTF-8", *error = "a quote is not closed";
	int ret;

	ret = split_words(query, &words);
	if (ret == 0) {
		parser = mail_search_parser_init_cmdline(words);
		ret = mail_search_build(mail_search_register_get_human(),
					parser, &charset, &args, &error);
		/* the error is the parser's */
		error = t_strdup(error);
		mail_search_parser_deinit(&parser);
	}
	if (ret < 0) {
		*error_r = t_strdup_printf("bad search query \"%s\": %s, "
			"expected one as doveadm search takes it, such as "
			"FLAGGED, or none", query, error);
		return NULL;
	}
	return args;
}

int retention_exempt_check(const char *query, const char **error_r)
{
	struct mail_search_args *args;

	/* the default, which most users have */
	if (exempts_nothing(query) || strcmp(query, "FLAGGED") == 0)
		return 0;
	args = build_search(query, error_r);
	if (args == NULL)
		return -1;
	mail_search_args_unref(&args);
	return 0;
}

static void
add_uids(struct mail_search_args *args, const ARRAY_TYPE(seq_range) *uids)
{
	struct mail_search_arg *arg;

	arg = mail_search_build_add(args, SEARCH_UIDSET);
	p_array_init(&arg->value.seqset, args->pool, array_count(uids));
	array_append_array(&arg->value.seqset, uids);
}

static int
search(struct maildrop *drop, struct mail_search_args *args,
       ARRAY_TYPE(seq_range) *found, const char **error_r)
{
	struct mailbox_transaction_context *trans;
	struct mail_search_context *search;
	struct mail *mail;
	int ret;

	mail_search_args_init(args, drop->box, TRUE, NULL);
	trans = mailbox_transaction_begin(drop->box, 0, __func__);
	search = mailbox_search_init(trans, args, NULL, 0, NULL);
	while (mailbox_search_next(search, &mail))
		seq_range_array_add(found, mail->uid);
	ret = mailbox_search_deinit(&search);
	if (ret < 0)
		*error_r = mailbox_get_last_internal_error(drop->box, NULL);
	(void)mailbox_transaction_commit(&trans);
	mail_search_args_deinit(args);
	return ret;
}

int retention_find_exempt(struct maildrop *drop, const char *query,
			  const ARRAY_TYPE(seq_range) *uids,
			  ARRAY_TYPE(seq_range) *found, const char **error_r)
{
	struct mail_search_args *args;
	int ret;

	if (exempts_nothing(query) || array_count(uids) == 0)
		return 0;
	args = build_search(query, error_r);
	if (args == NULL)
		return -1;
	add_uids(args, uids);
	ret = search(drop, args, found, error_r);
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
