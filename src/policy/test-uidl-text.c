/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "uidl-text.h"

#define TEN "0123456789"
#define SEVENTY TEN TEN TEN TEN TEN TEN TEN
#define NAME255 SEVENTY SEVENTY SEVENTY TEN TEN TEN TEN "01234"

#define MSGNO POP3_UIDL_TEXT_MSGNO
#define COURIER POP3_UIDL_TEXT_COURIER
#define UIDLIST POP3_UIDL_TEXT_UIDLIST

#define V1 "/1 9"
#define V2 "/2 9 1118789000"
#define V3 "/3 9 1118789000"
#define HEADER "3 V1764076844 N9 G5e0b7a2c9f1d4e3388aa0011bbccddee"

static const struct parse_test {
	enum pop3_uidl_text_format format;
	/* lines before it, NULL if there are none */
	const char *before[3];
	const char *line;
	int ret;
	/* of the entry: msgno or filename, and uidl */
	uint32_t msgno;
	const char *filename, *uidl;
} parse_tests[] = {
	{ MSGNO, { NULL }, "1 0000000a5f3b", 1, 1, NULL, "0000000a5f3b" },
	{ MSGNO, { NULL }, "4294967295 x", 1, 4294967295U, NULL, "x" },
	{ MSGNO, { NULL }, "+OK 2 messages", 0, 0, NULL, NULL },
	{ MSGNO, { NULL }, "+OK", 0, 0, NULL, NULL },
	{ MSGNO, { NULL }, "", 0, 0, NULL, NULL },
	{ MSGNO, { "" }, "+OK", 0, 0, NULL, NULL },
	{ MSGNO, { "+OK" }, "7 a:b", 1, 7, NULL, "a:b" },
	{ MSGNO, { "+OK", "1 x" }, ".", 0, 0, NULL, NULL },
	{ MSGNO, { "." }, "", 0, 0, NULL, NULL },
	{ MSGNO, { NULL }, ".", 0, 0, NULL, NULL },
	{ MSGNO, { NULL }, "1 .x", 1, 1, NULL, ".x" },
	{ MSGNO, { NULL }, "1 " SEVENTY, 1, 1, NULL, SEVENTY },
	/* after an error */
	{ MSGNO, { "-ERR", "x" }, "1 a", 1, 1, NULL, "a" },

	/* version 0 */
	{ COURIER, { NULL }, "1118.M1.host 2048", 1, 0, "1118.M1.host",
	  "1118.M1.host" },
	{ COURIER, { NULL }, "1118.M1.host,S=5:2,S 2048", 1, 0,
	  "1118.M1.host,S=5", "1118.M1.host,S=5" },
	{ COURIER, { NULL }, "a'b\"c+d e\xff 0", 1, 0, "a'b\"c+d e\xff",
	  "a+27b+22c+2Bd+20e+FF" },
	{ COURIER, { "a 1" }, "b 2", 1, 0, "b", "b" },
	{ COURIER, { "broken" }, "b 2", 1, 0, "b", "b" },
	/* version 1 */
	{ COURIER, { NULL }, V1, 0, 0, NULL, NULL },
	{ COURIER, { NULL }, "/1 9 1118789000", 0, 0, NULL, NULL },
	{ COURIER, { V1 }, "a:2,RS 2048 17", 1, 0, "a", "UID17" },
	{ COURIER, { V1 }, "a 2048 0", 1, 0, "a", "a" },
	/* version 2 */
	{ COURIER, { NULL }, V2, 0, 0, NULL, NULL },
	{ COURIER, { NULL }, "/2 9", 0, 0, NULL, NULL },
	{ COURIER, { V2 }, "a:2,S 2048 17:1118789000", 1, 0, "a",
	  "UID17-1118789000" },
	{ COURIER, { V2 }, "a 2048 17:0", 1, 0, "a", "UID17" },
	{ COURIER, { V2 }, "a+ 2048 0:1118789000", 1, 0, "a+", "a+2B" },
	{ COURIER, { V2 }, "a 2048 1:2:1", 1, 0, "a", "UID1-2" },
	/* version 3 */
	{ COURIER, { NULL }, V3, 0, 0, NULL, NULL },
	{ COURIER, { V3 }, "1118.M1.host,S=5:2,S 2048 17:1118789000:0", 1, 0,
	  "1118.M1.host,S=5", "UID17-1118789000" },
	{ COURIER, { V3 }, "a 2048 17:1118789000:1", 1, 0, "a",
	  "UID17-1118789000" },
	{ COURIER, { V3 }, "a 2048 1:2", 1, 0, "a", "UID1-2" },
	{ COURIER, { V3 }, "a 2048 017:08:0", 1, 0, "a", "UID17-8" },
	{ COURIER, { V3 }, "a b 1 2:3:0", 1, 0, "a b", "UID2-3" },
	{ COURIER, { V3 }, "a 18446744073709551615 18446744073709551615:"
	  "18446744073709551615:0", 1, 0, "a",
	  "UID18446744073709551615-18446744073709551615" },
	{ COURIER, { V3, "broken" }, "a 1 2:3:0", 1, 0, "a", "UID2-3" },

	{ UIDLIST, { NULL }, HEADER, 0, 0, NULL, NULL },
	{ UIDLIST, { NULL }, "3 N9 V5", 0, 0, NULL, NULL },
	{ UIDLIST, { NULL }, "3 V5 N9 Pvi Xz", 0, 0, NULL, NULL },
	{ UIDLIST, { HEADER }, "8 P0000000a5f3b :1118.M1.host", 1, 0,
	  "1118.M1.host", "0000000a5f3b" },
	{ UIDLIST, { HEADER }, "8 P0000000a5f3b :1118.M1.host,S=5:2,S", 1, 0,
	  "1118.M1.host,S=5", "0000000a5f3b" },
	{ UIDLIST, { HEADER }, "8 Gx W12 Pab:c S3 :a", 1, 0, "a", "ab:c" },
	{ UIDLIST, { HEADER }, "8 P :1118.M1.host:2,S", 1, 0, "1118.M1.host",
	  "1118.M1.host" },
	{ UIDLIST, { HEADER }, "8 Px Py :a", 1, 0, "a", "x" },
	{ UIDLIST, { HEADER }, "8   Px   W1  :a b", 1, 0, "a b", "x" },
	{ UIDLIST, { HEADER }, "8 P: :a", 1, 0, "a", ":" },
	{ UIDLIST, { HEADER }, "4294967294 Px :" NAME255, 1, 0, NAME255, "x" },
	/* no UIDL is stored */
	{ UIDLIST, { HEADER }, "8 :a", 0, 0, NULL, NULL },
	{ UIDLIST, { HEADER }, "8 W12 Gx pq :a:2,P", 0, 0, NULL, NULL },
	{ UIDLIST, { HEADER }, "8 :a Px", 0, 0, NULL, NULL },
	{ UIDLIST, { HEADER, "broken" }, "8 Px :a", 1, 0, "a", "x" },
};

