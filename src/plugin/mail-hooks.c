/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "mail-storage-private.h"
#include "mail-storage-hooks.h"
#include "fast-polls.h"
#include "plain-search.h"
#include "refused-mailbox.h"
#include "session.h"
#include "mail-hooks.h"

#define POLICY_BOX_CONTEXT(box) \
	MODULE_CONTEXT_REQUIRE(box, pop3_policy_box_module)

struct policy_box {
	union mailbox_module_context module_ctx;
	struct pop3_policy_session *session;
	/* of all messages of this mailbox that are read for the client */
	int (*super_get_stream)(struct mail *mail, bool get_body,
				struct message_size *hdr_size,
				struct message_size *body_size,
				struct istream **stream_r);
	void (*super_free)(struct mail *mail);
	int (*super_get_special)(struct mail *mail, enum mail_fetch_field field,
				 const char **value_r);
	int (*super_get_virtual_size)(struct mail *mail, uoff_t *size_r);
};

static MODULE_CONTEXT_DEFINE_INIT(pop3_policy_box_module,
				  &mail_storage_module_register);

static struct fast_polls *get_fast_polls(struct policy_box *pbox)
{
	return pop3_policy_session_fast_polls(pbox->session);
}

static bool makes_uidls(struct policy_box *pbox)
{
	struct fast_polls *fast = get_fast_polls(pbox);

	return fast != NULL && fast_polls_make_uidls(fast);
}

static bool knows_sizes(struct policy_box *pbox)
{
	struct fast_polls *fast = get_fast_polls(pbox);

	return fast != NULL && fast_polls_know_sizes(fast);
}

/* The reason tells a command of the client from the many other things that a
   message is opened for, such as to find out its size. */
static bool
reason_to_command(const char *reason, enum session_command *command_r)
{
	if (strcmp(reason, "RETR") == 0)
		*command_r = SESSION_RETR;
	else if (strcmp(reason, "TOP") == 0)
		*command_r = SESSION_TOP;
	else
		return FALSE;
	return TRUE;
}

static int refuse(struct mail *mail)
{
	/* the client gets the reply of the session in place of this */
	mail_storage_set_error(mail->box->storage, MAIL_ERROR_LIMIT,
			       "Refused by POP3 policy");
	return -1;
}

static int
policy_mail_get_stream(struct mail *_mail, bool get_body,
		       struct message_size *hdr_size,
		       struct message_size *body_size, struct istream **stream_r)
{
	struct mail_private *mail = (struct mail_private *)_mail;
	struct policy_box *pbox = POLICY_BOX_CONTEXT(_mail->box);
	enum session_command command;

	if (!get_body || mail->get_stream_reason == NULL ||
	    !reason_to_command(mail->get_stream_reason, &command)) {
		return pbox->super_get_stream(_mail, get_body, hdr_size,
					      body_size, stream_r);
	}
	if (!pop3_policy_session_allow_open(pbox->session, _mail, command))
		return refuse(_mail);
	if (pbox->super_get_stream(_mail, get_body, hdr_size, body_size,
				   stream_r) < 0)
		return -1;
	if (!pop3_policy_session_allow_send(pbox->session, _mail, command,
					    *stream_r))
		return refuse(_mail);
	return 0;
}

static void policy_mail_free(struct mail *mail)
{
	struct policy_box *pbox = POLICY_BOX_CONTEXT(mail->box);

	pop3_policy_session_mail_freed(pbox->session, mail);
	pbox->super_free(mail);
}

