/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "mail-storage.h"
#include "mail-search-build.h"
#include "maildrop-cmd.h"
#include "maildrop-iter.h"

static const enum mail_sort_type pop3_sort_program[] = {
	MAIL_SORT_POP3_ORDER,
	MAIL_SORT_END
};

struct maildrop_iter {
	struct mailbox *box;
	struct mailbox_transaction_context *trans;
	struct mail_search_context *search;
};

struct maildrop_iter *
maildrop_iter_init(struct maildrop_cmd *cmd, enum maildrop_order order)
{
	struct maildrop_iter *iter = i_new(struct maildrop_iter, 1);
	struct mail_search_args *args;

	args = mail_search_build_init();
	mail_search_build_add_all(args);
	iter->box = cmd->box;
	iter->trans = mailbox_transaction_begin(cmd->box, 0, __func__);
	iter->search = mailbox_search_init(iter->trans, args,
		order == MAILDROP_ORDER_POP3 ? pop3_sort_program : NULL,
		0, NULL);
	mail_search_args_unref(&args);
	return iter;
}

bool maildrop_iter_next(struct maildrop_iter *iter, struct mail **mail_r)
{
	return mailbox_search_next(iter->search, mail_r);
}

int maildrop_iter_deinit(struct maildrop_iter **_iter, const char **error_r)
{
	struct maildrop_iter *iter = *_iter;
	int ret;

	*_iter = NULL;
	ret = mailbox_search_deinit(&iter->search);
	if (ret < 0) {
		*error_r = t_strdup_printf("INBOX cannot be listed: %s",
			mailbox_get_last_internal_error(iter->box, NULL));
	}
	/* what had to be read goes into the cache */
	(void)mailbox_transaction_commit(&iter->trans);
	i_free(iter);
	return ret;
}