static int
parse_after(enum pop3_uidl_text_format format, const char *const *before,
	    unsigned int before_count, const char *line,
	    struct pop3_uidl_entry *entry_r, const char **error_r)
{
	struct pop3_uidl_text_parser *parser;
	struct pop3_uidl_entry entry;
	const char *error;
	unsigned int i;
	int ret;

	parser = pop3_uidl_text_parser_init(format);
	for (i = 0; i < before_count && before[i] != NULL; i++)
		(void)pop3_uidl_text_parse_line(parser, before[i], &entry,
						&error);
	ret = pop3_uidl_text_parse_line(parser, line, entry_r, error_r);
	pop3_uidl_text_parser_deinit(&parser);
	test_assert(parser == NULL);
	return ret;
}

static const struct pop3_uidl_entry untouched = { 99, "-", "-" };

static bool is_untouched(const struct pop3_uidl_entry *entry)
{
	return entry->msgno == untouched.msgno &&
		entry->filename == untouched.filename &&
		entry->uidl == untouched.uidl;
}

static void test_parse(void)
{
	struct pop3_uidl_entry entry;
	const char *error;
	unsigned int i;

	test_begin("uidl text: parse");
	for (i = 0; i < N_ELEMENTS(parse_tests); i++) {
		const struct parse_test *test = &parse_tests[i];

		entry = untouched;
		error = NULL;
		test_assert_idx(parse_after(test->format, test->before,
			N_ELEMENTS(test->before), test->line, &entry,
			&error) == test->ret, i);
		test_assert_idx(error == NULL, i);
		if (test->ret == 0) {
			test_assert_idx(is_untouched(&entry), i);
			continue;
		}
		if (test_has_failed())
			break;
		test_assert_idx(entry.msgno == test->msgno, i);
		test_assert_idx(null_strcmp(entry.filename,
					    test->filename) == 0, i);
		test_assert_strcmp_idx(entry.uidl, test->uidl, i);
	}
	test_end();
}

