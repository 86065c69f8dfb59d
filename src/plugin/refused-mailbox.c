/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "mail-storage-private.h"
#include "plain-search.h"
#include "refused-mailbox.h"

struct refused_user {
	union mail_user_module_context module_ctx;
};

static MODULE_CONTEXT_DEFINE_INIT(refused_user_module,
				  &mail_user_module_register);

static struct mailbox_sync_context *
refused_sync_init(struct mailbox *box, enum mailbox_sync_flags flags)
{
	struct mailbox_sync_context *ctx;

	ctx = i_new(struct mailbox_sync_context, 1);
	ctx->box = box;
	ctx->flags = flags;
	return ctx;
}

static bool
refused_sync_next(struct mailbox_sync_context *ctx ATTR_UNUSED,
		  struct mailbox_sync_rec *sync_rec_r ATTR_UNUSED)
{
	return FALSE;
}

static int
refused_sync_deinit(struct mailbox_sync_context *ctx,
		    struct mailbox_sync_status *status_r ATTR_UNUSED)
{
	i_free(ctx);
	return 0;
}

static struct mail_search_context *
refused_search_init(struct mailbox_transaction_context *t,
		    struct mail_search_args *args,
		    const enum mail_sort_type *sort_program ATTR_UNUSED,
		    enum mail_fetch_field wanted_fields,
		    struct mailbox_header_lookup_ctx *headers ATTR_UNUSED)
{
	return plain_search_init_empty(t, args, wanted_fields);
}

static bool
refused_search_next_nonblock(struct mail_search_context *ctx,
			     struct mail **mail_r, bool *tryagain_r)
{
	*tryagain_r = FALSE;
	return plain_search_next(ctx, mail_r);
}

static int refused_search_deinit(struct mail_search_context *ctx)
{
	plain_search_deinit(ctx);
	return 0;
}

void refused_mailbox_mark(struct mail_user *user)
{
	struct refused_user *ruser = p_new(user->pool, struct refused_user, 1);

	MODULE_CONTEXT_SET(user, refused_user_module, ruser);
}

void refused_mailbox_allocated(struct mailbox *box)
{
	struct mailbox_vfuncs *v = box->vlast;

	if (MODULE_CONTEXT(box->storage->user, refused_user_module) == NULL)
		return;
	v->sync_init = refused_sync_init;
	v->sync_next = refused_sync_next;
	v->sync_deinit = refused_sync_deinit;
	v->search_init = refused_search_init;
	v->search_next_nonblock = refused_search_next_nonblock;
	v->search_deinit = refused_search_deinit;
}
