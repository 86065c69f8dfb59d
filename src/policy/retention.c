/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "retention.h"

#include <limits.h>

#define TIME_MAX \
	((time_t)((UINT64_C(1) << (sizeof(time_t) * CHAR_BIT - 1)) - 1))
#define SECS_PER_DAY (24 * 60 * 60)

ARRAY_DEFINE_TYPE(message_pointers, struct pop3_retention_message *);

/* What the maildrop has after the rules of time. */
struct maildrop {
	uint64_t messages;
	/* of what no rule can take; at the most UINT64_MAX */
	uint64_t fixed_bytes;
	/* what max_messages and max_bytes may take */
	ARRAY_TYPE(message_pointers) candidates;
};

static const char *const rule_names[POP3_RETENTION_RULE_COUNT] = {
	NULL, "downloaded", "undownloaded", "max_messages", "max_size"
};

const char *pop3_retention_rule_name(enum pop3_retention_rule rule)
{
	i_assert(rule != POP3_RETENTION_NONE &&
		 rule < POP3_RETENTION_RULE_COUNT);
	return rule_names[rule];
}

static bool has_maximum(const struct pop3_retention_rules *rules)
{
	return rules->max_messages != POP3_KEEP_UNLIMITED ||
		rules->max_bytes != POP3_KEEP_UNLIMITED;
}

bool pop3_retention_is_forever(const struct pop3_retention_rules *rules)
{
	return rules->keep_downloaded == POP3_KEEP_FOREVER &&
		rules->keep_undownloaded == POP3_KEEP_FOREVER &&
		!has_maximum(rules);
}

static bool is_downloaded(const struct pop3_retention_message *message)
{
	return message->downloaded > 0;
}

/* 0 for never. Times before 1970 come from broken headers or files. Forever is
   more than any clock has left. */
static time_t time_after(time_t begin, uint64_t keep)
{
	if (begin <= 0 || keep > (uint64_t)(TIME_MAX - begin))
		return 0;
	return begin + (time_t)keep;
}

time_t pop3_retention_due(const struct pop3_retention_rules *rules,
			  const struct pop3_retention_message *message)
{
	time_t due, due_if_downloaded;

	if (message->exempt)
		return 0;
	if (is_downloaded(message))
		return time_after(message->downloaded, rules->keep_downloaded);
	due = time_after(message->delivered, rules->keep_undownloaded);
	if (message->perhaps_downloaded == 0 || due == 0)
		return due;
	due_if_downloaded = time_after(message->perhaps_downloaded,
				       rules->keep_downloaded);
	return due_if_downloaded == 0 ? 0 : I_MAX(due, due_if_downloaded);
}

static void
judge_by_time(const struct pop3_retention_rules *rules,
	      const ARRAY_TYPE(pop3_retention_message) *messages, time_t now)
{
	struct pop3_retention_message *message;
	time_t due;

	array_foreach_modifiable(messages, message) {
		due = pop3_retention_due(rules, message);
		if (due == 0 || due > now)
			message->rule = POP3_RETENTION_NONE;
		else if (is_downloaded(message))
			message->rule = POP3_RETENTION_DOWNLOADED;
		else
			message->rule = POP3_RETENTION_UNDOWNLOADED;
	}
}

static int
message_cmp(struct pop3_retention_message *const *m1,
	    struct pop3_retention_message *const *m2)
{
	if ((*m1)->downloaded != (*m2)->downloaded)
		return (*m1)->downloaded < (*m2)->downloaded ? -1 : 1;
	if ((*m1)->uid != (*m2)->uid)
		return (*m1)->uid < (*m2)->uid ? -1 : 1;
	return 0;
}

static void
maildrop_init(struct maildrop *maildrop_r,
	      const ARRAY_TYPE(pop3_retention_message) *messages, time_t now)
{
	struct pop3_retention_message *message;

	i_zero(maildrop_r);
	i_array_init(&maildrop_r->candidates, array_count(messages));
	array_foreach_modifiable(messages, message) {
		if (message->rule != POP3_RETENTION_NONE)
			continue;
		maildrop_r->messages++;
		if (!message->exempt && is_downloaded(message) &&
		    message->downloaded <= now) {
			array_push_back(&maildrop_r->candidates, &message);
		} else if (message->size >
			   UINT64_MAX - maildrop_r->fixed_bytes) {
			maildrop_r->fixed_bytes = UINT64_MAX;
		} else {
			maildrop_r->fixed_bytes += message->size;
		}
	}
	array_sort(&maildrop_r->candidates, message_cmp);
}

/* How many of the candidates must go, the first ones. */
static unsigned int
excess_by_messages(const struct maildrop *maildrop, uint64_t max)
{
	uint64_t excess =
		maildrop->messages > max ? maildrop->messages - max : 0;

	return I_MIN(excess, array_count(&maildrop->candidates));
}

static unsigned int
excess_by_bytes(const struct maildrop *maildrop, uint64_t max)
{
	struct pop3_retention_message *const *candidates;
	unsigned int excess;
	uint64_t left;

	candidates = array_get(&maildrop->candidates, &excess);
	if (max == POP3_KEEP_UNLIMITED)
		return 0;
	if (maildrop->fixed_bytes > max)
		return excess;
	/* fill what is left from the end: unlike the sum of all sizes this
	   cannot overflow */
	left = max - maildrop->fixed_bytes;
	for (; excess > 0 && candidates[excess - 1]->size <= left; excess--)
		left -= candidates[excess - 1]->size;
	return excess;
}

static void
judge_by_maximum(const struct pop3_retention_rules *rules,
		 const ARRAY_TYPE(pop3_retention_message) *messages,
		 time_t now)
{
	struct maildrop maildrop;
	struct pop3_retention_message *const *candidates;
	unsigned int i, count, by_messages, by_bytes;

	maildrop_init(&maildrop, messages, now);
	by_messages = excess_by_messages(&maildrop, rules->max_messages);
	by_bytes = excess_by_bytes(&maildrop, rules->max_bytes);
	candidates = array_get(&maildrop.candidates, &count);
	i_assert(by_messages <= count && by_bytes <= count);
	for (i = 0; i < by_messages; i++)
		candidates[i]->rule = POP3_RETENTION_MAX_MESSAGES;
	for (; i < by_bytes; i++)
		candidates[i]->rule = POP3_RETENTION_MAX_BYTES;
	array_free(&maildrop.candidates);
}

void pop3_retention_judge(const struct pop3_retention_rules *rules,
			  const ARRAY_TYPE(pop3_retention_message) *messages,
			  time_t now)
{
	judge_by_time(rules, messages, now);
	if (has_maximum(rules))
		judge_by_maximum(rules, messages, now);
}

bool pop3_retention_expire_days(const struct pop3_retention_rules *rules,
				unsigned int *days_r)
{
	uint64_t keep = I_MIN(rules->keep_downloaded, rules->keep_undownloaded);
	uint64_t days;

	if (pop3_retention_is_forever(rules))
		return FALSE;
	if (rules->keep_downloaded == 0)
		days = 0;
	else if (has_maximum(rules) || keep < SECS_PER_DAY)
		days = 1;
	else
		days = keep / SECS_PER_DAY;
	*days_r = I_MIN(days, UINT_MAX);
	return TRUE;
}