static int
policy_mail_get_special(struct mail *_mail, enum mail_fetch_field field,
			const char **value_r)
{
	struct mail_private *mail = (struct mail_private *)_mail;
	struct policy_box *pbox = POLICY_BOX_CONTEXT(_mail->box);
	const char *uidl;
	int ret = 0;

	if (field != MAIL_FETCH_UIDL_BACKEND)
		return pbox->super_get_special(_mail, field, value_r);
	if (pop3_policy_session_has_uidls(pbox->session)) T_BEGIN {
		ret = pop3_policy_session_get_uidl(pbox->session, _mail, &uidl);
		if (ret > 0)
			*value_r = p_strdup(mail->data_pool, uidl);
	} T_END;
	if (ret != 0)
		return ret < 0 ? -1 : 0;
	if (!makes_uidls(pbox))
		return pbox->super_get_special(_mail, field, value_r);
	return fast_polls_get_uidl(get_fast_polls(pbox), _mail,
				   pbox->super_get_special, value_r);
}

static int policy_mail_get_virtual_size(struct mail *mail, uoff_t *size_r)
{
	struct policy_box *pbox = POLICY_BOX_CONTEXT(mail->box);

	if (knows_sizes(pbox) &&
	    fast_polls_get_size(get_fast_polls(pbox), mail, size_r))
		return 0;
	return pbox->super_get_virtual_size(mail, size_r);
}

/* Cheaper than a mail_allocated hook and a context for each message: that would
   be a third of what the plugin costs for a small message. */
static struct mail *
policy_box_mail_alloc(struct mailbox_transaction_context *t,
		      enum mail_fetch_field wanted_fields,
		      struct mailbox_header_lookup_ctx *wanted_headers)
{
	struct policy_box *pbox = POLICY_BOX_CONTEXT(t->box);
	struct mail_private *mail;
	struct mail *_mail;

	_mail = pbox->module_ctx.super.mail_alloc(t, wanted_fields,
						  wanted_headers);
	mail = (struct mail_private *)_mail;
	if (pop3_policy_session_has_uidls(pbox->session) || makes_uidls(pbox)) {
		pbox->super_get_special = mail->v.get_special;
		mail->v.get_special = policy_mail_get_special;
	}
	if (knows_sizes(pbox)) {
		pbox->super_get_virtual_size = mail->v.get_virtual_size;
		mail->v.get_virtual_size = policy_mail_get_virtual_size;
	}
	if ((wanted_fields & MAIL_FETCH_STREAM_BODY) != 0) {
		/* for RETR or TOP */
		pbox->super_get_stream = mail->v.get_stream;
		pbox->super_free = mail->v.free;
		mail->v.get_stream = policy_mail_get_stream;
		mail->v.free = policy_mail_free;
	}
	return _mail;
}

static bool sorts_by_order_only(const enum mail_sort_type *sort_program)
{
	return sort_program != NULL &&
		sort_program[0] == MAIL_SORT_POP3_ORDER &&
		sort_program[1] == MAIL_SORT_END;
}

/* Another plugin may have orders of its own, as that for migrations has. */
static bool others_have_orders(struct mailbox_transaction_context *t)
{
	struct policy_box *pbox = POLICY_BOX_CONTEXT(t->box);
	struct mail *mail = mail_alloc(t, 0, NULL);
	struct mail_private *pmail = (struct mail_private *)mail;
	int (*get_special)(struct mail *, enum mail_fetch_field, const char **);

	get_special = pmail->v.get_special;
	if (get_special == policy_mail_get_special)
		get_special = pbox->super_get_special;
	mail_free(&mail);
	return get_special != t->box->mail_vfuncs->get_special;
}

static struct mail_search_context *
policy_box_search_init(struct mailbox_transaction_context *t,
		       struct mail_search_args *args,
		       const enum mail_sort_type *sort_program,
		       enum mail_fetch_field wanted_fields,
		       struct mailbox_header_lookup_ctx *wanted_headers)
{
	struct policy_box *pbox = POLICY_BOX_CONTEXT(t->box);
	struct fast_polls *fast = get_fast_polls(pbox);
	struct mail_search_context *ctx = NULL;
	bool lists = sorts_by_order_only(sort_program);

