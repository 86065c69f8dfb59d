/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "test-common.h"
#include "retention.h"

/* Random mailboxes, rules and clocks, against an oracle that takes one message
   at a time and counts everything anew after each. */

#define ROUNDS 20000
#define MAX_MESSAGES 12
#define DAY (24 * 60 * 60)
#define BEGIN ((time_t)1700000000)

/* Cheap and the same everywhere. */
static unsigned int random_below(unsigned int limit)
{
	static uint32_t state = 2463534242U;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % limit;
}

/* Few different ones, so that messages meet each other and the clock. */
static time_t random_time(void)
{
	return BEGIN + (time_t)random_below(8) * DAY +
		(time_t)random_below(3) - 1;
}

static uint64_t random_keep(void)
{
	switch (random_below(6)) {
	case 0:
		return POP3_KEEP_FOREVER;
	case 1:
		return 0;
	case 2:
		return POP3_KEEP_FOREVER - 1 - random_below(2);
	default:
		return random_below(8) * DAY + random_below(3);
	}
}

static uint64_t random_size(void)
{
	switch (random_below(20)) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX - random_below(3);
	case 2:
		return UINT64_MAX / 2 + random_below(3);
	default:
		return random_below(10);
	}
}

static void random_rules(struct pop3_retention_rules *rules_r)
{
	rules_r->keep_downloaded = random_keep();
	rules_r->keep_undownloaded = random_keep();
	rules_r->max_messages = random_below(2) == 0 ? POP3_KEEP_UNLIMITED :
		random_below(MAX_MESSAGES + 2);
	rules_r->max_bytes = random_below(2) == 0 ? POP3_KEEP_UNLIMITED :
		random_below(4) == 0 ? UINT64_MAX - 1 - random_below(3) :
		random_below(50);
}

static void
random_mailbox(ARRAY_TYPE(pop3_retention_message) *messages)
{
	struct pop3_retention_message *message;
	unsigned int i, count = random_below(MAX_MESSAGES + 1);
	unsigned int exempt = 1 + random_below(10);

	t_array_init(messages, MAX_MESSAGES);
	for (i = 0; i < count; i++) {
		/* in any order */
		message = array_insert_space(messages, random_below(i + 1));
		message->uid = i + 1;
		message->size = random_size();
		message->exempt = random_below(exempt) == 1;
		message->delivered = random_below(10) == 0 ? 0 : random_time();
		message->downloaded = random_below(3) == 0 ? 0 : random_time();
		message->rule = random_below(POP3_RETENTION_RULE_COUNT);
	}
}

static bool
oracle_time_takes(const struct pop3_retention_rules *rules,
		  const struct pop3_retention_message *message, time_t now)
{
	time_t since;
	uint64_t keep;

	if (message->exempt)
		return FALSE;
	if (message->downloaded != 0) {
		since = message->downloaded;
		keep = rules->keep_downloaded;
	} else {
		since = message->delivered;
		keep = rules->keep_undownloaded;
	}
	if (keep == POP3_KEEP_FOREVER || since == 0 || now < since)
		return FALSE;
	return (uint64_t)(now - since) >= keep;
}

static bool
oracle_has_more_messages(const struct pop3_retention_message *messages,
			 unsigned int count, uint64_t max)
{
	uint64_t total = 0;
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (messages[i].rule == POP3_RETENTION_NONE)
			total++;
	}
	return total > max;
}

static bool
oracle_has_more_bytes(const struct pop3_retention_message *messages,
		      unsigned int count, uint64_t max)
{
	uint64_t total = 0;
	unsigned int i;

	if (max == POP3_KEEP_UNLIMITED)
		return FALSE;
	for (i = 0; i < count; i++) {
		if (messages[i].rule != POP3_RETENTION_NONE)
			continue;
		if (total + messages[i].size < total)
			return TRUE;
		total += messages[i].size;
	}
	return total > max;
}

static struct pop3_retention_message *
oracle_first(struct pop3_retention_message *messages, unsigned int count,
	     time_t now)
{
	struct pop3_retention_message *first = NULL;
	unsigned int i;

	for (i = 0; i < count; i++) {
		struct pop3_retention_message *m = &messages[i];

		if (m->rule != POP3_RETENTION_NONE || m->exempt ||
		    m->downloaded == 0 || m->downloaded > now)
			continue;
		if (first == NULL || m->downloaded < first->downloaded ||
		    (m->downloaded == first->downloaded && m->uid < first->uid))
			first = m;
	}
	return first;
}

