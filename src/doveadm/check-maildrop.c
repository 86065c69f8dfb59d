/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "epoch.h"
#include "journal.h"
#include "journal-lost.h"
#include "journal-map.h"
#include "maildrop-cmd.h"
#include "maildrop-iter.h"
#include "check.h"

#define STATE "state.json"
#define JOURNAL "messages.jsonl"
#define INBOX "INBOX"

struct maildrop_check {
	struct maildrop_cmd *cmd;
	struct journal_map map;
	/* what becomes of lines that are not there */
	enum check_remedy lost_remedy;
	/* what clients are told of the messages before */
	HASH_TABLE(const char *, void *) told;

	/* messages */
	unsigned int duplicates;
	unsigned int lost;
	unsigned int foreign;
	unsigned int renamed;
	/* lines */
	unsigned int gone;
	unsigned int future_uids;
	unsigned int future_downloads;
};

/* Returns as maildrop_cmd_get_told() does. */
static int
check_told(struct maildrop_check *mc, pool_t pool, struct mail *mail,
	   const struct pop3_message *line, const char **error_r)
{
	const char *uidl;
	int ret;

	ret = maildrop_cmd_get_told(mc->cmd, mail, &uidl, error_r);
	if (ret <= 0 || *uidl == '\0')
		return ret;
	if (hash_table_lookup(mc->told, uidl) != NULL) {
		mc->duplicates++;
	} else {
		uidl = p_strdup(pool, uidl);
		hash_table_insert(mc->told, uidl, POINTER_CAST(1));
	}
	if (line != NULL && strcmp(line->uidl, uidl) != 0)
		mc->renamed++;
	return 1;
}

/* Whether the line is about this message. Returns 1, 0, or -1 and an error. */
static int
line_is_of(struct mail *mail, const struct pop3_message *line,
	   const char **error_r)
{
	const struct policy_anchor anchor = {
		.uid = line->uid, .guid = line->guid, .hash = line->hash
	};
	int ret;

	if (*line->guid == '\0' && *line->hash == '\0')
		return 1;
	ret = epoch_anchor_compare(mail, &anchor);
	if (ret < 0)
		*error_r = maildrop_mail_error(mail);
	return ret;
}

static int
check_line(struct maildrop_check *mc, struct mail *mail,
	   const struct pop3_message *line, const char **error_r)
{
	int ret;

	ret = journal_line_is_lost(&mc->cmd->drop, mail, mc->cmd->epoch,
				   mc->map.journal, line, error_r);
	if (ret < 0)
		return -1;
	if (ret > 0)
		mc->lost++;
	if (line == NULL)
		return 0;
	ret = line_is_of(mail, line, error_r);
	if (ret == 0)
		mc->foreign++;
	return ret < 0 ? -1 : 0;
}

static int
check_message(struct maildrop_check *mc, pool_t pool, struct mail *mail,
	      const char **error_r)
{
	const struct pop3_message *line = journal_map_find(&mc->map, mail->uid);
	int ret;

	ret = check_told(mc, pool, mail, line, error_r);
	if (ret > 0)
		ret = check_line(mc, mail, line, error_r);
	return ret < 0 && !mail->expunged ? -1 : 0;
}

static int
check_messages(struct check *check, struct maildrop_check *mc,
	       const char **error_r)
{
	struct maildrop_iter *iter;
	struct mail *mail;
	int ret = 0;

	hash_table_create(&mc->told, default_pool, mc->cmd->drop.messages,
			  str_hash, strcmp);
	iter = maildrop_iter_init(mc->cmd, MAILDROP_ORDER_UID);
	while (ret == 0 && maildrop_iter_next(iter, &mail)) T_BEGIN {
		ret = check_message(mc, check->pool, mail, error_r);
	} T_END_PASS_STR_IF(ret < 0, error_r);
	if (maildrop_iter_deinit(&iter, error_r) < 0)
		ret = -1;
	hash_table_destroy(&mc->told);
	return ret;
}

static bool
is_future_line(const struct check *check, const struct pop3_message *line)
{
	const struct pop3_message_device *device = line->devices;

	for (; device != NULL && device->name != NULL; device++) {
		if (check_is_future(check, device->downloaded))
			return TRUE;
	}
	return check_is_future(check, line->downloaded);
}

static void
check_journal_line(const struct check *check, struct maildrop_check *mc,
		   const struct pop3_message *line)
{
	const struct maildrop *drop = &mc->cmd->drop;

	if (line->uid == 0)
		return;
	if (line->uid >= drop->uidnext)
		mc->future_uids++;
	else if (maildrop_count(drop, line->uid, line->uid + 1) == 0)
		mc->gone++;
	else if (is_future_line(check, line))
		mc->future_downloads++;
}

