/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "mail-storage-private.h"
#include "epoch.h"
#include "journal.h"
#include "journal-lost.h"
#include "maildrop.h"
#include "collect.h"

struct collect {
	struct maildrop *drop;
	const struct policy_epoch *epoch;
	/* NULL if there is none */
	const struct policy_journal *journal;
	const char *const *devices;
	bool with_delivery;
	ARRAY_TYPE(pop3_retention_message) *messages;
	/* of each UID */
	HASH_TABLE(void *, const struct pop3_message *) lines;
};

/* What the line has to say of the message. */
static void
set_line(const struct collect *collect, const struct pop3_message *line,
	 struct pop3_retention_message *message)
{
	message->size = line->size;
	message->downloaded = pop3_message_downloaded_by(line,
							 collect->devices);
}

static void
set_unsure(const struct collect *collect,
	   struct pop3_retention_message *message)
{
	const struct policy_epoch *epoch = collect->epoch;

	if (message->downloaded == 0 && message->uid < epoch->unsure_below) {
		/* a state that somebody has edited may not say it */
		message->perhaps_downloaded = I_MAX(epoch->unsure_until, 1);
	}
}

/* Most messages need not be looked at. Returns FALSE if this one has to be. */
static bool
collect_by_line(struct collect *collect, uint32_t uid,
		const struct pop3_message *line)
{
	struct pop3_retention_message message = { .uid = uid };

	if (line == NULL ||
	    (journal_has_lost_lines(collect->epoch, collect->journal) &&
	     journal_line_lacks_downloads(collect->epoch, uid, line)))
		return FALSE;
	set_line(collect, line, &message);
	if (message.downloaded == 0 && collect->with_delivery)
		return FALSE;
	set_unsure(collect, &message);
	array_push_back(collect->messages, &message);
	return TRUE;
}

static int
add_message(struct collect *collect, struct mail *mail,
	    const struct pop3_message *line)
{
	struct pop3_retention_message message = { .uid = mail->uid };
	uoff_t size;

	if (line != NULL)
		set_line(collect, line, &message);
	else if (mail_get_virtual_size(mail, &size) == 0)
		message.size = size;
	else
		return -1;
	if (message.downloaded == 0 && collect->with_delivery &&
	    maildrop_delivered(mail, &message.delivered) < 0)
		return -1;
	set_unsure(collect, &message);
	array_push_back(collect->messages, &message);
	return 0;
}

/* Returns as retention_collect() does. */
static int
collect_message(struct collect *collect, struct mail *mail,
		const struct pop3_message *line, const char **error_r)
{
	int ret;

	ret = journal_line_is_lost(collect->drop, mail, collect->epoch,
				   collect->journal, line, error_r);
	if (ret > 0) {
		*error_r = t_strdup_printf("messages.jsonl has lost what was "
			"known of UID %u", mail->uid);
		return 0;
	}
	if (ret == 0 && add_message(collect, mail, line) < 0) {
		*error_r = maildrop_mail_error(mail);
		ret = -1;
	}
	return ret < 0 && !mail->expunged ? -1 : 1;
}

static int collect_messages(struct collect *collect, const char **error_r)
{
	struct mailbox *box = collect->drop->box;
	struct mailbox_transaction_context *trans;
	const struct pop3_message *line;
	struct mail *mail;
	uint32_t seq, uid;
	int ret = 1;

	trans = mailbox_transaction_begin(box, 0, __func__);
	mail = mail_alloc(trans, 0, NULL);
	for (seq = 1; seq <= collect->drop->messages && ret > 0; seq++) {
		mail_index_lookup_uid(box->view, seq, &uid);
		line = hash_table_lookup(collect->lines, POINTER_CAST(uid));
		if (collect_by_line(collect, uid, line))
			continue;
		T_BEGIN {
			mail_set_seq(mail, seq);
			ret = collect_message(collect, mail, line, error_r);
		} T_END_PASS_STR_IF(ret <= 0, error_r);
	}
	mail_free(&mail);
	(void)mailbox_transaction_commit(&trans);
	return ret;
}

static int
collect_with_lines(struct collect *collect,
		   const ARRAY_TYPE(pop3_message) *lines, const char **error_r)
{
	const struct pop3_message *line;
	int ret;

	hash_table_create_direct(&collect->lines, default_pool,
				 array_count(lines));
	array_foreach(lines, line) {
		if (line->uid != 0) {
			hash_table_update(collect->lines,
					  POINTER_CAST(line->uid), line);
		}
	}
	ret = collect_messages(collect, error_r);
	hash_table_destroy(&collect->lines);
	return ret;
}

int retention_collect(struct maildrop *drop, struct policy_store *store,
		      const struct policy_epoch *epoch,
		      const char *const *devices, bool with_delivery,
		      ARRAY_TYPE(pop3_retention_message) *messages,
		      const char **error_r)
{
	struct collect collect = {
		.drop = drop, .epoch = epoch, .devices = devices,
		.with_delivery = with_delivery, .messages = messages,
	};
	struct policy_journal *journal;
	ARRAY_TYPE(pop3_message) no_lines;
	int ret;

	/* who deletes all that is downloaded never had one */
	ret = epoch->journal_generation == 0 ? 0 :
		policy_journal_read(store, epoch->journal_generation, &journal,
				    error_r);
	if (ret < 0)
		return -1;
	if (ret == 0) {
		t_array_init(&no_lines, 1);
		return collect_with_lines(&collect, &no_lines, error_r);
	}
	if (journal->damaged > 0) {
		*error_r = t_strdup_printf("messages.jsonl has %u lines that "
					   "cannot be read", journal->damaged);
		ret = 0;
	} else {
		collect.journal = journal;
		ret = collect_with_lines(&collect, &journal->messages, error_r);
	}
	policy_journal_free(&journal);
	return ret;
}
