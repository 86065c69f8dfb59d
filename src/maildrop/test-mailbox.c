/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "imap-seqset.h"
#include "imap-util.h"
#include "test-mailbox.h"

static const ARRAY_TYPE(seq_range) *mailbox_uids;

const ARRAY_TYPE(seq_range) *test_uids(const char *text)
{
	ARRAY_TYPE(seq_range) *uids = t_new(ARRAY_TYPE(seq_range), 1);

	t_array_init(uids, 32);
	if (*text != '\0' && imap_seq_set_nostar_parse(text, uids) < 0)
		i_fatal("%s is not a set of UIDs", text);
	return uids;
}

const char *test_uids_text(const ARRAY_TYPE(seq_range) *uids)
{
	string_t *text = t_str_new(128);

	imap_write_seq_range(text, uids);
	return str_c(text);
}

void test_maildrop_init(struct maildrop *drop_r,
			const ARRAY_TYPE(seq_range) *uids, uint32_t uidnext)
{
	i_zero(drop_r);
	drop_r->uidnext = uidnext;
	drop_r->messages = seq_range_count(uids);
	mailbox_uids = uids;
}

void mailbox_get_seq_range(struct mailbox *box ATTR_UNUSED, uint32_t uid1,
			   uint32_t uid2, uint32_t *seq1_r, uint32_t *seq2_r)
{
	const struct seq_range *range;
	uint32_t seq = 0;

	/* Dovecot's index ends the process here */
	i_assert(uid1 > 0 && uid1 <= uid2);

	*seq1_r = *seq2_r = 0;
	array_foreach(mailbox_uids, range) {
		uint32_t first = I_MAX(uid1, range->seq1);
		uint32_t last = I_MIN(uid2, range->seq2);

		if (first <= last) {
			if (*seq1_r == 0)
				*seq1_r = seq + first - range->seq1 + 1;
			*seq2_r = seq + last - range->seq1 + 1;
		}
		seq += seq_range_length(range);
	}
}
