/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "epoch.h"
#include "maildrop.h"
#include "uid-set.h"

unsigned int uid_set_count(const struct maildrop *drop,
			   const ARRAY_TYPE(seq_range) *uids, uint32_t uidnext)
{
	const struct seq_range *range;
	unsigned int count = 0;

	array_foreach(uids, range) {
		if (range->seq1 < uidnext) {
			count += maildrop_count(drop, range->seq1,
				I_MIN(range->seq2, uidnext - 1) + 1);
		}
	}
	return count;
}

bool uid_is_counted(const struct policy_epoch *epoch,
		    const ARRAY_TYPE(seq_range) *recorded, uint32_t uid)
{
	return uid < epoch->uidnext || seq_range_exists(recorded, uid);
}

/* Ranges that have no message of the maildrop between them become one, the
   lowest first, until no more than max of them are left. What is from uidnext
   on is not known to be empty. */
static void
join_ranges(const struct maildrop *drop, ARRAY_TYPE(seq_range) *uids,
	    unsigned int max, uint32_t uidnext)
{
	struct seq_range *ranges;
	unsigned int i, count, left, last = 0;

	ranges = array_get_modifiable(uids, &count);
	if (count == 0)
		return;
	left = count;
	for (i = 1; i < count; i++) {
		if (left > max && ranges[i].seq1 <= uidnext &&
		    maildrop_count(drop, ranges[last].seq2 + 1,
				   ranges[i].seq1) == 0) {
			ranges[last].seq2 = ranges[i].seq2;
			left--;
		} else {
			ranges[++last] = ranges[i];
		}
	}
	array_delete(uids, last + 1, count - last - 1);
}

static void forget_lowest(ARRAY_TYPE(seq_range) *uids)
{
	unsigned int count = array_count(uids);

	if (count > POLICY_EPOCH_MAX_RANGES)
		array_delete(uids, 0, count - POLICY_EPOCH_MAX_RANGES);
}

static void
make_superset(const struct maildrop *drop, ARRAY_TYPE(seq_range) *uids)
{
	struct seq_range *ranges;
	unsigned int count;

	/* one that is too many does no harm */
	join_ranges(drop, uids, 1, UINT32_MAX);
	ranges = array_get_modifiable(uids, &count);
	if (count > POLICY_EPOCH_MAX_RANGES) {
		ranges[0].seq2 = ranges[count - 1].seq2;
		array_delete(uids, 1, count - 1);
	}
}

/* A message that was gone may come back under its UID: as long as there is
   room, one that was not downloaded is not taken for one that was. */
static void
tidy_downloaded(const struct maildrop *drop, ARRAY_TYPE(seq_range) *uids)
{
	join_ranges(drop, uids, POLICY_EPOCH_MAX_RANGES, drop->uidnext);
	forget_lowest(uids);
}

static bool all_is_recorded(const struct maildrop *drop,
			    const struct policy_epoch *epoch)
{
	return epoch->uidnext > 1 && epoch->uidnext <= drop->uidnext &&
		uid_set_count(drop, &epoch->recorded, epoch->uidnext) ==
		maildrop_count(drop, 1, epoch->uidnext);
}

/* Whether no message has a UIDL that is not Dovecot's own. */
static bool nothing_is_stored(const struct maildrop *drop,
			      const struct policy_epoch *epoch)
{
	const struct seq_range *ranges;
	unsigned int count;

	/* new messages may already have one, also in a session that has listed
	   more of them */
	ranges = array_get(&epoch->recorded, &count);
	return uid_set_count(drop, &epoch->stored, drop->uidnext) == 0 &&
		(count == 0 || ranges[count - 1].seq2 < drop->uidnext);
}

void epoch_tidy_sets(const struct maildrop *drop, struct policy_epoch *epoch)
{
	struct policy_device *device;

	if (all_is_recorded(drop, epoch)) {
		/* nothing is missing, also not where there is nothing */
		epoch->journal_lost = FALSE;
		seq_range_array_add_range(&epoch->recorded, 1,
					  epoch->uidnext - 1);
	}
	if (nothing_is_stored(drop, epoch)) {
		array_clear(&epoch->stored);
		epoch->imported = FALSE;
	}
	join_ranges(drop, &epoch->recorded, 1, drop->uidnext);
	forget_lowest(&epoch->recorded);
	tidy_downloaded(drop, &epoch->downloaded);
	array_foreach_modifiable(&epoch->devices, device)
		tidy_downloaded(drop, &device->downloaded);
	make_superset(drop, &epoch->stored);
	if (epoch->unsure_below <= drop->uidnext &&
	    maildrop_count(drop, 1, epoch->unsure_below) == 0)
		epoch->unsure_below = 0;
}
