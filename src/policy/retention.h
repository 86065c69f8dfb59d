#ifndef POP3_POLICY_RETENTION_H
#define POP3_POLICY_RETENTION_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "array-decl.h"

#include <time.h>

/* How long mail stays on the server. Pure: the caller brings the messages and
   the time. */

#define POP3_KEEP_FOREVER UINT64_MAX
#define POP3_KEEP_UNLIMITED UINT64_MAX

struct pop3_retention_rules {
	/* seconds after the first download; 0 is at the end of its session */
	uint64_t keep_downloaded;
	/* seconds after delivery, of what was never downloaded */
	uint64_t keep_undownloaded;
	/* How much the maildrop may have. Only downloaded messages go, those
	   that were downloaded first before the others, even if what was never
	   downloaded is too much on its own. */
	uint64_t max_messages;
	uint64_t max_bytes;
};

enum pop3_retention_rule {
	/* the message stays */
	POP3_RETENTION_NONE,
	POP3_RETENTION_DOWNLOADED,
	POP3_RETENTION_UNDOWNLOADED,
	POP3_RETENTION_MAX_MESSAGES,
	POP3_RETENTION_MAX_BYTES,

	POP3_RETENTION_RULE_COUNT
};

/* A message of the maildrop, as the rules see it. */
struct pop3_retention_message {
	uint32_t uid;
	/* octets as LIST tells them */
	uint64_t size;
	/* When it came into the maildrop; 0 if that is not known, and then
	   keep_undownloaded does not take it. Need not be set of a message that
	   was downloaded, or if keep_undownloaded is forever. */
	time_t delivered;
	/* when its first download was over; 0 if there was none */
	time_t downloaded;
	/* if there was none: until when there may have been one that nobody
	   knows of any more; 0 if that cannot be. It goes when it may go
	   downloaded or not. */
	time_t perhaps_downloaded;
	/* no rule takes it, but it counts in what the maildrop has */
	bool exempt;
	/* it is exempt because clients are not shown it; says nothing to the
	   rules */
	bool hidden;
	/* out: the rule that takes it */
	enum pop3_retention_rule rule;
};
ARRAY_DEFINE_TYPE(pop3_retention_message, struct pop3_retention_message);

/* Whether no rule can ever take a message. */
bool pop3_retention_is_forever(const struct pop3_retention_rules *rules);

/* Say of each message which rule takes it now. Time goes first: what
   keep_downloaded and keep_undownloaded leave is then counted. A message that
   was downloaded or, if it was not, delivered in the future by this clock
   stays, also if there are too many: either time is wrong, so its place among
   the others is not known. Downloads of the same second go in the order of
   UIDs. */
void pop3_retention_judge(const struct pop3_retention_rules *rules,
			  const ARRAY_TYPE(pop3_retention_message) *messages,
			  time_t now);

/* When the message will be taken by time, if ever; else 0. */
time_t pop3_retention_due(const struct pop3_retention_rules *rules,
			  const struct pop3_retention_message *message);

/* "downloaded", "undownloaded", "max_messages" or "max_size". Not for a message
   that stays. */
const char *pop3_retention_rule_name(enum pop3_retention_rule rule);

/* What EXPIRE in CAPA says of these rules (RFC 2449, section 6.7): for how many
   days each message is sure to stay, rounded down, or FALSE for NEVER.
   - The RFC asks for the shortest time that any message may have, so
     keep_undownloaded counts as much as keep_downloaded.
   - max_messages and max_bytes may take any downloaded message at any time.
     With one of them nothing is sure, and NEVER would be untrue even if both
     times are forever: it is as if a time was under a day.
   - 0 would tell clients that they may not leave mail on the server, so only
     keep_downloaded = 0 is 0. Else less than a day is 1, the least that lets
     them leave it. */
bool pop3_retention_expire_days(const struct pop3_retention_rules *rules,
				unsigned int *days_r);

#endif