#define BAD_NAME "bad file name "
#define MSGNO_EXPECTED "expected a message number (1 to 4294967295), a space"

static const struct {
	enum pop3_uidl_text_format format;
	const char *before[2];
	const char *line, *error;
} bad_tests[] = {
	{ MSGNO, { NULL }, "-ERR no", "bad line \"-ERR no\", " MSGNO_EXPECTED },
	{ MSGNO, { "1 x" }, "+OK", "bad line \"+OK\", " MSGNO_EXPECTED },
	{ MSGNO, { NULL }, "0 x", "bad line \"0 x\"" },
	{ MSGNO, { NULL }, "-1 x", "bad line \"-1 x\"" },
	{ MSGNO, { NULL }, "4294967296 x", "bad line \"4294967296 x\"" },
	{ MSGNO, { NULL }, "1", "bad line \"1\"" },
	{ MSGNO, { NULL }, "1\tx", "bad line \"1?x\"" },
	{ MSGNO, { NULL }, "1x y", "bad line \"1x y\"" },
	{ MSGNO, { NULL }, " 1 x", "bad line \" 1 x\"" },
	{ MSGNO, { NULL }, "/3 x", "bad line \"/3 x\"" },
	{ MSGNO, { NULL }, "1 ", "UIDL of 0 octets, expected 1 to 70" },
	{ MSGNO, { NULL }, "1 a b", "octet 0x20 at position 2" },
	{ MSGNO, { NULL }, "1 x\r", "octet 0x0d at position 2" },
	{ MSGNO, { NULL }, "1 .", "UIDL is a single dot" },
	{ MSGNO, { NULL }, "1 " SEVENTY "x", "UIDL of 71 octets" },
	{ MSGNO, { "." }, "1 x", "bad line after the last dot \"1 x\"" },
	{ MSGNO, { "." }, ".", "bad line after the last dot \".\"" },
	/* no octet of it harms a terminal, and not all of it is told */
	{ MSGNO, { NULL }, "\x1b[2J\x07\x7f\xc2\x9b%s%n",
	  "bad line \"?[2J????%s%n\"" },
	{ MSGNO, { NULL }, SEVENTY TEN "x", "\"" SEVENTY TEN "...\"" },
	{ MSGNO, { NULL }, SEVENTY TEN, "\"" SEVENTY TEN "\"" },

	{ COURIER, { NULL }, "", "bad line \"\", expected FILENAME SIZE, or" },
	{ COURIER, { NULL }, "/4 1 2", "bad first line \"/4 1 2\", "
	  "expected \"/1 NUMBER NUMBER\"" },
	{ COURIER, { NULL }, "/0 1 2", "bad first line" },
	{ COURIER, { NULL }, "/3", "bad first line" },
	{ COURIER, { NULL }, "/3 ", "bad first line" },
	{ COURIER, { NULL }, "/3 1 2 3", "bad first line" },
	{ COURIER, { NULL }, "/3 x 2", "bad first line" },
	{ COURIER, { NULL }, "/4294967299 1 2", "bad first line" },
	{ COURIER, { NULL }, "/3 18446744073709551616 2", "bad first line" },
	{ COURIER, { "/4 1 2" }, "a 1", "the first line was bad" },
	/* only the first line can be the first one */
	{ COURIER, { "" }, V3, BAD_NAME "\"/3 9\"" },
	{ COURIER, { V3 }, V3, "bad UIDL \"1118789000\"" },
	{ COURIER, { NULL }, "a", "bad line \"a\", expected FILENAME SIZE, "
	  "or" },
	{ COURIER, { NULL }, "a 1 2:3:0", "bad size \"2:3:0\"" },
	{ COURIER, { NULL }, "a x", "bad size \"x\", expected a number" },
	{ COURIER, { NULL }, " 1", BAD_NAME "\"\"" },
	{ COURIER, { NULL }, SEVENTY "x 1", "UIDL of 71 octets" },
	{ COURIER, { V1 }, "a 1", "bad line \"a 1\", expected FILENAME SIZE "
	  "UIDL" },
	{ COURIER, { V1 }, "a 1 2:3", "bad UIDL \"2:3\", expected a number" },
	{ COURIER, { V2 }, "a 1 2", "bad UIDL \"2\", expected NUMBER:NUMBER" },
	{ COURIER, { V3 }, "", "bad line \"\", expected FILENAME SIZE UIDL" },
	{ COURIER, { V3 }, "a 1", "bad line \"a 1\"" },
	{ COURIER, { V3 }, "a", "bad line \"a\"" },
	{ COURIER, { V3 }, "a 1 ", "bad UIDL \"\"" },
	{ COURIER, { V3 }, "a 1 2:3:0:0", "bad UIDL \"2:3:0:0\"" },
	{ COURIER, { V3 }, "a 1 2:", "bad UIDL \"2:\"" },
	{ COURIER, { V3 }, "a 1 :3:0", "bad UIDL \":3:0\"" },
	{ COURIER, { V3 }, "a 1 2:3:x", "bad UIDL \"2:3:x\"" },
	{ COURIER, { V3 }, "a 1 -2:3:0", "bad UIDL \"-2:3:0\"" },
	{ COURIER, { V3 }, "a 1 18446744073709551616:3:0", "bad UIDL" },
	{ COURIER, { V3 }, "a 1 2:18446744073709551616:0", "bad UIDL" },
	{ COURIER, { V3 }, "a 18446744073709551616 2:3:0", "bad size" },
	{ COURIER, { V3 }, "a -1 2:3:0", "bad size \"-1\"" },
	{ COURIER, { V3 }, "../a 1 2:3:0", BAD_NAME "\"../a\"" },
	{ COURIER, { V3 }, "cur/a 1 2:3:0", BAD_NAME "\"cur/a\"" },
	{ COURIER, { V3 }, ". 1 2:3:0", BAD_NAME "\".\"" },
	{ COURIER, { V3 }, ":2,S 1 2:3:0", BAD_NAME "\"\"" },
	{ COURIER, { V3 }, "a\x1b 1 2:3:0", BAD_NAME "\"a?\"" },
	{ COURIER, { V3 }, "a\x7f 1 2:3:0", BAD_NAME "\"a?\"" },
	{ COURIER, { V3 }, NAME255 "x 1 2:3:0", BAD_NAME },

	{ UIDLIST, { NULL }, "", "bad first line \"\"" },
	{ UIDLIST, { NULL }, "1 1764076844 9", "bad first line \"1 1764076844 "
	  "9\", expected \"3 V<uidvalidity> N<uidnext> G<guid>\"" },
	{ UIDLIST, { NULL }, "3 V1", "bad first line" },
	{ UIDLIST, { NULL }, "3 N1", "bad first line" },
	{ UIDLIST, { NULL }, "3 V0 N1", "bad first line" },
	{ UIDLIST, { NULL }, "3 V1 N0", "bad first line" },
	{ UIDLIST, { NULL }, "3 V1x N1", "bad first line" },
	{ UIDLIST, { NULL }, "3 V1 Vx N1", "bad first line" },
	{ UIDLIST, { NULL }, "3 V1 N1 Nx", "bad first line" },
	{ UIDLIST, { NULL }, "3 V4294967296 N1", "bad first line" },
	{ UIDLIST, { NULL }, "3 V1 N-1", "bad first line" },
	{ UIDLIST, { NULL }, "33 V1 N1", "bad first line" },
	{ UIDLIST, { "1 Px :a" }, HEADER, "the first line was bad" },
	{ UIDLIST, { HEADER }, "", "bad line \"\", expected a UID" },
	{ UIDLIST, { HEADER }, HEADER, "expected :FILENAME at its end" },
	{ UIDLIST, { HEADER }, "0 Px :a", "bad line \"0 Px :a\"" },
	{ UIDLIST, { HEADER }, "4294967295 Px :a", "bad line" },
	{ UIDLIST, { HEADER }, "4294967296 Px :a", "bad line" },
	{ UIDLIST, { HEADER }, "-8 Px :a", "bad line" },
	{ UIDLIST, { HEADER }, "8Px :a", "bad line" },
	{ UIDLIST, { HEADER }, "8", "bad line" },
	{ UIDLIST, { HEADER }, "8 ", "expected :FILENAME at its end" },
	{ UIDLIST, { HEADER }, "8 Px a", "expected :FILENAME at its end" },
	{ UIDLIST, { HEADER }, "8 Px:a", "expected :FILENAME at its end" },
	{ UIDLIST, { HEADER }, "8 Px :", BAD_NAME "\"\"" },
	{ UIDLIST, { HEADER }, "8 Px ::2,S", BAD_NAME "\"\"" },
	{ UIDLIST, { HEADER }, "8 Px :../a", BAD_NAME "\"../a\"" },
	{ UIDLIST, { HEADER }, "8 :a/b", BAD_NAME "\"a/b\"" },
	{ UIDLIST, { HEADER }, "8 Px :" NAME255 "x", BAD_NAME },
	{ UIDLIST, { HEADER }, "8 P" SEVENTY "x :a", "UIDL of 71 octets" },
	{ UIDLIST, { HEADER }, "8 P. :a", "UIDL is a single dot" },
	{ UIDLIST, { HEADER }, "8 P\x80 :a", "octet 0x80 at position 1" },
	{ UIDLIST, { HEADER }, "8 P :a b", "octet 0x20 at position 2" },
};

