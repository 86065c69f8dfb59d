/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "seq-range-array.h"
#include "test-common.h"
#include "mail-search.h"
#include "mail-search-build.h"
#include "pop3-symbols.h"
#include "search-query.h"
#include "session-view.h"

static struct mail_search_args *parse(const char *query)
{
	struct mail_search_args *args;
	const char *error;

	args = search_query_parse_view(query, &error);
	if (args == NULL)
		i_fatal("%s", error);
	mail_search_args_simplify(args);
	return args;
}

/* As the pop3 process has it. */
static struct mail_search_args *all_messages(void)
{
	struct mail_search_args *args = mail_search_build_init();

	mail_search_build_add_all(args);
	mail_search_args_simplify(args);
	return args;
}

static void test_added(void)
{
	struct client client = { .messages_count = 3 };
	struct mail_search_args *view, *args = all_messages();
	const struct mail_search_arg *arg;

	test_begin("session view: it is added to the search");
	view = parse("SMALLER 1000 LARGER 10");
	session_view_apply(view, &client, args);
	/* what was added is not the view's */
	mail_search_args_unref(&view);
	arg = args->args;
	test_assert(arg->type == SEARCH_ALL && !arg->match_not);
	arg = arg->next;
	test_assert(arg->type == SEARCH_SMALLER && arg->value.size == 1000);
	arg = arg->next;
	test_assert(arg->type == SEARCH_LARGER && arg->value.size == 10);
	test_assert(arg->next == NULL);
	array_free(&client.all_seqs);
	mail_search_args_unref(&args);
	test_end();
}

/* The pop3 process has to search again when a message could not be read. */
static void test_again(void)
{
	struct client client = { .messages_count = 3 };
	struct mail_search_args *args, *view = parse("SEEN");
	unsigned int i;

	test_begin("session view: which messages there are is noted anew");
	for (i = 0; i < 3; i++) {
		args = all_messages();
		session_view_apply(view, &client, args);
		test_assert_idx(args->args->next != NULL &&
				args->args->next->next == NULL, i);
		test_assert_idx(array_is_created(&client.all_seqs) &&
				array_count(&client.all_seqs) == 0, i);
		seq_range_array_add(&client.all_seqs, i + 1);
		mail_search_args_unref(&args);
	}
	array_free(&client.all_seqs);
	mail_search_args_unref(&view);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_added,
		test_again,
		NULL
	};

	return test_run(test_functions);
}
