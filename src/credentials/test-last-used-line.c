/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "credential.h"
#include "last-used-line.h"

#define TEN "1234567890"
#define FIFTY TEN TEN TEN TEN TEN
#define NAME_255 FIFTY FIFTY FIFTY FIFTY FIFTY "12345"

/* A copy of just that size: valgrind and ASan see who reads on. */
static int parse(const char *text, size_t size, struct last_used_line *line_r,
		 const char **error_r)
{
	void *copy = i_memdup(text, I_MAX(size, 1));
	int ret;

	ret = last_used_line_parse(copy, size, line_r, error_r);
	i_free(copy);
	return ret;
}

static const char *show(const struct last_used_line *line)
{
	return t_strdup_printf("%s %s@%"PRIdTIME_T"/%s", line->user, line->id,
		line->time,
		line->ip.family == 0 ? "" : net_ip2addr(&line->ip));
}

static void test_print(void)
{
	static const struct {
		const char *user, *id;
		time_t time;
		const char *address, *text;
	} tests[] = {
		{ "jane", "k7qmx3", 1795446000, "192.0.2.1",
		  "{\"user\":\"jane\",\"id\":\"k7qmx3\",\"time\":1795446000,"
		  "\"address\":\"192.0.2.1\"}\n" },
		{ "jane@example.org", "", 1, "2001:DB8:0::1",
		  "{\"user\":\"jane@example.org\",\"id\":\"\",\"time\":1,"
		  "\"address\":\"2001:db8::1\"}\n" },
		{ "a\"b\\c\xc3\xa9", "", 0, "",
		  "{\"user\":\"a\\\"b\\\\c\xc3\xa9\",\"id\":\"\",\"time\":0}"
		  "\n" },
		{ NAME_255, "abcdef", 0, "",
		  "{\"user\":\""NAME_255"\",\"id\":\"abcdef\",\"time\":0}\n" },
	};
	struct last_used_line line;
	const char *error;
	string_t *text = t_str_new(512);
	unsigned int i;

	test_begin("last used: print a line, and read it back");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		i_zero(&line);
		line.user = tests[i].user;
		line.id = tests[i].id;
		line.time = tests[i].time;
		test_assert_idx(last_used_address_parse(tests[i].address,
							&line.ip, &error) == 0,
				i);
		test_assert_idx(last_used_line_is_valid(&line, &error), i);
		str_truncate(text, 0);
		str_append(text, "before");
		last_used_line_print(text, &line);
		test_assert_strcmp_idx(str_c(text),
				       t_strconcat("before", tests[i].text,
						   NULL), i);
		test_assert_idx(parse(tests[i].text, strlen(tests[i].text) - 1,
				      &line, &error) == 0, i);
		test_assert_strcmp_idx(line.user, tests[i].user, i);
		test_assert_strcmp_idx(line.id, tests[i].id, i);
		test_assert_idx(line.time == tests[i].time, i);
	} T_END;
	test_end();
}