static void test_parse_errors(void)
{
	struct pop3_uidl_entry entry = untouched;
	const char *error;
	unsigned int i;

	test_begin("uidl text: errors");
	for (i = 0; i < N_ELEMENTS(bad_tests); i++) {
		error = "";
		test_assert_idx(parse_after(bad_tests[i].format,
			bad_tests[i].before, N_ELEMENTS(bad_tests[i].before),
			bad_tests[i].line, &entry, &error) == -1, i);
		test_assert_idx(strstr(error, bad_tests[i].error) != NULL, i);
		test_assert_idx(strstr(error, "expected") != NULL, i);
		test_assert_idx(is_untouched(&entry), i);
	}
	test_end();
}

static const struct {
	enum pop3_uidl_text_format format;
	struct pop3_uidl_text_message message;
	const char *line;
} print_tests[] = {
	{ MSGNO, { 7, 0, 0, NULL, "0000000a5f3b" }, "7 0000000a5f3b\n" },
	{ MSGNO, { UINT32_MAX, 1, 1, "a", SEVENTY },
	  "4294967295 " SEVENTY "\n" },
	{ COURIER, { 0, 0, 2048, "1118.M1.host,S=5", "UID17-1118789000" },
	  "1118.M1.host,S=5 2048 17:1118789000:0\n" },
	{ COURIER, { 0, 0, UINT64_MAX, "a",
		     "UID18446744073709551615-18446744073709551615" },
	  "a 18446744073709551615 18446744073709551615:"
	  "18446744073709551615:0\n" },
	{ COURIER, { 0, 0, 1, "a b", "UID17" }, "a b 1 17:0:0\n" },
	{ COURIER, { 0, 0, 1, "1118.M1.host", "1118.M1.host" },
	  "1118.M1.host 1 0:0:0\n" },
	{ COURIER, { 0, 0, 1, "a'\xff", "a+27+FF" }, "a'\xff 1 0:0:0\n" },
	{ COURIER, { 0, 0, 1, "UID0", "UID0" }, "UID0 1 0:0:0\n" },
	{ COURIER, { 0, 0, 1, "UID1-2-3", "UID1-2-3" },
	  "UID1-2-3 1 0:0:0\n" },
	{ COURIER, { 0, 0, 1, "UID9", "UID1-2" }, "UID9 1 1:2:0\n" },
	{ UIDLIST, { 0, 8, 0, "1118.M1.host", "0000000a5f3b" },
	  "8 P0000000a5f3b :1118.M1.host\n" },
	{ UIDLIST, { 9, 8, 2048, "1118.M1.host,S=5", "1118.M1.host,S=5" },
	  "8 P :1118.M1.host,S=5\n" },
	{ UIDLIST, { 0, 4294967294U, 0, "a b", ":x" },
	  "4294967294 P:x :a b\n" },
};

