/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "printable.h"

static const struct {
	const char *text, *printable;
} texts[] = {
	{ "", "" },
	{ "plain ~text", "plain ~text" },
	{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
	{ "\xc2\xa0", "\xc2\xa0" },
	{ "a\nb\r\tc\x1b[1m\x01", "a?b??c?[1m?" },
	{ "\x7f", "?" },
	/* CSI of eight bits */
	{ "\xc2\x9b" "1m\xc2\x80", "??1m??" },
	{ "\xff" "a\xc3", "?a?" },
	{ "\xe2\x82", "??" },
};

static void test_printable(void)
{
	const char *text;
	unsigned int i;

	test_begin("printable");
	for (i = 0; i < N_ELEMENTS(texts); i++) {
		text = pop3_printable(texts[i].text);
		test_assert_strcmp_idx(text, texts[i].printable, (int)i);
		test_assert_idx((text == texts[i].text) ==
				(strcmp(text, texts[i].text) == 0), i);
	}
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_printable,
		NULL
	};
	return test_run(test_functions);
}
