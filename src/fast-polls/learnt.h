#ifndef POP3_POLICY_LEARNT_H
#define POP3_POLICY_LEARNT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "uidlist-stamp.h"

struct mail_index;
struct mail_index_transaction;
struct mail_index_view;

/* What was learnt of a maildir from dovecot-uidlist. It is kept in an extension of
   Dovecot's index: this in its header, and the size of each message in its record.
   So it is lost together with the index, and Dovecot takes care of it when
   messages go; a Dovecot without us leaves it alone. */
struct learnt_facts {
	struct uidlist_stamp stamp;
	/* all messages that had a UID below this one have been looked at */
	uint32_t uidnext;
	/* in which these are known, see struct policy_epoch; 0 if that was not
	   found out */
	uint32_t epoch;
	/* some of these have a UIDL or a POP3 order that is stored */
	bool has_uidls;
	bool has_orders;
};

/* The extension of this index. */
uint32_t learnt_register(struct mail_index *index);

/* Returns FALSE if nothing was learnt yet. */
bool learnt_read(struct mail_index_view *view, uint32_t ext_id,
		 struct learnt_facts *facts_r);
/* The size of a message on the wire in octets (RFC 1939, section 11), which
   dovecot-uidlist has, or the file's name there. FALSE if it was not learnt. */
bool learnt_size(struct mail_index_view *view, uint32_t ext_id, uint32_t seq,
		 uoff_t *size_r);

/* Change them in a transaction over the view. */
void learnt_write(struct mail_index_transaction *trans, uint32_t ext_id,
		  const struct learnt_facts *facts);
/* If known is FALSE what was learnt before is forgotten. What is so already is not
   written. */
void learnt_write_size(struct mail_index_transaction *trans,
		       struct mail_index_view *view, uint32_t ext_id,
		       uint32_t seq, bool known, uoff_t size);

#endif