static void test_print(void)
{
	static const char *const headers[POP3_UIDL_TEXT_FORMAT_COUNT] = {
		[COURIER] = V3,
		[UIDLIST] = HEADER,
	};
	struct pop3_uidl_entry entry;
	string_t *str = t_str_new(128);
	const char *error, *line;
	unsigned int i;

	test_begin("uidl text: print, and parse what was printed");
	for (i = 0; i < N_ELEMENTS(print_tests); i++) {
		const struct pop3_uidl_text_message *message =
			&print_tests[i].message;
		enum pop3_uidl_text_format format = print_tests[i].format;

		str_truncate(str, 0);
		str_append(str, "x");
		test_assert_idx(pop3_uidl_text_print(str, format, message,
						     &error) == 0, i);
		test_assert_strcmp_idx(str_c(str) + 1, print_tests[i].line, i);
		line = t_strcut(str_c(str) + 1, '\n');
		test_assert_idx(parse_after(format, &headers[format], 1, line,
					    &entry, &error) == 1, i);
		if (test_has_failed())
			break;
		test_assert_strcmp_idx(entry.uidl, message->uidl, i);
		if (format == MSGNO)
			test_assert_idx(entry.msgno == message->msgno, i);
		else
			test_assert_strcmp_idx(entry.filename,
					       message->filename, i);
	}
	test_end();
}

