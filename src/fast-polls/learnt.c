/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "mail-index.h"
#include "learnt.h"

#define EXTENSION_NAME "pop3-policy"
/* What does not have it was written by another version of us. */
#define LEARNT_VERSION 1

enum learnt_flags {
	LEARNT_HAS_UIDLS = 0x01,
	LEARNT_HAS_ORDERS = 0x02
};

struct learnt_header {
	struct uidlist_stamp stamp;
	uint32_t version;
	uint32_t flags;
	uint32_t uidnext;
	uint32_t epoch;
};

/* The size plus 1, or 0 if it was not learnt: this is what a message has when
   Dovecot adds it to the index. */
typedef uint32_t learnt_record;

uint32_t learnt_register(struct mail_index *index)
{
	return mail_index_ext_register(index, EXTENSION_NAME,
				       sizeof(struct learnt_header),
				       sizeof(learnt_record),
				       sizeof(learnt_record));
}

bool learnt_read(struct mail_index_view *view, uint32_t ext_id,
		 struct learnt_facts *facts_r)
{
	struct learnt_header header;
	const void *data;
	size_t size;

	mail_index_get_header_ext(view, ext_id, &data, &size);
	if (size != sizeof(header))
		return FALSE;
	memcpy(&header, data, sizeof(header));
	if (header.version != LEARNT_VERSION)
		return FALSE;
	i_zero(facts_r);
	facts_r->stamp = header.stamp;
	facts_r->uidnext = header.uidnext;
	facts_r->epoch = header.epoch;
	facts_r->has_uidls = (header.flags & LEARNT_HAS_UIDLS) != 0;
	facts_r->has_orders = (header.flags & LEARNT_HAS_ORDERS) != 0;
	return TRUE;
}

static learnt_record
read_record(struct mail_index_view *view, uint32_t ext_id, uint32_t seq)
{
	const void *data;
	bool expunged;

	mail_index_lookup_ext(view, seq, ext_id, &data, &expunged);
	return data == NULL ? 0 : *(const learnt_record *)data;
}

bool learnt_size(struct mail_index_view *view, uint32_t ext_id, uint32_t seq,
		 uoff_t *size_r)
{
	learnt_record record = read_record(view, ext_id, seq);

	if (record == 0)
		return FALSE;
	*size_r = record - 1;
	return TRUE;
}

void learnt_write(struct mail_index_transaction *trans, uint32_t ext_id,
		  const struct learnt_facts *facts)
{
	const struct learnt_header header = {
		.stamp = facts->stamp,
		.version = LEARNT_VERSION,
		.flags = (facts->has_uidls ? LEARNT_HAS_UIDLS : 0) |
			(facts->has_orders ? LEARNT_HAS_ORDERS : 0),
		.uidnext = facts->uidnext,
		.epoch = facts->epoch,
	};

	mail_index_update_header_ext(trans, ext_id, 0, &header, sizeof(header));
}

void learnt_write_size(struct mail_index_transaction *trans,
		       struct mail_index_view *view, uint32_t ext_id,
		       uint32_t seq, bool known, uoff_t size)
{
	learnt_record record;

	/* larger ones than fit are Dovecot's to find out */
	record = known && size < (learnt_record)-1 ? size + 1 : 0;
	if (record != read_record(view, ext_id, seq))
		mail_index_update_ext(trans, seq, ext_id, &record, NULL);
}