/* What the file says of itself. Returns 0, or -1 and an error. */
static int
check_journal(struct check *check, struct maildrop_check *mc,
	      const char **error_r)
{
	const struct policy_epoch *epoch = mc->cmd->epoch;
	const struct policy_journal *journal = mc->map.journal;
	const struct pop3_message *line;
	int torn;

	torn = policy_journal_is_torn(mc->cmd->store, epoch->journal_generation,
				      error_r);
	if (torn < 0)
		return -1;
	check_add(check, CHECK_REWRITE, JOURNAL, "torn", torn,
		  "the last line has no end");
	check_add(check, CHECK_REWRITE, JOURNAL, "damaged-lines",
		  journal->damaged, "lines are not of the journal");
	if (journal->lines < epoch->journal_lines) {
		check_add(check, CHECK_REWRITE, JOURNAL, "missing-lines",
			  epoch->journal_lines - journal->lines,
			  "the state has counted more lines");
	}
	array_foreach(&journal->messages, line)
		check_journal_line(check, mc, line);
	return 0;
}

static void add_findings(struct check *check, const struct maildrop_check *mc)
{
	check_add(check, mc->lost_remedy, JOURNAL, "lost-lines", mc->lost,
		  "the state knows more of these messages than the journal");
	check_add(check, CHECK_REWRITE, JOURNAL, "future-uids", mc->future_uids,
		  "lines are about messages that have not come yet");
	check_add(check, CHECK_NOTE, JOURNAL, "gone-lines", mc->gone,
		  "lines are about messages that are gone: they are left out "
		  "when the journal is written anew");
	check_add(check, CHECK_LEAVE, JOURNAL, "future-downloads",
		  mc->future_downloads, "messages were downloaded in the "
		  "future by this clock: until then they stay");
	check_add(check, CHECK_LEAVE, JOURNAL, "foreign-lines", mc->foreign,
		  "lines are about other messages than those that have the "
		  "UID");
	check_add(check, CHECK_LEAVE, JOURNAL, "other-uidls", mc->renamed,
		  "clients are told other UIDLs than the journal has");
	/* the rules may allow that */
	check_add(check, mc->cmd->drop.uidls_may_repeat ? CHECK_NOTE :
		  CHECK_LEAVE, INBOX, "duplicate-uidls", mc->duplicates,
		  "messages have the UIDL of another one: clients miss them. "
		  "To give them others, run: doveadm pop3 uidl import");
}

/* There may be one of another time: it may have other UIDLs, and nobody but the
   admin can know which are right. Returns 0, or -1 and an error. */
static int
check_no_journal(struct check *check, struct maildrop_check *mc,
		 const char **error_r)
{
	struct policy_journal *journal;
	int ret;

	ret = policy_journal_read(mc->cmd->store, 0, &journal, error_r);
	if (ret < 0)
		return -1;
	if (ret > 0 && journal->generation != 0) {
		mc->lost_remedy = CHECK_LEAVE;
		check_add(check, CHECK_LEAVE, JOURNAL, "other-journal", 1,
			  "state and journal are of different times: move one "
			  "of them away and run this again. Without the state "
			  "UIDLs are those of the journal, without the journal "
			  "those that are told now");
	} else {
		check_add(check, CHECK_REWRITE, JOURNAL, "missing", 1,
			  "there is none");
	}
	if (ret > 0)
		policy_journal_free(&journal);
	return 0;
}

static int
check_steady(struct check *check, struct maildrop_cmd *cmd,
	     const char **error_r)
{
	struct maildrop_check mc = {
		.cmd = cmd, .lost_remedy = CHECK_REWRITE
	};
	int ret;

	ret = journal_map_init(&mc.map, cmd, error_r);
	if (ret < 0)
		return -1;
	if (ret == 0)
		ret = check_no_journal(check, &mc, error_r);
	else if (mc.map.journal != NULL)
		ret = check_journal(check, &mc, error_r);
	if (ret >= 0)
		ret = check_messages(check, &mc, error_r);
	journal_map_deinit(&mc.map);
	if (ret == 0)
		add_findings(check, &mc);
	return ret;
}

int check_maildrop(struct check *check, struct maildrop_cmd *cmd,
		   const char **error_r)
{
	const char *reason;

	switch (maildrop_cmd_check(cmd, &reason)) {
	case EPOCH_STEADY:
		return check_steady(check, cmd, error_r);
	case EPOCH_FIRST:
		return 0;
	case EPOCH_BROKEN:
		check_add(check, CHECK_RECOVER, STATE, "other-mailbox", 1,
			  reason);
		return 0;
	case EPOCH_FAILED:
		break;
	}
	*error_r = reason;
	return -1;
}