	pop3_policy_session_search_begin(pbox->session, t, args);
	if (lists)
		pop3_policy_session_list(pbox->session, args);
	if (fast != NULL && mail_index_view_get_messages_count(t->view) == 0)
		return plain_search_init_empty(t, args, wanted_fields);
	if (fast != NULL && lists && fast_polls_have_no_orders(fast) &&
	    !others_have_orders(t)) {
		sort_program = NULL;
		/* messages are handled as if they were sorted */
		wanted_fields |= MAIL_FETCH_POP3_ORDER;
		if (wanted_headers == NULL)
			ctx = plain_search_init(t, args, wanted_fields);
	}
	return ctx != NULL ? ctx :
		pbox->module_ctx.super.search_init(t, args, sort_program,
						   wanted_fields,
						   wanted_headers);
}

static bool
policy_box_search_next_nonblock(struct mail_search_context *ctx,
				struct mail **mail_r, bool *tryagain_r)
{
	struct policy_box *pbox = POLICY_BOX_CONTEXT(ctx->transaction->box);

	if (!plain_search_is(ctx)) {
		return pbox->module_ctx.super.search_next_nonblock(ctx, mail_r,
								   tryagain_r);
	}
	*tryagain_r = FALSE;
	if (ctx->seq == 0 &&
	    pop3_policy_session_send_list(pbox->session))
		return FALSE;
	return plain_search_next(ctx, mail_r);
}

static int policy_box_search_deinit(struct mail_search_context *ctx)
{
	struct policy_box *pbox = POLICY_BOX_CONTEXT(ctx->transaction->box);

	pop3_policy_session_search_end(pbox->session);
	if (!plain_search_is(ctx))
		return pbox->module_ctx.super.search_deinit(ctx);
	plain_search_deinit(ctx);
	return 0;
}

static struct mailbox_sync_context *
policy_box_sync_init(struct mailbox *box, enum mailbox_sync_flags flags)
{
	struct policy_box *pbox = POLICY_BOX_CONTEXT(box);

	pop3_policy_session_mailbox_sync(pbox->session);
	return pbox->module_ctx.super.sync_init(box, flags);
}

static int
policy_box_sync_deinit(struct mailbox_sync_context *ctx,
		       struct mailbox_sync_status *status_r)
{
	struct mailbox *box = ctx->box;
	struct policy_box *pbox = POLICY_BOX_CONTEXT(box);

	if (pbox->module_ctx.super.sync_deinit(ctx, status_r) < 0)
		return -1;
	return pop3_policy_session_mailbox_synced(pbox->session, box);
}

static void pop3_policy_mailbox_allocated(struct mailbox *box)
{
	struct mailbox_vfuncs *v = box->vlast;
	struct pop3_policy_session *session;
	struct policy_box *pbox;

	/* only the maildrop */
	if ((box->flags & MAILBOX_FLAG_POP3_SESSION) == 0)
		return;
	session = pop3_policy_session_find(box->storage->user);
	if (session == NULL) {
		refused_mailbox_allocated(box);
		return;
	}

	pbox = p_new(box->pool, struct policy_box, 1);
	pbox->session = session;
	pbox->module_ctx.super = *v;
	box->vlast = &pbox->module_ctx.super;
	v->mail_alloc = policy_box_mail_alloc;
	v->search_init = policy_box_search_init;
	v->search_next_nonblock = policy_box_search_next_nonblock;
	v->search_deinit = policy_box_search_deinit;
	v->sync_init = policy_box_sync_init;
	v->sync_deinit = policy_box_sync_deinit;
	MODULE_CONTEXT_SET(box, pop3_policy_box_module, pbox);
}

static struct mail_storage_hooks pop3_policy_mail_storage_hooks = {
	.mailbox_allocated = pop3_policy_mailbox_allocated
};

void mail_hooks_add(struct module *module)
{
	mail_storage_hooks_add(module, &pop3_policy_mail_storage_hooks);
}

void mail_hooks_remove(void)
{
	mail_storage_hooks_remove(&pop3_policy_mail_storage_hooks);
}
