/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "mail-search.h"
#include "pop3-symbols.h"
#include "session-view.h"

/* Which messages there are UIDL asks for by this set. If it is not there before
   the search, the pop3 process takes the first ones of the mailbox; so it does
   when it has to search once more. */
static void note_each_message(struct client *client)
{
	if (array_is_created(&client->all_seqs))
		array_clear(&client->all_seqs);
	else
		i_array_init(&client->all_seqs, 32);
}

void session_view_apply(const struct mail_search_args *view,
			struct client *client, struct mail_search_args *args)
{
	struct mail_search_arg **last, *added;

	added = mail_search_arg_dup(args->pool, view->args);
	mail_search_arg_init(args, added);
	for (last = &args->args; *last != NULL; last = &(*last)->next) ;
	*last = added;
	note_each_message(client);
}
