/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "epoch.h"
#include "journal.h"
#include "journal-lost.h"
#include "uid-set.h"
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
	ARRAY_TYPE(seq_range) recorded;
	const struct pop3_message *line;

	t_array_init(&recorded, POLICY_EPOCH_MAX_RANGES);
	array_append_array(&recorded, &epoch->recorded);
	lose_lines(epoch);
	array_foreach(&journal->messages, line) {
		if (line->uid != 0 &&
		    uid_is_counted(epoch, &recorded, line->uid))
			recount_line(pool, epoch, line);
	}
}

static void
recount_device(struct policy_device *device,
	       const struct policy_journal *journal,
	       const ARRAY_TYPE(seq_range) *recorded)
{
	const struct pop3_message *line;

	array_clear(&device->downloaded);
	array_foreach(&journal->messages, line) {
		if (seq_range_exists(recorded, line->uid) &&
		    pop3_message_device_downloaded(line, device->name) != 0)
			seq_range_array_add(&device->downloaded, line->uid);
	}
}

void journal_recount_whole(struct policy_epoch *epoch,
			   const struct policy_journal *journal)
{
	ARRAY_TYPE(seq_range) recorded;
	const struct pop3_message *line;
	struct policy_device *device;

	t_array_init(&recorded, POLICY_EPOCH_MAX_RANGES);
	array_append_array(&recorded, &epoch->recorded);
	array_clear(&epoch->recorded);
	array_clear(&epoch->downloaded);
	array_foreach(&journal->messages, line) {
		if (line->uid == 0 ||
		    !uid_is_counted(epoch, &recorded, line->uid))
			continue;
		seq_range_array_add(&epoch->recorded, line->uid);
		if (line->downloaded != 0)
			seq_range_array_add(&epoch->downloaded, line->uid);
	}
	/* of a device that was forgotten it is not known any more */
	array_foreach_modifiable(&epoch->devices, device)
		recount_device(device, journal, &epoch->recorded);
}

int journal_recount_returned(struct policy_store *store, pool_t pool,
			     struct policy_epoch *epoch, const char **error_r)
{
	struct policy_journal *journal;
	int ret;

	if (epoch->journal_generation == 0) {
		array_clear(&epoch->recorded);
		return 0;
	}
	ret = policy_journal_read(store, epoch->journal_generation, &journal,
				  error_r);
	if (ret <= 0)
		return ret;
	if (journal_has_lost_lines(epoch, journal))
		journal_recount(pool, epoch, journal);
	else
		journal_recount_whole(epoch, journal);
	policy_journal_free(&journal);
	return 0;
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