static void
oracle_judge(const struct pop3_retention_rules *rules,
	     struct pop3_retention_message *messages, unsigned int count,
	     time_t now)
{
	struct pop3_retention_message *message;
	unsigned int i;

	for (i = 0; i < count; i++) {
		messages[i].rule = POP3_RETENTION_NONE;
		if (!oracle_time_takes(rules, &messages[i], now))
			continue;
		messages[i].rule = messages[i].downloaded != 0 ?
			POP3_RETENTION_DOWNLOADED : POP3_RETENTION_UNDOWNLOADED;
	}
	while ((message = oracle_first(messages, count, now)) != NULL) {
		if (oracle_has_more_messages(messages, count,
					     rules->max_messages))
			message->rule = POP3_RETENTION_MAX_MESSAGES;
		else if (oracle_has_more_bytes(messages, count,
					       rules->max_bytes))
			message->rule = POP3_RETENTION_MAX_BYTES;
		else
			break;
	}
}

/* What must be true of each message, whatever the oracle says. */
static bool
message_is_right(const struct pop3_retention_rules *rules,
		 const struct pop3_retention_message *message, time_t now)
{
	time_t due = pop3_retention_due(rules, message);

	switch (message->rule) {
	case POP3_RETENTION_NONE:
		return due == 0 || due > now;
	case POP3_RETENTION_DOWNLOADED:
		return !message->exempt && message->downloaded != 0 &&
			due != 0 && due <= now;
	case POP3_RETENTION_UNDOWNLOADED:
		return !message->exempt && message->downloaded == 0 &&
			rules->keep_undownloaded != POP3_KEEP_FOREVER &&
			due != 0 && due <= now;
	case POP3_RETENTION_MAX_MESSAGES:
	case POP3_RETENTION_MAX_BYTES:
		return !message->exempt && message->downloaded != 0 &&
			(due == 0 || due > now);
	case POP3_RETENTION_RULE_COUNT:
		break;
	}
	return FALSE;
}

/* Does a message that goes break what EXPIRE has promised? */
static bool
promise_is_kept(const struct pop3_retention_rules *rules,
		const struct pop3_retention_message *message, time_t now)
{
	time_t since = message->downloaded != 0 ? message->downloaded :
		message->delivered;
	unsigned int days;

	if (message->rule == POP3_RETENTION_NONE)
		return TRUE;
	if (!pop3_retention_expire_days(rules, &days))
		return FALSE;
	return days <= 1 || now - since >= (time_t)days * DAY;
}

static bool
round_is_right(const struct pop3_retention_rules *rules,
	       const ARRAY_TYPE(pop3_retention_message) *messages, time_t now)
{
	struct pop3_retention_message expected[MAX_MESSAGES];
	const struct pop3_retention_message *message;
	unsigned int i, count = array_count(messages);

	i_zero(&expected);
	for (i = 0; i < count; i++)
		expected[i] = *array_idx(messages, i);
	oracle_judge(rules, expected, count, now);
	pop3_retention_judge(rules, messages, now);
	for (i = 0; i < count; i++) {
		message = array_idx(messages, i);
		if (message->uid != expected[i].uid ||
		    message->rule != expected[i].rule ||
		    !message_is_right(rules, message, now) ||
		    !promise_is_kept(rules, message, now))
			return FALSE;
	}
	return TRUE;
}

/* When what goes is gone, nothing else goes at the same time. */
static bool
rest_stays(const struct pop3_retention_rules *rules,
	   const ARRAY_TYPE(pop3_retention_message) *messages, time_t now)
{
	ARRAY_TYPE(pop3_retention_message) rest;
	const struct pop3_retention_message *message;

	t_array_init(&rest, MAX_MESSAGES);
	array_foreach(messages, message) {
		if (message->rule == POP3_RETENTION_NONE)
			array_push_back(&rest, message);
	}
	pop3_retention_judge(rules, &rest, now);
	array_foreach(&rest, message) {
		if (message->rule != POP3_RETENTION_NONE)
			return FALSE;
	}
	return TRUE;
}

static void test_random(void)
{
	ARRAY_TYPE(pop3_retention_message) messages;
	const struct pop3_retention_message *message;
	struct pop3_retention_rules rules;
	unsigned int taken[POP3_RETENTION_RULE_COUNT];
	unsigned int i;
	time_t now;

	test_begin("retention: random mailboxes");
	i_zero(&taken);
	for (i = 0; i < ROUNDS; i++) T_BEGIN {
		random_rules(&rules);
		random_mailbox(&messages);
		now = random_time();
		test_assert_idx(round_is_right(&rules, &messages, now), i);
		test_assert_idx(rest_stays(&rules, &messages, now), i);
		array_foreach(&messages, message)
			taken[message->rule]++;
	} T_END;
	/* all of this is worth nothing if it does not happen */
	for (i = 0; i < N_ELEMENTS(taken); i++)
		test_assert_idx(taken[i] > ROUNDS / 20, i);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_random,
		NULL
	};
	return test_run(test_functions);
}
