/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "strnum.h"
#include "test-common.h"
#include "device-names.h"
#include "message.h"

static pool_t pool;

/* "5 phone=7 laptop=9": the first download, and those of devices. */
static struct pop3_message parse(const char *text)
{
	struct pop3_message message = { .guid = "g", .hash = "h", .uidl = "u" };
	const char *const *words = t_strsplit_spaces(text, " ");
	time_t downloaded;

	if (*words != NULL && str_to_time(*words, &message.downloaded) < 0)
		i_fatal("%s is not a time", *words);
	for (; *words != NULL; words++) {
		const char *value = strchr(*words, '=');

		if (value == NULL)
			continue;
		if (str_to_time(value + 1, &downloaded) < 0)
			i_fatal("%s is not a time", value + 1);
		pop3_message_add_device(pool, &message,
					t_strdup_until(*words, value),
					downloaded);
	}
	return message;
}

static const char *print(const struct pop3_message *message)
{
	string_t *text = t_str_new(64);
	const struct pop3_message_device *device;

	str_printfa(text, "%"PRIdTIME_T, message->downloaded);
	for (device = message->devices; device != NULL && device->name != NULL;
	     device++) {
		str_printfa(text, " %s=%"PRIdTIME_T, device->name,
			    device->downloaded);
	}
	return str_c(text);
}

static void test_news(void)
{
	static const struct {
		const char *known, *news, *result;
	} tests[] = {
		{ "0", "0", "0" },
		{ "0", "5", "5" },
		{ "5", "0", "5" },
		/* the first one stands, also if a clock went back */
		{ "5", "9", "5" },
		{ "9", "5", "9" },
		{ "5", "9 phone=9", "5 phone=9" },
		{ "5 phone=5", "0", "5 phone=5" },
		{ "5 phone=5", "9 phone=9", "5 phone=5" },
		{ "5 phone=5", "9 laptop=9", "5 phone=5 laptop=9" },
		{ "5 a=5 b=6", "9 c=9 b=9 d=8", "5 a=5 b=6 c=9 d=8" },
		{ "0", "9 a=1 b=2", "9 a=1 b=2" },
	};
	struct pop3_message message, news;
	unsigned int i;

	test_begin("message: news");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		message = parse(tests[i].known);
		news = parse(tests[i].news);
		message.uid = 7;
		news.uid = 8;
		news.size = 9;
		news.uidl = "new";
		pop3_message_add_news(pool, &message, &news);
		test_assert_strcmp_idx(print(&message), tests[i].result, i);
		test_assert_idx(message.uid == 8 && message.size == 9, i);
		test_assert_strcmp_idx(message.uidl, "new", i);
		test_assert_strcmp_idx(print(&news), tests[i].news, i);
	}
	test_end();
}

static void test_downloaded_by(void)
{
	static const struct {
		const char *message, *names;
		time_t downloaded;
	} tests[] = {
		{ "0", "", 0 },
		{ "5", "", 5 },
		{ "5 phone=5 laptop=9", "", 5 },
		{ "5", "phone", 0 },
		{ "5 phone=6", "phone", 6 },
		{ "5 phone=6", "Phone", 0 },
		{ "5 phone=6", "phon", 0 },
		{ "5 phone=6", "phone laptop", 0 },
		{ "5 phone=6", "laptop phone", 0 },
		{ "5 phone=6 laptop=9", "phone", 6 },
		{ "5 phone=6 laptop=9", "phone laptop", 9 },
		{ "5 phone=6 laptop=9", "laptop phone", 9 },
		/* a third one is not special */
		{ "5 phone=6 tablet=20 laptop=9", "laptop phone", 9 },
	};
	struct pop3_message message;
	unsigned int i;

	test_begin("message: downloaded by all of some devices");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		message = parse(tests[i].message);
		test_assert_idx(pop3_message_downloaded_by(&message,
			t_strsplit_spaces(tests[i].names, " ")) ==
			tests[i].downloaded, i);
	}
	test_end();
}

static void test_too_many(void)
{
	struct pop3_message message = parse("100");
	unsigned int i;

	test_begin("message: too many devices");
	for (i = 0; i < POP3_DEVICES_MAX; i++) {
		pop3_message_add_device(pool, &message,
			t_strdup_printf("d%u", i), i == 3 ? 1 : 100 + i);
	}
	test_assert(pop3_message_devices_count(&message) == POP3_DEVICES_MAX);
	pop3_message_add_device(pool, &message, "d5", 900);
	test_assert(pop3_message_device_downloaded(&message, "d5") == 105);
	pop3_message_add_device(pool, &message, "new", 900);
	test_assert(pop3_message_devices_count(&message) == POP3_DEVICES_MAX);
	test_assert(pop3_message_device_downloaded(&message, "new") == 900);
	test_assert(pop3_message_device_downloaded(&message, "d3") == 0);
	for (i = 0; i < POP3_DEVICES_MAX; i++) {
		test_assert_idx(i == 3 || pop3_message_device_downloaded(
			&message, t_strdup_printf("d%u", i)) ==
			(time_t)(100 + i), i);
	}
	test_end();
}

static void test_copy(void)
{
	struct pop3_message copy;
	pool_t other = pool_alloconly_create("other", 1024);

	test_begin("message: copy");
	T_BEGIN {
		struct pop3_message message = {
			.uid = 1, .size = 2, .guid = t_strdup("g"),
			.hash = t_strdup("h"), .uidl = t_strdup("u"),
			.downloaded = 3, .gone = 4,
		};

		pop3_message_add_device(other, &message, "phone", 5);
		pop3_message_copy(pool, &message, &copy);
	} T_END;
	pool_unref(&other);
	test_assert(copy.uid == 1 && copy.size == 2 && copy.gone == 4);
	test_assert_strcmp(copy.guid, "g");
	test_assert_strcmp(copy.hash, "h");
	test_assert_strcmp(copy.uidl, "u");
	test_assert_strcmp(print(&copy), "3 phone=5");
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_news,
		test_downloaded_by,
		test_too_many,
		test_copy,
		NULL
	};
	int ret;

	pool = pool_alloconly_create("test message", 4096);
	ret = test_run(test_functions);
	pool_unref(&pool);
	return ret;
}
