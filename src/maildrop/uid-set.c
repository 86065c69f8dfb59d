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

void uid_set_join(const struct maildrop *drop, ARRAY_TYPE(seq_range) *uids)
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

void uid_set_limit(const struct maildrop *drop, ARRAY_TYPE(seq_range) *uids)
{
	unsigned int count;

	uid_set_join(drop, uids);
	count = array_count(uids);
	if (count > POLICY_EPOCH_MAX_RANGES)
		array_delete(uids, 0, count - POLICY_EPOCH_MAX_RANGES);
}

void uid_set_limit_superset(const struct maildrop *drop,
			    ARRAY_TYPE(seq_range) *uids)
{
	struct seq_range *ranges;
	unsigned int count;

	uid_set_join(drop, uids);
	ranges = array_get_modifiable(uids, &count);
	if (count > POLICY_EPOCH_MAX_RANGES) {
		ranges[0].seq2 = ranges[count - 1].seq2;
		array_delete(uids, 1, count - 1);
	}
}
