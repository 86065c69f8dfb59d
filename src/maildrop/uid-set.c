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

static void
join_ranges(const struct maildrop *drop, ARRAY_TYPE(seq_range) *uids)
{
	struct seq_range *ranges;
	unsigned int i, count, last = 0;

	ranges = array_get_modifiable(uids, &count);
	if (count == 0)
		return;
	for (i = 1; i < count; i++) {
		if (maildrop_count(drop, ranges[last].seq2 + 1,
				   ranges[i].seq1) == 0)
			ranges[last].seq2 = ranges[i].seq2;
		else
			ranges[++last] = ranges[i];
	}
	array_delete(uids, last + 1, count - last - 1);
}

static void
forget_lowest(const struct maildrop *drop, ARRAY_TYPE(seq_range) *uids)
{
	unsigned int count;

	join_ranges(drop, uids);
	count = array_count(uids);
	if (count > POLICY_EPOCH_MAX_RANGES)
		array_delete(uids, 0, count - POLICY_EPOCH_MAX_RANGES);
}

static void
make_superset(const struct maildrop *drop, ARRAY_TYPE(seq_range) *uids)
{
	struct seq_range *ranges;
	unsigned int count;

	join_ranges(drop, uids);
	ranges = array_get_modifiable(uids, &count);
	if (count > POLICY_EPOCH_MAX_RANGES) {
		ranges[0].seq2 = ranges[count - 1].seq2;
		array_delete(uids, 1, count - 1);
	}
}

void epoch_tidy_sets(const struct maildrop *drop, struct policy_epoch *epoch)
{
	struct policy_device *device;
	uint32_t uidnext = epoch->uidnext;

	if (uid_set_count(drop, &epoch->recorded, uidnext) ==
	    maildrop_count(drop, 1, uidnext) && uidnext > 1) {
		/* nothing is missing, also not where there is nothing */
		epoch->journal_lost = FALSE;
		seq_range_array_add_range(&epoch->recorded, 1, uidnext - 1);
	}
	/* new messages may already have one */
	if (uid_set_count(drop, &epoch->stored, drop->uidnext) == 0) {
		array_clear(&epoch->stored);
		epoch->imported = FALSE;
	}
	forget_lowest(drop, &epoch->recorded);
	forget_lowest(drop, &epoch->downloaded);
	array_foreach_modifiable(&epoch->devices, device)
		forget_lowest(drop, &device->downloaded);
	make_superset(drop, &epoch->stored);
	if (maildrop_count(drop, 1, epoch->unsure_below) == 0)
		epoch->unsure_below = 0;
}