static const struct {
	enum pop3_uidl_text_format format;
	struct pop3_uidl_text_message message;
	const char *error;
} unprintable_tests[] = {
	{ MSGNO, { 0, 1, 1, "a", "x" }, "message has no number" },
	{ MSGNO, { 1, 1, 1, "a", "x\ny" }, "octet 0x0a at position 2" },
	{ MSGNO, { 1, 1, 1, "a", "" }, "UIDL of 0 octets" },
	{ COURIER, { 1, 1, 1, NULL, "UID1-2" }, "message has no file name" },
	{ COURIER, { 1, 1, 1, "a/b", "UID1-2" }, BAD_NAME "\"a/b\"" },
	{ COURIER, { 1, 1, 1, "a:2,S", "UID1-2" }, BAD_NAME "\"a:2,S\"" },
	{ COURIER, { 1, 1, 1, "a\nb", "UID1-2" }, BAD_NAME "\"a?b\"" },
	{ COURIER, { 1, 1, 1, "a", "0000000a5f3b" },
	  "UIDL \"0000000a5f3b\" is none of Courier's" },
	{ COURIER, { 1, 1, 1, "a", "b" }, "is none of Courier's" },
	{ COURIER, { 1, 1, 1, "a+", "a+" }, "is none of Courier's" },
	{ COURIER, { 1, 1, 1, "a", "UID" }, "is none of Courier's" },
	{ COURIER, { 1, 1, 1, "a", "UID0" }, "is none of Courier's" },
	{ COURIER, { 1, 1, 1, "a", "UID01-2" }, "is none of Courier's" },
	{ COURIER, { 1, 1, 1, "a", "UID1-02" }, "is none of Courier's" },
	{ COURIER, { 1, 1, 1, "a", "UID1-0" }, "is none of Courier's" },
	{ COURIER, { 1, 1, 1, "a", "UID0-1" }, "is none of Courier's" },
	{ COURIER, { 1, 1, 1, "a", "UID1-" }, "is none of Courier's" },
	{ COURIER, { 1, 1, 1, "a", "UID1-x" }, "is none of Courier's" },
	{ COURIER, { 1, 1, 1, "a", "UID1-2-3" }, "is none of Courier's" },
	{ COURIER, { 1, 1, 1, "a", "UID1:2" }, "is none of Courier's" },
	{ COURIER, { 1, 1, 1, "a", "uid1-2" }, "is none of Courier's" },
	{ COURIER, { 1, 1, 1, "a", "UID18446744073709551616" },
	  "is none of Courier's" },
	{ UIDLIST, { 1, 0, 1, "a", "x" }, "bad UID 0, expected 1 to "
	  "4294967294" },
	{ UIDLIST, { 1, UINT32_MAX, 1, "a", "x" }, "bad UID 4294967295" },
	{ UIDLIST, { 1, 1, 1, NULL, "x" }, "message has no file name" },
	{ UIDLIST, { 1, 1, 1, "", "x" }, BAD_NAME "\"\"" },
	{ UIDLIST, { 1, 1, 1, ".a", "x" }, BAD_NAME "\".a\"" },
	{ UIDLIST, { 1, 1, 1, "a", "x y" }, "octet 0x20 at position 2" },
};

