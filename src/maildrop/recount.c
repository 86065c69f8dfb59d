/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "epoch.h"
#include "journal.h"
#include "journal-lost.h"
#include "recount.h"

/* What one line tells of its message. */
static void
recount_line(pool_t pool, struct policy_epoch *epoch,
	     const struct pop3_message *line)
{
	const struct pop3_message_device *device;

	/* a line that is to be written again */
	if (journal_line_lacks_downloads(epoch, line->uid, line))
		return;
	seq_range_array_add(&epoch->recorded, line->uid);
	if (line->downloaded != 0)
		seq_range_array_add(&epoch->downloaded, line->uid);
	for (device = line->devices; device != NULL && device->name != NULL;
	     device++) {
		policy_epoch_device_add(pool, epoch, device->name, line->uid);
	}
}

static void lose_lines(struct policy_epoch *epoch)
{
	array_clear(&epoch->recorded);
	/* without a journal there were none */
	if (epoch->journal_generation != 0)
		epoch->journal_lost = TRUE;
}

void journal_recount(pool_t pool, struct policy_epoch *epoch,
		     const struct policy_journal *journal)
{
	const struct pop3_message *line;

	lose_lines(epoch);
	array_foreach(&journal->messages, line) {
		if (line->uid != 0)
			recount_line(pool, epoch, line);
	}
}

static int
recount_torn(struct policy_store *store, pool_t pool,
	     struct policy_epoch *epoch, const char **error_r)
{
	struct policy_journal *journal;
	int ret;

	ret = policy_journal_read(store, epoch->journal_generation, &journal,
				  error_r);
	if (ret <= 0)
		return ret;
	journal_recount(pool, epoch, journal);
	epoch->journal_lines = journal->lines;
	policy_journal_free(&journal);
	return 1;
}

int journal_recount_if_torn(struct policy_store *store, pool_t pool,
			    struct policy_epoch *epoch, const char **error_r)
{
	int exists = 0, torn = 0;

	if (epoch->journal_generation != 0) {
		exists = policy_journal_exists(store, epoch->journal_generation,
					       error_r);
		torn = policy_journal_is_torn(store, epoch->journal_generation,
					      error_r);
	}
	if (exists < 0 || torn < 0)
		return -1;
	if (exists > 0 && torn == 0)
		return 1;
	if (exists > 0)
		return recount_torn(store, pool, epoch, error_r);
	lose_lines(epoch);
	epoch->journal_lines = epoch->journal_gone = 0;
	return 0;
}