static void test_parse(void)
{
	static const struct {
		const char *text, *result;
	} tests[] = {
		{ "{\"user\":\"j\",\"id\":\"\",\"time\":5,"
		  "\"address\":\"2001:db8::1\"}", "j @5/2001:db8::1" },
		{ " { \"time\" : 5, \"new\" : [{}], \"user\" : \"\\u0041\" }\r",
		  "A @5/" },
		{ "{\"user\":\"j\",\"time\":9223372036854775807}",
		  "j @9223372036854775807/" },
		{ "{\"user\":\"j\",\"time\":5,\"address\":\"\"}", "j @5/" },

		{ "", NULL },
		{ "x", NULL },
		{ "[]", NULL },
		{ "5", NULL },
		{ "{}", NULL },
		{ "{\"user\":\"j\",\"id\":\"\",\"tim", NULL },
		{ "{\"user\":\"j\",\"time\":5}{\"user\":\"j\",\"time\":5}",
		  NULL },
		{ "{\"user\":\"j\",\"user\":\"j\",\"time\":5}", NULL },
		{ "{\"time\":5}", NULL },
		{ "{\"user\":5,\"time\":5}", NULL },
		{ "{\"user\":\"\",\"time\":5}", NULL },
		{ "{\"user\":\"a\\nb\",\"time\":5}", NULL },
		{ "{\"user\":\"a\\u0000b\",\"time\":5}", NULL },
		{ "{\"user\":\"\xff\",\"time\":5}", NULL },
		{ "{\"user\":\""NAME_255"6\",\"time\":5}", NULL },
		{ "{\"user\":\"j\"}", NULL },
		{ "{\"user\":\"j\",\"time\":-1}", NULL },
		{ "{\"user\":\"j\",\"time\":1.5}", NULL },
		{ "{\"user\":\"j\",\"time\":\"1\"}", NULL },
		{ "{\"user\":\"j\",\"time\":9223372036854775808}", NULL },
		{ "{\"user\":\"j\",\"time\":5,\"id\":5}", NULL },
		{ "{\"user\":\"j\",\"time\":5,\"id\":\"abcde\"}", NULL },
		{ "{\"user\":\"j\",\"time\":5,\"id\":\"abcdefg\"}", NULL },
		{ "{\"user\":\"j\",\"time\":5,\"id\":\"abcde1\"}", NULL },
		{ "{\"user\":\"j\",\"time\":5,\"address\":5}", NULL },
		{ "{\"user\":\"j\",\"time\":5,\"address\":\"host\"}", NULL },
		{ "{\"user\":\"j\",\"time\":5,\"address\":\""FIFTY FIFTY"\"}",
		  NULL },
	};
	struct last_used_line line;
	const char *error;
	unsigned int i;
	int ret;

	test_begin("last used: read lines");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		error = NULL;
		i_zero(&line);
		ret = parse(tests[i].text, strlen(tests[i].text), &line,
			    &error);
		if (tests[i].result != NULL) {
			test_assert_idx(ret == 0, i);
			if (ret == 0) {
				test_assert_strcmp_idx(show(&line),
						       tests[i].result, i);
			}
		} else {
			test_assert_idx(ret < 0, i);
			test_assert_idx(error != NULL, i);
			test_assert_idx(line.user == NULL, i);
		}
	} T_END;
	test_end();
}

static void test_size(void)
{
	static const char *const text = "{\"user\":\"j\",\"time\":5}";
	string_t *line = t_str_new(LAST_USED_LINE_MAX_SIZE + 1);
	struct last_used_line result;
	const char *error = NULL;

	test_begin("last used: the shortest line, and one that is too long");
	test_assert(strlen(text) == LAST_USED_LINE_MIN_SIZE);
	str_append(line, text);
	while (str_len(line) < LAST_USED_LINE_MAX_SIZE)
		str_append_c(line, ' ');
	test_assert(parse(str_c(line), str_len(line), &result, &error) == 0);
	str_append_c(line, ' ');
	test_assert(parse(str_c(line), str_len(line), &result, &error) < 0);
	test_assert_strcmp(error, "4097 octets, expected at most 4096");
	test_end();
}

static void test_invalid(void)
{
	static const struct {
		const char *user, *id, *error;
	} tests[] = {
		{ "", "", "user is empty, expected 1 to 255 octets" },
		{ "a\nb", "", "user has a control character, expected UTF-8 "
		  "without control characters" },
		{ NAME_255"6", "", "user has 256 octets, expected at most "
		  "255" },
	};
	struct last_used_line line;
	struct ip_addr ip;
	const char *error;
	unsigned int i;

	test_begin("last used: what may not stand in a line");
	i_zero(&line);
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		line.user = tests[i].user;
		line.id = tests[i].id;
		error = NULL;
		test_assert_idx(!last_used_line_is_valid(&line, &error), i);
		test_assert_strcmp_idx(error, tests[i].error, i);
	}
	line.user = "jane";
	line.id = "\"";
	error = NULL;
	test_assert(!last_used_line_is_valid(&line, &error));
	test_assert(error != NULL && strncmp(error, "id ", 3) == 0);
	error = NULL;
	test_assert(last_used_address_parse("192.0.2.1:5", &ip, &error) < 0);
	test_assert_strcmp(error, "address is not one of IPv4 or IPv6");
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_print,
		test_parse,
		test_size,
		test_invalid,
		NULL
	};
	return test_run(test_functions);
}
