/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "expire.h"

#define FOREVER POP3_KEEP_FOREVER
#define UNLIMITED POP3_KEEP_UNLIMITED
#define DAY (24 * 60 * 60)

static const struct {
	struct pop3_retention_rules rules;
	bool report_only;
	struct pop3_autoexpunge autoexpunge;
	const char *text;
} tests[] = {
	/* the rules alone */
	{ { FOREVER, FOREVER, UNLIMITED, UNLIMITED }, FALSE, { 0, 0 },
	  "NEVER" },
	{ { 14 * DAY, FOREVER, UNLIMITED, UNLIMITED }, FALSE, { 0, 0 }, "14" },
	{ { 15 * DAY - 1, FOREVER, UNLIMITED, UNLIMITED }, FALSE, { 0, 0 },
	  "14" },
	{ { FOREVER, 90 * DAY, UNLIMITED, UNLIMITED }, FALSE, { 0, 0 }, "90" },
	{ { 0, 90 * DAY, UNLIMITED, UNLIMITED }, FALSE, { 0, 0 }, "0" },
	{ { 60, FOREVER, UNLIMITED, UNLIMITED }, FALSE, { 0, 0 }, "1" },
	{ { FOREVER, FOREVER, 10, UNLIMITED }, FALSE, { 0, 0 }, "1" },
	{ { FOREVER, FOREVER, UNLIMITED, 10 }, FALSE, { 0, 0 }, "1" },
	/* they only say what they would do */
	{ { 14 * DAY, FOREVER, UNLIMITED, UNLIMITED }, TRUE, { 0, 0 },
	  "NEVER" },
	{ { FOREVER, 90 * DAY, UNLIMITED, UNLIMITED }, TRUE, { 0, 0 },
	  "NEVER" },
	{ { 0, FOREVER, UNLIMITED, UNLIMITED }, TRUE, { 0, 0 }, "NEVER" },
	{ { FOREVER, FOREVER, 10, UNLIMITED }, TRUE, { 0, 0 }, "NEVER" },
	{ { FOREVER, FOREVER, UNLIMITED, 10 }, TRUE, { 0, 0 }, "NEVER" },
	/* Dovecot alone */
	{ { FOREVER, FOREVER, UNLIMITED, UNLIMITED }, FALSE, { 30 * DAY, 0 },
	  "30" },
	{ { FOREVER, FOREVER, UNLIMITED, UNLIMITED }, FALSE, { 1, 0 }, "1" },
	{ { FOREVER, FOREVER, UNLIMITED, UNLIMITED }, FALSE, { 2 * DAY - 1, 0 },
	  "1" },
	{ { FOREVER, FOREVER, UNLIMITED, UNLIMITED }, FALSE, { UINT_MAX, 0 },
	  "49710" },
	{ { FOREVER, FOREVER, UNLIMITED, UNLIMITED }, FALSE, { 0, 1000 }, "1" },
	{ { FOREVER, FOREVER, UNLIMITED, UNLIMITED }, FALSE,
	  { 30 * DAY, 1000 }, "1" },
	/* the shorter one of both */
	{ { 14 * DAY, FOREVER, UNLIMITED, UNLIMITED }, FALSE, { 30 * DAY, 0 },
	  "14" },
	{ { 14 * DAY, FOREVER, UNLIMITED, UNLIMITED }, FALSE, { 7 * DAY, 0 },
	  "7" },
	{ { FOREVER, 90 * DAY, UNLIMITED, UNLIMITED }, FALSE, { 7 * DAY, 0 },
	  "7" },
	{ { FOREVER, 5 * DAY, UNLIMITED, UNLIMITED }, FALSE, { 7 * DAY, 0 },
	  "5" },
	{ { 14 * DAY, FOREVER, UNLIMITED, UNLIMITED }, FALSE, { 0, 1000 },
	  "1" },
	{ { 0, FOREVER, UNLIMITED, UNLIMITED }, FALSE, { 7 * DAY, 1000 }, "0" },
	/* Dovecot removes mail also when our rules do not */
	{ { 0, 5 * DAY, 10, 10 }, TRUE, { 7 * DAY, 0 }, "7" },
	{ { 0, 5 * DAY, 10, 10 }, TRUE, { 0, 1000 }, "1" },
};

static void test_text(void)
{
	struct retention_policy policy;
	unsigned int i;

	test_begin("expire: text");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		i_zero(&policy);
		policy.rules = tests[i].rules;
		policy.report_only = tests[i].report_only;
		test_assert_strcmp_idx(
			pop3_expire_text(&policy, &tests[i].autoexpunge),
			tests[i].text, i);
	}
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_text,
		NULL
	};
	return test_run(test_functions);
}
