/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "mail-storage-private.h"
#include "mail-storage-hooks.h"
#include "sync-uidls.h"
#include "sync-hooks.h"

#define SYNC_BOX_CONTEXT(box) \
	MODULE_CONTEXT_REQUIRE(box, pop3_policy_sync_box_module)

struct sync_box {
	union mailbox_module_context module_ctx;
	/* once somebody has asked for a UIDL */
	struct sync_uidls *uidls;
	/* of all messages of this mailbox */
	int (*super_get_special)(struct mail *mail, enum mail_fetch_field field,
				 const char **value_r);
};

static MODULE_CONTEXT_DEFINE_INIT(pop3_policy_sync_box_module,
				  &mail_storage_module_register);

static int
sync_mail_get_special(struct mail *_mail, enum mail_fetch_field field,
		      const char **value_r)
{
	struct mail_private *mail = (struct mail_private *)_mail;
	struct sync_box *sbox = SYNC_BOX_CONTEXT(_mail->box);
	const char *uidl;
	int ret = 0;

	if (field == MAIL_FETCH_UIDL_BACKEND) {
		if (sbox->uidls == NULL)
			sbox->uidls = sync_uidls_init(_mail->box);
		T_BEGIN {
			ret = sync_uidls_get(sbox->uidls, _mail, &uidl);
			if (ret > 0)
				*value_r = p_strdup(mail->data_pool, uidl);
		} T_END;
	}
	if (ret == 0)
		return sbox->super_get_special(_mail, field, value_r);
	return ret < 0 ? -1 : 0;
}

static struct mail *
sync_box_mail_alloc(struct mailbox_transaction_context *t,
		    enum mail_fetch_field wanted_fields,
		    struct mailbox_header_lookup_ctx *wanted_headers)
{
	struct sync_box *sbox = SYNC_BOX_CONTEXT(t->box);
	struct mail_private *mail;
	struct mail *_mail;

	_mail = sbox->module_ctx.super.mail_alloc(t, wanted_fields,
						  wanted_headers);
	mail = (struct mail_private *)_mail;
	sbox->super_get_special = mail->v.get_special;
	mail->v.get_special = sync_mail_get_special;
	return _mail;
}

static void sync_box_close(struct mailbox *box)
{
	struct sync_box *sbox = SYNC_BOX_CONTEXT(box);

	sync_uidls_deinit(&sbox->uidls);
	sbox->module_ctx.super.close(box);
}

static void pop3_policy_sync_mailbox_allocated(struct mailbox *box)
{
	struct mailbox_vfuncs *v = box->vlast;
	struct sync_box *sbox;

	/* only the maildrop; who opens it as POP3 does, as our own commands do,
	   asks for Dovecot's own UIDLs */
	if (!box->inbox_user ||
	    (box->flags & MAILBOX_FLAG_POP3_SESSION) != 0)
		return;
	sbox = p_new(box->pool, struct sync_box, 1);
	sbox->module_ctx.super = *v;
	box->vlast = &sbox->module_ctx.super;
	v->mail_alloc = sync_box_mail_alloc;
	v->close = sync_box_close;
	MODULE_CONTEXT_SET(box, pop3_policy_sync_box_module, sbox);
}

static struct mail_storage_hooks pop3_policy_sync_storage_hooks = {
	.mailbox_allocated = pop3_policy_sync_mailbox_allocated
};

void sync_hooks_add(struct module *module)
{
	mail_storage_hooks_add(module, &pop3_policy_sync_storage_hooks);
}

void sync_hooks_remove(void)
{
	mail_storage_hooks_remove(&pop3_policy_sync_storage_hooks);
}
