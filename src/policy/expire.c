/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "expire.h"

static const struct pop3_retention_rules no_rules = {
	.keep_downloaded = POP3_KEEP_FOREVER,
	.keep_undownloaded = POP3_KEEP_FOREVER,
	.max_messages = POP3_KEEP_UNLIMITED,
	.max_bytes = POP3_KEEP_UNLIMITED,
};

/* A time since delivery is a bound for every message, which is what
   keep_undownloaded is here. */
static void
add_autoexpunge(struct pop3_retention_rules *rules,
		const struct pop3_autoexpunge *autoexpunge)
{
	if (autoexpunge->keep > 0) {
		rules->keep_undownloaded = I_MIN(rules->keep_undownloaded,
						 autoexpunge->keep);
	}
	if (autoexpunge->max_messages > 0) {
		rules->max_messages = I_MIN(rules->max_messages,
					    autoexpunge->max_messages);
	}
}

const char *pop3_expire_text(const struct retention_policy *policy,
			     const struct pop3_autoexpunge *autoexpunge)
{
	struct pop3_retention_rules rules;
	unsigned int days;

	rules = policy->report_only ? no_rules : policy->rules;
	add_autoexpunge(&rules, autoexpunge);
	return pop3_retention_expire_days(&rules, &days) ?
		t_strdup_printf("%u", days) : "NEVER";
}
