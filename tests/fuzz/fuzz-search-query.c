/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "mail-search.h"
#include "search-query.h"
#include "view-text.h"
#include "fuzz.h"

/* A query is one, or an error says why not; in that of a view there is nothing
   that is not about one message. */

const char *const fuzz_corpus = "search-query";

/* All that a view may have, so that one that is new in Dovecot is looked at. */
static void check_view(const struct mail_search_arg *arg)
{
	for (; arg != NULL; arg = arg->next) {
		switch (arg->type) {
		case SEARCH_OR:
		case SEARCH_SUB:
			check_view(arg->value.subargs);
			break;
		case SEARCH_ALL:
		case SEARCH_FLAGS:
		case SEARCH_KEYWORDS:
		case SEARCH_BEFORE:
		case SEARCH_ON:
		case SEARCH_SINCE:
		case SEARCH_SMALLER:
		case SEARCH_LARGER:
		case SEARCH_HEADER:
		case SEARCH_HEADER_ADDRESS:
		case SEARCH_HEADER_COMPRESS_LWSP:
		case SEARCH_BODY:
		case SEARCH_TEXT:
		case SEARCH_GUID:
		case SEARCH_MIMEPART:
		case SEARCH_SAVEDATESUPPORTED:
			break;
		default:
			i_panic("a view has %d", arg->type);
		}
	}
}

static void check_query(const char *query)
{
	struct mail_search_args *args, *view;
	const char *error = NULL;

	args = search_query_parse(query, "EXAMPLES", &error);
	i_assert((args == NULL) == (error != NULL));
	error = NULL;
	view = search_query_parse_view(query, &error);
	i_assert((view == NULL) == (error != NULL));
	i_assert(args != NULL || view == NULL);
	if (view != NULL) {
		i_assert(!view->stop_on_nonmatch);
		check_view(view->args);
		mail_search_args_unref(&view);
	}
	if (args != NULL)
		mail_search_args_unref(&args);
}

/* A space before it changes nothing. */
static void check_view_text(const char *text)
{
	const char *query = pop3_view_query(text);
	const char *spaced = t_strconcat(" ", text, NULL);

	i_assert(query == NULL || query == text);
	i_assert((pop3_view_query(spaced) == NULL) == (query == NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text;

	fuzz_init();
	T_BEGIN {
		text = fuzz_text(data, size);
		check_view_text(text);
		check_query(text);
	} T_END;
	return 0;
}
