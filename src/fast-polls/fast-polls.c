/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "index-mail.h"
#include "mail-index-private.h"
#include "compat-uidl-template.h"
#include "uidl-template.h"
#include "learnt.h"
#include "maildir-survey.h"
#include "pop3-order.h"
#include "fast-polls.h"

#include <time.h>

struct fast_polls {
	pool_t pool;
	/* NULL until it is open */
	struct mailbox *box;
	uint32_t uidvalidity;
	/* NULL if Dovecot makes the UIDLs */
	struct uidl_template *template;
	bool have_no_orders;

	/* a maildir that is not empty: */
	bool is_maildir;
	uint32_t ext_id;
	/* what the index says, if learnt; else what dovecot-uidlist says, if
	   surveyed */
	struct learnt_facts facts;
	bool is_learnt;
	bool is_surveyed;
	/* the client is gone: what is looked at now is looked at as it is now */
	bool is_over;
};

struct fast_polls *fast_polls_init(void)
{
	pool_t pool = pool_alloconly_create("fast polls", 512);
	struct fast_polls *fast = p_new(pool, struct fast_polls, 1);

	fast->pool = pool;
	return fast;
}

void fast_polls_deinit(struct fast_polls **_fast)
{
	struct fast_polls *fast = *_fast;

	if (fast == NULL)
		return;
	*_fast = NULL;
	pool_unref(&fast->pool);
}

static bool nfs_flush(const struct fast_polls *fast)
{
	return fast->box->storage->set->mail_nfs_storage;
}

static bool stamp_holds(struct fast_polls *fast)
{
	return uidlist_stamp_holds(maildir_uidlist_path(fast->box),
				   nfs_flush(fast), &fast->facts.stamp);
}

static bool stamp_take(struct fast_polls *fast, struct uidlist_stamp *stamp_r)
{
	return uidlist_stamp_take(maildir_uidlist_path(fast->box),
				  nfs_flush(fast), time(NULL), stamp_r);
}

/* Or may be, if Dovecot makes them. */
static bool uidls_are_of_names(const struct fast_polls *fast)
{
	return fast->template == NULL ||
		uidl_template_uses(fast->template, UIDL_TEMPLATE_FILENAME) ||
		uidl_template_uses(fast->template, UIDL_TEMPLATE_GUID);
}

static void open_maildir(struct fast_polls *fast, uint32_t uidnext)
{
	struct learnt_facts *facts = &fast->facts;

	fast->ext_id = learnt_register(fast->box->index);
	fast->is_learnt = learnt_read(fast->box->view, fast->ext_id, facts) &&
		facts->uidnext == uidnext && stamp_holds(fast);
	if (fast->is_learnt) {
		/* UIDL would read it later, when it may have lost messages
		   that are listed now */
		if (fast->facts.has_uidls || uidls_are_of_names(fast))
			(void)maildir_uidlist_read_again(fast->box);
	} else {
		/* before it is read: so what is read is not older than the
		   stamp */
		i_zero(facts);
		fast->is_surveyed = stamp_take(fast, &facts->stamp) &&
			maildir_survey_stored(fast->box, &facts->has_uidls,
					      &facts->has_orders) == 0;
	}
	fast->have_no_orders = (fast->is_learnt || fast->is_surveyed) &&
		!facts->has_orders;
}

void fast_polls_open(struct fast_polls *fast, struct mailbox *box,
		     const char *uidl_format)
{
	struct mailbox_status status;

	mailbox_get_open_status(box, STATUS_UIDVALIDITY | STATUS_UIDNEXT |
				STATUS_MESSAGES, &status);
	if (fast->box == NULL && (uidl_format == NULL ||
	    !compat_uidl_template_parse(fast->pool, uidl_format,
					&fast->template)))
		fast->template = NULL;
	fast->box = box;
	fast->uidvalidity = status.uidvalidity;
	fast->is_maildir = status.messages > 0 && maildir_survey_is_for(box);
	fast->is_learnt = FALSE;
	fast->is_surveyed = FALSE;
	if (fast->is_maildir)
		open_maildir(fast, status.uidnext);
	else
		fast->have_no_orders = pop3_order_is_impossible(box);
}

uint32_t fast_polls_epoch(const struct fast_polls *fast)
{
	return fast->is_learnt ? fast->facts.epoch : 0;
}

