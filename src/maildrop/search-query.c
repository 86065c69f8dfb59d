/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "strescape.h"
#include "mail-storage.h"
#include "mail-search.h"
#include "mail-search-build.h"
#include "mail-search-parser.h"
#include "mail-search-register.h"
#include "search-query.h"

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

static int
build(const char *query, struct mail_search_args **args_r, const char **error_r)
{
	struct mail_search_parser *parser;
	const char *const *words;
	const char *charset = "UTF-8";
	int ret;

	if (split_words(query, &words) < 0) {
		*error_r = "a quote is not closed";
		return -1;
	}
	parser = mail_search_parser_init_cmdline(words);
	ret = mail_search_build(mail_search_register_get_human(), parser,
				&charset, args_r, error_r);
	if (ret < 0) {
		/* it is the parser's */
		*error_r = t_strdup(*error_r);
	}
	mail_search_parser_deinit(&parser);
	return ret;
}

static bool may_be_view(const struct mail_search_arg *arg)
{
	for (; arg != NULL; arg = arg->next) {
		switch (arg->type) {
		case SEARCH_OR:
		case SEARCH_SUB:
			if (!may_be_view(arg->value.subargs))
				return FALSE;
			break;
		case SEARCH_SEQSET:
		case SEARCH_UIDSET:
		case SEARCH_REAL_UID:
		case SEARCH_MODSEQ:
		case SEARCH_INTHREAD:
		case SEARCH_MAILBOX:
		case SEARCH_MAILBOX_GUID:
		case SEARCH_MAILBOX_GLOB:
			return FALSE;
		default:
			break;
		}
	}
	return TRUE;
}

static const char *
bad_query(const char *query, const char *error, const char *examples)
{
	return t_strdup_printf("bad search query \"%s\": %s, expected one as "
		"doveadm search takes it, such as %s", query, error, examples);
}

struct mail_search_args *
search_query_parse(const char *query, const char *examples,
		   const char **error_r)
{
	struct mail_search_args *args;
	const char *error;

	if (build(query, &args, &error) < 0) {
		*error_r = bad_query(query, error, examples);
		return NULL;
	}
	return args;
}

struct mail_search_args *
search_query_parse_view(const char *query, const char **error_r)
{
	const char *examples = "NOT KEYWORD $Junk, or ALL";
	struct mail_search_args *args;

	args = search_query_parse(query, examples, error_r);
	if (args == NULL)
		return NULL;
	if (args->stop_on_nonmatch || !may_be_view(args->args)) {
		*error_r = bad_query(query, "numbers of messages, UIDs, "
			"MODSEQ, INTHREAD, OLDESTONLY and mailboxes cannot be "
			"in it", examples);
		mail_search_args_unref(&args);
	}
	return args;
}

static void
add_uids(struct mail_search_args *args, const ARRAY_TYPE(seq_range) *uids)
{
	struct mail_search_arg *arg;

	arg = mail_search_build_add(args, SEARCH_UIDSET);
	p_array_init(&arg->value.seqset, args->pool, array_count(uids));
	array_append_array(&arg->value.seqset, uids);
}

int search_query_find(struct mail_search_args *args, struct mailbox *box,
		      const ARRAY_TYPE(seq_range) *uids,
		      ARRAY_TYPE(seq_range) *found, const char **error_r)
{
	struct mailbox_transaction_context *trans;
	struct mail_search_context *search;
	struct mail *mail;
	int ret;

	add_uids(args, uids);
	mail_search_args_init(args, box, TRUE, NULL);
	trans = mailbox_transaction_begin(box, 0, __func__);
	search = mailbox_search_init(trans, args, NULL, 0, NULL);
	while (mailbox_search_next(search, &mail))
		seq_range_array_add(found, mail->uid);
	ret = mailbox_search_deinit(&search);
	if (ret < 0)
		*error_r = mailbox_get_last_internal_error(box, NULL);
	(void)mailbox_transaction_commit(&trans);
	mail_search_args_deinit(args);
	return ret;
}
