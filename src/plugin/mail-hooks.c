/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "mail-storage-private.h"
#include "mail-storage-hooks.h"
#include "session.h"
#include "mail-hooks.h"

#define POLICY_MAIL_CONTEXT(mail) \
	MODULE_CONTEXT_REQUIRE(mail, pop3_policy_mail_module)

struct policy_mail {
	union mail_module_context module_ctx;
	struct pop3_policy_session *session;
};

static MODULE_CONTEXT_DEFINE_INIT(pop3_policy_mail_module,
				  &mail_module_register);

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
	struct policy_mail *pmail = POLICY_MAIL_CONTEXT(mail);
	enum session_command command;

	if (!get_body || mail->get_stream_reason == NULL ||
	    !reason_to_command(mail->get_stream_reason, &command)) {
		return pmail->module_ctx.super.get_stream(_mail, get_body,
				hdr_size, body_size, stream_r);
	}
	if (!pop3_policy_session_allow_open(pmail->session, _mail, command))
		return refuse(_mail);
	if (pmail->module_ctx.super.get_stream(_mail, get_body, hdr_size,
					       body_size, stream_r) < 0)
		return -1;
	if (!pop3_policy_session_allow_send(pmail->session, _mail, command,
					    *stream_r))
		return refuse(_mail);
	return 0;
}

static void pop3_policy_mail_allocated(struct mail *_mail)
{
	struct mail_private *mail = (struct mail_private *)_mail;
	struct mail_vfuncs *v = mail->vlast;
	struct pop3_policy_session *session;
	struct policy_mail *pmail;

	if ((_mail->box->flags & MAILBOX_FLAG_POP3_SESSION) == 0)
		return;
	session = pop3_policy_session_find(_mail->box->storage->user);
	if (session == NULL)
		return;

	pmail = p_new(mail->pool, struct policy_mail, 1);
	pmail->session = session;
	pmail->module_ctx.super = *v;
	mail->vlast = &pmail->module_ctx.super;
	v->get_stream = policy_mail_get_stream;
	MODULE_CONTEXT_SET(mail, pop3_policy_mail_module, pmail);
}

static struct mail_storage_hooks pop3_policy_mail_storage_hooks = {
	.mail_allocated = pop3_policy_mail_allocated
};

void mail_hooks_add(struct module *module)
{
	mail_storage_hooks_add(module, &pop3_policy_mail_storage_hooks);
}

void mail_hooks_remove(void)
{
	mail_storage_hooks_remove(&pop3_policy_mail_storage_hooks);
}
