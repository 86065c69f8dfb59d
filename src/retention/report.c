/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "time-util.h"
#include "policy-event.h"
#include "report.h"

static const char *count_messages(unsigned int count)
{
	return t_strdup_printf("%u message%s", count, count == 1 ? "" : "s");
}

void retention_count(struct retention_counts *counts,
		     const struct pop3_retention_message *message)
{
	counts->messages[message->rule]++;
	counts->bytes[message->rule] += message->size;
}

static void
send_event(const struct retention_counts *counts, unsigned int rule,
	   const struct retention_policy *policy, struct event *event)
{
	const char *name = pop3_retention_rule_name(rule);
	struct event_passthrough *e = policy_event(event, POLICY_EVENT_EXPIRED)->
		add_str("rule", name)->
		add_str("action", policy->move_to == NULL ? "expunge" : "move")->
		add_int("count", counts->messages[rule])->
		add_int("bytes", counts->bytes[rule]);

	e_debug(e->event(), "retention rule %s has taken %s", name,
		count_messages(counts->messages[rule]));
}

static const char *
run_verb(const struct retention_policy *policy)
{
	if (policy->report_only)
		return "would have taken";
	return policy->move_to == NULL ? "expunged" : "moved";
}

void retention_log_run(const struct retention_counts *counts,
		       const struct retention_policy *policy,
		       struct event *event)
{
	string_t *rules = t_str_new(128);
	unsigned int rule, messages = 0;
	uint64_t bytes = 0;

	for (rule = POP3_RETENTION_NONE + 1; rule < POP3_RETENTION_RULE_COUNT;
	     rule++) {
		if (counts->messages[rule] == 0)
			continue;
		messages += counts->messages[rule];
		bytes += counts->bytes[rule];
		str_printfa(rules, "%s%u %s", str_len(rules) == 0 ? "" : ", ",
			    counts->messages[rule],
			    pop3_retention_rule_name(rule));
		if (!policy->report_only)
			send_event(counts, rule, policy, event);
	}
	if (messages == 0)
		return;
	e_info(event, "retention %s %s, %"PRIu64" bytes: %s", run_verb(policy),
	       count_messages(messages), bytes, str_c(rules));
}

void retention_log_message(const struct pop3_retention_message *message,
			   struct event *event)
{
	time_t since = message->downloaded != 0 ? message->downloaded :
		message->delivered;

	e_debug(event, "retention rule %s takes UID %u (%"PRIu64" bytes, %s "
		"%s)", pop3_retention_rule_name(message->rule), message->uid,
		message->size, message->downloaded != 0 ? "downloaded" :
		"delivered", t_strflocaltime("%Y-%m-%d %H:%M:%S", since));
}
