#ifndef POP3_POLICY_EPOCH_H
#define POP3_POLICY_EPOCH_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "seq-range-array.h"
#include "device-names.h"
#include "retention-due.h"

/* With these, state.json stays below 4 KB without devices, unless its strings
   are full of quotes and backslashes. */
#define POLICY_EPOCH_MAX_ANCHORS 3
#define POLICY_EPOCH_MAX_TOLD 8
#define POLICY_EPOCH_MAX_RANGES 18
/* Octets of pop3_uidl_format. */
#define POLICY_EPOCH_MAX_FORMAT_LEN 100

/* A message by which a mailbox is known again. */
struct policy_anchor {
	uint32_t uid;
	/* as in struct pop3_message */
	const char *guid;
	const char *hash;
	/* "" if it is not one that POP3 allows */
	const char *uidl;
};

/* How far UIDs of a UIDVALIDITY may have been told to clients. */
struct policy_told {
	/* 0 stands for all of them, if a UIDL does not tell them apart */
	uint32_t uidvalidity;
	/* none from this UID on */
	uint32_t below;
};
ARRAY_DEFINE_TYPE(policy_told, struct policy_told);

/* What a device has. */
struct policy_device {
	/* valid by pop3_device_name_is_valid() */
	const char *name;
	/* UIDs of messages that it has downloaded whole, in a session that
	   ended with QUIT; of at most POLICY_EPOCH_MAX_RANGES ranges, with
	   the same exceptions as those of all devices */
	ARRAY_TYPE(seq_range) downloaded;
};
ARRAY_DEFINE_TYPE(policy_device, struct policy_device);

/* A stretch of time in which clients know the messages of the maildrop by
   Dovecot's own UIDLs, but for those that are stored. It ends when Dovecot's
   own UIDLs change; then a recovery begins a new one. */
struct policy_epoch {
	/* 1 or more, grows with each recovery, as the time does; the index
	   cache carries the number of the epoch that it was written for */
	uint32_t number;
	uint32_t uidvalidity;
	/* when the epoch was last written; messages were below it so many */
	uint32_t uidnext;
	uint32_t live;
	/* and when the maildrop was listed then; 0 if it is not known */
	time_t listed;
	/* what Dovecot's own UIDLs are made of: pop3_uidl_format (a
	   hash of it, if it is too long or not printable), and whether
	   pop3_reuse_xuidl is on */
	const char *uidl_format;
	bool reuse_xuidl;
	/* of this and earlier mailboxes, the newest one last; at most
	   POLICY_EPOCH_MAX_TOLD */
	ARRAY_TYPE(policy_told) told;

	/* Sets of UIDs, each of at most POLICY_EPOCH_MAX_RANGES ranges. */
	/* Whose messages have a line in the journal, with UIDs between them
	   that nothing had then; the lowest may be forgotten. */
	ARRAY_TYPE(seq_range) recorded;
	/* That were downloaded: the journal says when, unless it is damaged.
	   If there are too many ranges, UIDs between the lowest ones that
	   nothing had then are in it as well, or the lowest are forgotten. A
	   journal that has lost nothing knows it better. */
	ARRAY_TYPE(seq_range) downloaded;
	/* whose UIDL may not be Dovecot's own: the journal has it, and the
	   index cache */
	ARRAY_TYPE(seq_range) stored;
	/* some of these were imported: Dovecot may make up the same one for a
	   new message */
	bool imported;
	/* Of messages below this UID that no download is known of, one may have
	   been lost with the journal, until then; 0 if of none. */
	uint32_t unsure_below;
	time_t unsure_until;
	/* those of sessions that have one, at most POP3_DEVICES_MAX */
	ARRAY_TYPE(policy_device) devices;

	/* which journal belongs to this epoch: 1 or more, counts up when it is
	   written anew; 0 if there is none yet */
	uint32_t journal_generation;
	/* its lines without the first one, and how many of these are about
	   messages that are gone */
	uint32_t journal_lines;
	uint32_t journal_gone;
	/* lines were lost, and not all of them are written anew yet: a message
	   without one may have had another UIDL than Dovecot's own */
	bool journal_lost;

	struct pop3_retention_bounds retention;

	unsigned int anchors_count;
	/* the newest message first */
	struct policy_anchor anchors[POLICY_EPOCH_MAX_ANCHORS];
};

/* Make *dest_r a copy that lives in the pool. Arrays of src that were not
   created are empty ones. */
void policy_epoch_copy(pool_t pool, const struct policy_epoch *src,
		       struct policy_epoch *dest_r);

/* Likewise, only the devices. */
void policy_epoch_copy_devices(pool_t pool, const struct policy_epoch *src,
			       struct policy_epoch *dest);

/* Whether this device has downloaded the message. */
bool policy_epoch_device_has(const struct policy_epoch *epoch,
			     const char *name, uint32_t uid);
/* Note that this device has downloaded the message. If it is one too many,
   another one that has the fewest UIDs is forgotten. Memory comes from the
   pool. */
void policy_epoch_device_add(pool_t pool, struct policy_epoch *epoch,
			     const char *name, uint32_t uid);

#endif