bool fast_polls_have_no_orders(const struct fast_polls *fast)
{
	return fast->have_no_orders;
}

bool fast_polls_make_uidls(const struct fast_polls *fast)
{
	return fast->template != NULL;
}

static bool no_uidl_is_stored(const struct fast_polls *fast)
{
	return !fast->is_over && (fast->is_learnt || fast->is_surveyed) &&
		!fast->facts.has_uidls;
}

bool fast_polls_have_plain_uidls(const struct fast_polls *fast)
{
	return no_uidl_is_stored(fast) && !uidls_are_of_names(fast) &&
		!uidl_template_uses(fast->template, UIDL_TEMPLATE_MD5);
}

void fast_polls_print_uidl(const struct fast_polls *fast, string_t *dest,
			   uint32_t uid)
{
	const struct uidl_template_values values = {
		.uidvalidity = fast->uidvalidity,
		.uid = uid,
	};

	uidl_template_print(dest, fast->template, &values);
}

/* Returns 1, 0 if there is none, -1 if it cannot be known. */
static int
get_stored_uidl(struct fast_polls *fast, struct mail *mail,
		fast_polls_get_special_func_t *get_special, const char **uidl_r)
{
	if (no_uidl_is_stored(fast))
		return 0;
	if (get_special(mail, MAIL_FETCH_UIDL_BACKEND, uidl_r) < 0)
		return -1;
	return **uidl_r == '\0' ? 0 : 1;
}

/* Whether the text is there, if the UIDL is made of it. If not it is for the pop3
   process to say so. */
static bool
get_text(struct fast_polls *fast, struct mail *mail,
	 fast_polls_get_special_func_t *get_special,
	 enum uidl_template_value value, enum mail_fetch_field field,
	 const char **text_r)
{
	if (!uidl_template_uses(fast->template, value))
		return TRUE;
	return get_special(mail, field, text_r) == 0 && **text_r != '\0';
}

static bool
get_values(struct fast_polls *fast, struct mail *mail,
	   fast_polls_get_special_func_t *get_special,
	   struct uidl_template_values *values_r)
{
	i_zero(values_r);
	values_r->uidvalidity = fast->uidvalidity;
	values_r->uid = mail->uid;
	return get_text(fast, mail, get_special, UIDL_TEMPLATE_MD5,
			MAIL_FETCH_HEADER_MD5, &values_r->md5) &&
		get_text(fast, mail, get_special, UIDL_TEMPLATE_FILENAME,
			 MAIL_FETCH_STORAGE_ID, &values_r->filename) &&
		get_text(fast, mail, get_special, UIDL_TEMPLATE_GUID,
			 MAIL_FETCH_GUID, &values_r->guid);
}

int fast_polls_get_uidl(struct fast_polls *fast, struct mail *mail,
			fast_polls_get_special_func_t *get_special,
			const char **uidl_r)
{
	struct uidl_template_values values;
	string_t *uidl;
	int ret;

	ret = get_stored_uidl(fast, mail, get_special, uidl_r);
	if (ret != 0)
		return ret < 0 ? -1 : 0;
	*uidl_r = "";
	if (get_values(fast, mail, get_special, &values)) {
		uidl = str_new(((struct mail_private *)mail)->data_pool, 64);
		uidl_template_print(uidl, fast->template, &values);
		*uidl_r = str_c(uidl);
	}
	return 0;
}

bool fast_polls_know_sizes(const struct fast_polls *fast)
{
	return fast->is_learnt && !fast->is_over;
}

void fast_polls_end_answers(struct fast_polls *fast)
{
	fast->is_over = TRUE;
}

bool fast_polls_get_size(struct fast_polls *fast, struct mail *mail,
			 uoff_t *size_r)
{
	struct index_mail *imail = INDEX_MAIL(mail);
	struct index_mail_data *data = &imail->data;

	if (data->virtual_size == UOFF_T_MAX &&
	    !learnt_size(mail->transaction->view, fast->ext_id, mail->seq,
			 &data->virtual_size))
		return FALSE;
	/* as a maildir does with what dovecot-uidlist says */
	data->dont_cache_fetch_fields |= MAIL_FETCH_VIRTUAL_SIZE;
	*size_r = data->virtual_size;
	return TRUE;
}

