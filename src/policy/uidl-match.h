#ifndef POP3_POLICY_UIDL_MATCH_H
#define POP3_POLICY_UIDL_MATCH_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "message.h"

/* A message that is in the mailbox now, in search of what the journal knows of
   it. */
struct pop3_found_message {
	uint32_t uid;
	/* like those of struct pop3_message; "" if there is none, or as long as
	   it was not needed */
	const char *guid;
	const char *hash;
	/* the message of the journal that this one is, or NULL; it points into
	   the array of known messages, which must not change meanwhile */
	const struct pop3_message *known;
};
ARRAY_DEFINE_TYPE(pop3_found_message, struct pop3_found_message);

/* Both functions take time that grows with the number of messages, not with its
   square. Both arrays may be in any order; UIDs other than 0 are unique in
   each. */

/* Give found messages that have no match yet the known messages of the same
   GUID, as pop3_guid_normalize() leaves it; one without a GUID matches nothing.
   Copies of one message may share a GUID, and are equal: with same_uids those
   whose UID is the same are matched first, the others in the order of both
   arrays. No known message is matched twice, counting those that are matched
   already. */
void pop3_uidl_match_guids(const ARRAY_TYPE(pop3_message) *known,
			   ARRAY_TYPE(pop3_found_message) *found,
			   bool same_uids);

/* Likewise by fingerprint, for those that are left on both sides and have one.
   A header is not an identity: only if as many known messages as found ones are
   left with a fingerprint (mostly one each) they are matched, in the order of
   both arrays (with same_uids, when UIDs of the journal are those of the mailbox,
   those of the same UID first). Returns how many found messages were left
   without a match although known messages are left with their fingerprint. */
unsigned int
pop3_uidl_match_hashes(const ARRAY_TYPE(pop3_message) *known,
		       ARRAY_TYPE(pop3_found_message) *found, bool same_uids);

#endif
