#ifndef POP3_POLICY_BRIEF_H
#define POP3_POLICY_BRIEF_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct policy_epoch;

/* What a poll needs to know of the epoch, as the first member of state.json:
   so that a session in which nothing is new need not parse JSON, which would
   be most of what it costs. A checksum over the rest of the text tells that
   the brief and the rest were written together. It is a copy of what the rest
   says. */
#define POLICY_BRIEF_MEMBER "brief"

/* Put the brief of this epoch into the text of a state that begins at this
   offset of dest, if the epoch is simple enough to have one: all messages are
   recorded, and none has a UIDL that is stored. */
void policy_brief_insert(string_t *dest, size_t offset,
			 const struct policy_epoch *epoch);
/* Read the brief of the text of a state. The epoch has no told UIDs, no
   downloads and devices, of the journal the number of lines only, and the
   newest anchor only; what is known of retention is whole. Returns 1, or 0 if there is none, or the text was
   changed by somebody else. */
int policy_brief_parse(const void *text, size_t size, pool_t pool,
		       struct policy_epoch *epoch_r);

#endif
