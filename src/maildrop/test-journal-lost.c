/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "strnum.h"
#include "test-common.h"
#include "epoch.h"
#include "journal.h"
#include "journal-lost.h"
#include "test-mailbox.h"

#include <time.h>

static pool_t pool;

/* What the state knows of UID 7. */
static void epoch_init(struct policy_epoch *epoch_r, bool downloaded,
		       const char *devices)
{
	const struct policy_epoch empty = { .uidl_format = "" };
	const char *const *names = t_strsplit_spaces(devices, " ");

	policy_epoch_copy(pool, &empty, epoch_r);
	seq_range_array_add(&epoch_r->downloaded, downloaded ? 7 : 8);
	policy_epoch_device_add(pool, epoch_r, "other", 6);
	for (; *names != NULL; names++)
		policy_epoch_device_add(pool, epoch_r, *names, 7);
}

/* "0 phone laptop": the first download, and devices that have one at 5. */
static struct pop3_message parse_line(const char *text)
{
	const char *const *words = t_strsplit_spaces(text, " ");
	struct pop3_message line = {
		.uid = 7, .guid = "", .hash = "", .uidl = "u"
	};

	if (str_to_time(*words, &line.downloaded) < 0)
		i_fatal("%s is not a time", *words);
	while (*++words != NULL)
		pop3_message_add_device(pool, &line, *words, 5);
	return line;
}

static const struct lost_test {
	bool downloaded, lacks;
	const char *devices;
	/* NULL if there is none */
	const char *line;
	/* after it was restored: NOW stands for later times than these */
	const char *restored;
} tests[] = {
	{ FALSE, FALSE, "", NULL, NULL },
	{ FALSE, FALSE, "", "0", "0" },
	{ FALSE, FALSE, "", "5", "5" },
	{ FALSE, FALSE, "", "5 phone", "5 phone=5" },
	{ TRUE, TRUE, "", NULL, NULL },
	{ TRUE, TRUE, "", "0", "NOW" },
	{ TRUE, FALSE, "", "5", "5" },
	{ TRUE, TRUE, "phone", NULL, NULL },
	{ TRUE, TRUE, "phone", "0", "NOW phone=NOW" },
	{ TRUE, TRUE, "phone", "5", "5 phone=NOW" },
	{ TRUE, FALSE, "phone", "5 phone", "5 phone=5" },
	{ TRUE, TRUE, "phone", "5 laptop", "5 laptop=5 phone=NOW" },
	{ TRUE, TRUE, "phone laptop", "5 phone", "5 phone=5 laptop=NOW" },
	{ TRUE, FALSE, "phone laptop", "5 laptop phone",
	  "5 laptop=5 phone=5" },
	/* no room for more */
	{ TRUE, FALSE, "phone", "5 a b c d e f g h i j k l m n o p",
	  "5 a=5 b=5 c=5 d=5 e=5 f=5 g=5 h=5 i=5 j=5 k=5 l=5 m=5 n=5 o=5 "
	  "p=5" },
	{ TRUE, TRUE, "phone", "5 a b c d e f g h i j k l m n o",
	  "5 a=5 b=5 c=5 d=5 e=5 f=5 g=5 h=5 i=5 j=5 k=5 l=5 m=5 n=5 o=5 "
	  "phone=NOW" },
	{ FALSE, TRUE, "phone", NULL, NULL },
	{ FALSE, TRUE, "phone", "0", "NOW phone=NOW" },
	{ TRUE, TRUE, "phone", "0 phone", "NOW phone=5" },
};

static void test_lacks(void)
{
	struct policy_epoch epoch;
	struct pop3_message line;
	unsigned int i;

	test_begin("journal lost: what a line lacks");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		const struct lost_test *test = &tests[i];

		epoch_init(&epoch, test->downloaded, test->devices);
		if (test->line != NULL)
			line = parse_line(test->line);
		test_assert_idx(journal_line_lacks_downloads(&epoch, 7,
			test->line == NULL ? NULL : &line) == test->lacks, i);
	} T_END;
	test_end();
}

static void test_has_lost_lines(void)
{
	static const struct {
		struct policy_journal journal;
		uint32_t counted;
		bool journal_lost, lost;
	} losses[] = {
		{ { .lines = 0 }, 0, FALSE, FALSE },
		{ { .lines = 5 }, 5, FALSE, FALSE },
		/* appended just before a crash */
		{ { .lines = 6 }, 5, FALSE, FALSE },
		{ { .lines = 4 }, 5, FALSE, TRUE },
		{ { .lines = 5, .damaged = 1 }, 5, FALSE, TRUE },
		{ { .lines = 5, .torn = TRUE }, 5, FALSE, TRUE },
		/* and not all of them have new ones yet */
		{ { .lines = 5 }, 5, TRUE, TRUE },
	};
	struct policy_epoch epoch;
	unsigned int i;

	test_begin("journal lost: whether lines are");
	for (i = 0; i < N_ELEMENTS(losses); i++) {
		epoch_init(&epoch, FALSE, "");
		epoch.journal_lines = losses[i].counted;
		epoch.journal_lost = losses[i].journal_lost;
		test_assert_idx(journal_has_lost_lines(&epoch,
						       &losses[i].journal) ==
				losses[i].lost, i);
	}
	test_assert(journal_has_lost_lines(&epoch, NULL));
	test_end();
}

static const char *time_text(time_t t, time_t now)
{
	return t >= now ? "NOW" : dec2str(t);
}

static const char *print_line(const struct pop3_message *line, time_t now)
{
	const struct pop3_message_device *device = line->devices;
	string_t *text = t_str_new(64);

	str_append(text, time_text(line->downloaded, now));
	for (; device != NULL && device->name != NULL; device++) {
		str_printfa(text, " %s=%s", device->name,
			    time_text(device->downloaded, now));
	}
	return str_c(text);
}

/* checked is when retention was last looked at. */
static void
restore(const struct lost_test *test, time_t checked, unsigned int i)
{
	struct policy_epoch epoch;
	struct pop3_message line = parse_line(test->line);
	time_t now = I_MAX(time(NULL), checked);

	epoch_init(&epoch, test->downloaded, test->devices);
	epoch.retention.checked = checked;
	journal_line_restore(pool, &epoch, &line);
	test_assert_strcmp_idx(print_line(&line, now), test->restored, i);
	test_assert_idx(!journal_line_lacks_downloads(&epoch, 7, &line), i);
	test_assert_idx(test->lacks ?
			epoch.retention.oldest_downloaded >= now :
			epoch.retention.oldest_downloaded == 0, i);
	test_assert_idx(seq_range_exists(&epoch.downloaded, 7) ||
			line.downloaded == 0 || !test->lacks, i);
}

static void test_restore(void)
{
	unsigned int i;

	test_begin("journal lost: what is written anew");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		if (tests[i].restored != NULL) {
			restore(&tests[i], 0, i);
			/* the clock has gone back since */
			restore(&tests[i], time(NULL) + 100000, i);
		}
	} T_END;
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_lacks,
		test_has_lost_lines,
		test_restore,
		NULL
	};
	int ret;

	pool = pool_alloconly_create("test journal lost", 4096);
	ret = test_run(test_functions);
	pool_unref(&pool);
	return ret;
}
