#ifndef POP3_POLICY_MESSAGE_H
#define POP3_POLICY_MESSAGE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "array-decl.h"

#include <time.h>

/* A device that has downloaded a message whole. */
struct pop3_message_device {
	const char *name;
	/* when it did so first; not 0 */
	time_t downloaded;
};

/* What the journal knows of one message. The strings belong to whoever made the
   record; none of them is NULL. */
struct pop3_message {
	/* in the mailbox of the epoch; 0 once the message is gone from there */
	uint32_t uid;
	/* octets as LIST tells them */
	uint64_t size;
	/* as pop3_guid_normalize() leaves it; "" if the storage has none */
	const char *guid;
	/* the fingerprint; "" if it is not known */
	const char *hash;
	const char *uidl;
	/* when the first download that was whole, in a session that ended with
	   QUIT, was over; 0 if there was none */
	time_t downloaded;
	/* when a recovery did not find the message any more; 0 if it is
	   there */
	time_t gone;
	/* The devices of sessions that have one, at most POP3_DEVICES_MAX, each
	   once; they end with one that has no name. NULL if there are none. */
	const struct pop3_message_device *devices;
};
ARRAY_DEFINE_TYPE(pop3_message, struct pop3_message);

unsigned int pop3_message_devices_count(const struct pop3_message *message);
/* When this device has downloaded the message first; 0 if it has not. */
time_t pop3_message_device_downloaded(const struct pop3_message *message,
				      const char *name);
/* When the last of these devices has downloaded the message first; 0 if one has
   not. Without names it is the first download of all. */
time_t pop3_message_downloaded_by(const struct pop3_message *message,
				  const char *const *names);

/* Add a device, unless it is there: the first download stands. Of too many, the
   one that was first goes. */
void pop3_message_add_device(pool_t pool, struct pop3_message *message,
			     const char *name, time_t downloaded);
/* Put the news about a message in the place of what was known, but first
   downloads stand, that of each device as well. Other strings than those of
   devices stay where they are. */
void pop3_message_add_news(pool_t pool, struct pop3_message *message,
			   const struct pop3_message *news);
/* A copy that lives in the pool. */
void pop3_message_copy(pool_t pool, const struct pop3_message *src,
		       struct pop3_message *dest_r);

#endif
