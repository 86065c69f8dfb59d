/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "seq-range-array.h"
#include "mail-search.h"
#include "mail-storage-private.h"
#include "plain-search.h"

#define PLAIN_SEARCH(ctx) MODULE_CONTEXT(ctx, plain_search_module)
#define PLAIN_SEARCH_REQUIRE(ctx) \
	MODULE_CONTEXT_REQUIRE(ctx, plain_search_module)

struct plain_search {
	union mail_search_module_context module_ctx;
	struct mail_search_context ctx;
	struct mail *mail;
	ARRAY_TYPE(seq_range) seqs;
	struct seq_range_iter iter;
	unsigned int next;
};

static MODULE_CONTEXT_DEFINE_INIT(plain_search_module,
				  &mail_storage_module_register);

/* The pop3 process has a range from 1 to 0 in an empty mailbox. */
static void
add_seqs(const ARRAY_TYPE(seq_range) *seqset, uint32_t messages,
	 ARRAY_TYPE(seq_range) *seqs)
{
	const struct seq_range *range;

	array_foreach(seqset, range) {
		uint32_t last = I_MIN(range->seq2, messages);

		if (range->seq1 <= last)
			seq_range_array_add_range(seqs, range->seq1, last);
	}
}

/* Returns FALSE if it is neither all messages nor a set of them. */
static bool
get_seqs(const struct mail_search_arg *arg, uint32_t messages,
	 ARRAY_TYPE(seq_range) *seqs)
{
	if (arg == NULL || arg->next != NULL || arg->match_not)
		return FALSE;
	switch (arg->type) {
	case SEARCH_ALL:
		if (messages > 0)
			seq_range_array_add_range(seqs, 1, messages);
		return TRUE;
	case SEARCH_SEQSET:
		add_seqs(&arg->value.seqset, messages, seqs);
		return TRUE;
	default:
		return FALSE;
	}
}

static struct mail_search_context *
search_init(struct mailbox_transaction_context *t,
	    struct mail_search_args *args, enum mail_fetch_field wanted_fields,
	    const ARRAY_TYPE(seq_range) *seqs, uint32_t messages)
{
	struct plain_search *search = i_new(struct plain_search, 1);

	search->ctx.transaction = t;
	search->ctx.args = args;
	search->ctx.wanted_fields = wanted_fields;
	search->ctx.progress_max = messages;
	i_array_init(&search->ctx.results, 1);
	i_array_init(&search->ctx.module_contexts, 5);
	i_array_init(&search->seqs, array_count(seqs) + 1);
	array_append_array(&search->seqs, seqs);
	seq_range_array_iter_init(&search->iter, &search->seqs);
	/* as a search does: it has the size of each message that is read in
	   this transaction checked, also by RETR */
	t->stats_track = TRUE;
	if (array_count(seqs) > 0)
		search->mail = mail_alloc(t, wanted_fields, NULL);
	MODULE_CONTEXT_SET(&search->ctx, plain_search_module, search);
	return &search->ctx;
}

struct mail_search_context *
plain_search_init(struct mailbox_transaction_context *t,
		  struct mail_search_args *args,
		  enum mail_fetch_field wanted_fields)
{
	uint32_t messages = mail_index_view_get_messages_count(t->view);
	ARRAY_TYPE(seq_range) seqs;

	t_array_init(&seqs, 8);
	if (!get_seqs(args->args, messages, &seqs))
		return NULL;
	return search_init(t, args, wanted_fields, &seqs, messages);
}

struct mail_search_context *
plain_search_init_empty(struct mailbox_transaction_context *t,
			struct mail_search_args *args,
			enum mail_fetch_field wanted_fields)
{
	ARRAY_TYPE(seq_range) seqs;

	t_array_init(&seqs, 1);
	return search_init(t, args, wanted_fields, &seqs, 0);
}

bool plain_search_is(struct mail_search_context *ctx)
{
	return PLAIN_SEARCH(ctx) != NULL;
}

bool plain_search_next(struct mail_search_context *ctx, struct mail **mail_r)
{
	struct plain_search *search = PLAIN_SEARCH_REQUIRE(ctx);

	if (!seq_range_array_iter_nth(&search->iter, search->next, &ctx->seq))
		return FALSE;
	search->next++;
	ctx->progress_cur = ctx->seq;
	mail_set_seq(search->mail, ctx->seq);
	*mail_r = search->mail;
	return TRUE;
}

void plain_search_deinit(struct mail_search_context *ctx)
{
	struct plain_search *search = PLAIN_SEARCH_REQUIRE(ctx);

	if (search->mail != NULL)
		mail_free(&search->mail);
	array_free(&search->seqs);
	array_free(&ctx->results);
	array_free(&ctx->module_contexts);
	i_free(search);
}