static bool index_is_writable(struct mailbox *box)
{
	return !mail_index_is_in_memory(box->index) && !box->index->readonly &&
		!mail_index_view_is_inconsistent(box->view);
}

bool fast_polls_learn_is_due(struct fast_polls *fast, uint32_t epoch)
{
	if (!fast->is_maildir || !index_is_writable(fast->box))
		return FALSE;
	if (fast->is_learnt && epoch != 0 && epoch != fast->facts.epoch)
		return TRUE;
	return maildir_uidlist_is_in_memory(fast->box) &&
		!(fast->is_learnt && stamp_holds(fast));
}

/* The file has changed since the session has begun. If it is another file now,
   Dovecot has written it itself, or reads it anew. Of one that has grown it would
   read but what is new at its end: then it is not certain that what it has read
   before is what the file says now. */
static int survey_again(struct fast_polls *fast)
{
	struct learnt_facts facts;

	i_zero(&facts);
	if (!(fast->is_learnt || fast->is_surveyed) ||
	    !stamp_take(fast, &facts.stamp) ||
	    (facts.stamp.inode == fast->facts.stamp.inode &&
	     facts.stamp.device == fast->facts.stamp.device) ||
	    maildir_uidlist_read_again(fast->box) < 0 ||
	    maildir_survey_stored(fast->box, &facts.has_uidls,
				  &facts.has_orders) < 0)
		return -1;
	fast->facts = facts;
	return 0;
}

/* Returns 0, or -1 if a message is not in dovecot-uidlist. */
static int
learn_sizes(struct fast_polls *fast, struct mail_index_transaction *trans)
{
	struct mail_index_view *view = fast->box->view;
	uint32_t seq, uid, count = mail_index_view_get_messages_count(view);
	uoff_t size = 0;
	int ret;

	for (seq = 1; seq <= count; seq++) {
		mail_index_lookup_uid(view, seq, &uid);
		ret = maildir_survey_size(fast->box, uid, &size);
		if (ret < 0)
			return -1;
		learnt_write_size(trans, view, fast->ext_id, seq, ret > 0,
				  size);
	}
	fast->facts.uidnext = mail_index_get_header(view)->next_uid;
	return 0;
}

static int
learn(struct fast_polls *fast, struct mail_index_transaction *trans,
      fast_polls_check_epoch_func_t *check_epoch, void *context)
{
	bool holds;

	if (maildir_uidlist_is_in_memory(fast->box) &&
	    maildir_uidlist_write_pending(fast->box) < 0)
		return -1;
	holds = stamp_holds(fast);
	if (!holds && survey_again(fast) < 0)
		return -1;
	if (!(holds && fast->is_learnt) && learn_sizes(fast, trans) < 0)
		return -1;
	fast->facts.epoch = check_epoch(context);
	return stamp_holds(fast) ? 0 : -1;
}

/* Note that what the log has until now is no change to be brought to the mailbox, so
   that polls need not look whether it is, and that many sizes need not stay in the
   log. If there are such changes, it is for the next sync of the mailbox to do. */
static void settle_index(struct mailbox *box)
{
	struct mail_index_sync_ctx *ctx;
	struct mail_index_view *view;
	struct mail_index_transaction *trans;
	struct mail_index_sync_rec rec;
	int ret;

	ret = mail_index_sync_begin(box->index, &ctx, &view, &trans,
				    MAIL_INDEX_SYNC_FLAG_UPDATE_TAIL_OFFSET);
	if (ret > 0 && mail_index_sync_next(ctx, &rec))
		mail_index_sync_rollback(&ctx);
	else if (ret > 0)
		ret = mail_index_sync_commit(&ctx);
	if (ret < 0)
		mailbox_set_index_error(box);
}

void fast_polls_learn(struct fast_polls *fast,
		      fast_polls_check_epoch_func_t *check_epoch, void *context)
{
	struct mail_index_transaction *trans;

	trans = mail_index_transaction_begin(fast->box->view,
		MAIL_INDEX_TRANSACTION_FLAG_EXTERNAL);
	if (learn(fast, trans, check_epoch, context) < 0) {
		/* the next session finds out */
		mail_index_transaction_rollback(&trans);
		return;
	}
	learnt_write(trans, fast->ext_id, &fast->facts);
	if (mail_index_transaction_commit(&trans) < 0)
		mailbox_set_index_error(fast->box);
	else
		settle_index(fast->box);
}