static void test_print_errors(void)
{
	string_t *str = t_str_new(128);
	const char *error;
	unsigned int i;

	test_begin("uidl text: what cannot be printed");
	str_append(str, "x");
	for (i = 0; i < N_ELEMENTS(unprintable_tests); i++) {
		error = "";
		test_assert_idx(pop3_uidl_text_print(str,
			unprintable_tests[i].format,
			&unprintable_tests[i].message, &error) == -1, i);
		test_assert_idx(strstr(error, unprintable_tests[i].error) !=
				NULL, i);
		test_assert_idx(strstr(error, "expected") != NULL, i);
		test_assert_strcmp_idx(str_c(str), "x", i);
	}
	test_end();
}

static void test_print_begin(void)
{
	static const char *const expected[POP3_UIDL_TEXT_FORMAT_COUNT] = {
		[MSGNO] = "",
		[COURIER] = "/3 9 1764076844\n",
		[UIDLIST] = HEADER "\n",
	};
	struct pop3_uidl_text_mailbox mailbox = {
		.uidvalidity = 1764076844,
		.uidnext = 9,
	};
	struct pop3_uidl_entry entry;
	string_t *str = t_str_new(128);
	const char *error;
	enum pop3_uidl_text_format format;

	test_begin("uidl text: first line");
	test_assert(guid_128_from_string("5e0b7a2c9f1d4e3388aa0011bbccddee",
					 mailbox.guid) == 0);
	for (format = 0; format < POP3_UIDL_TEXT_FORMAT_COUNT; format++) {
		str_truncate(str, 0);
		pop3_uidl_text_print_begin(str, format, &mailbox);
		test_assert_strcmp_idx(str_c(str), expected[format], format);
		test_assert_idx(parse_after(format, NULL, 0,
			t_strcut(str_c(str), '\n'), &entry, &error) == 0,
			format);
	}
	guid_128_empty(mailbox.guid);
	str_truncate(str, 0);
	pop3_uidl_text_print_begin(str, UIDLIST, &mailbox);
	test_assert_strcmp(str_c(str), "3 V1764076844 N9\n");
	test_end();
}

static void test_format_parse(void)
{
	static const char *const names[POP3_UIDL_TEXT_FORMAT_COUNT] = {
		[MSGNO] = "msgno",
		[COURIER] = "courier",
		[UIDLIST] = "uidlist",
	};
	enum pop3_uidl_text_format format;
	unsigned int i;

	test_begin("uidl text: names of formats");
	for (i = 0; i < N_ELEMENTS(names); i++) {
		test_assert_idx(pop3_uidl_text_format_parse(names[i],
							    &format) == 0, i);
		test_assert_idx(format == i, i);
	}
	format = UIDLIST;
	test_assert(pop3_uidl_text_format_parse("", &format) == -1);
	test_assert(pop3_uidl_text_format_parse("MSGNO", &format) == -1);
	test_assert(pop3_uidl_text_format_parse("couriers", &format) == -1);
	test_assert(format == UIDLIST);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_parse,
		test_parse_errors,
		test_print,
		test_print_errors,
		test_print_begin,
		test_format_parse,
		NULL
	};
	return test_run(test_functions);
}
