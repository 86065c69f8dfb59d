/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "strnum.h"
#include "test-common.h"
#include "epoch.h"
#include "compact.h"
#include "test-mailbox.h"

#define NOW ((time_t)1700000000)
/* NOW - 90 days */
#define KEPT "1692224000"
#define DEAD "1692223999"

static time_t parse_time(const char *word)
{
	time_t t;

	if (str_to_time(word, &t) < 0)
		i_fatal("%s is not a time", word);
	return t;
}

/* Messages such as "7=a+100 0=b-200": UID, UIDL, the times when it was
   downloaded and gone. Each has a size of its own. */
static const ARRAY_TYPE(pop3_message) *parse_messages(const char *text)
{
	ARRAY_TYPE(pop3_message) *messages = t_new(ARRAY_TYPE(pop3_message), 1);
	const char *const *words = t_strsplit_spaces(text, " ");

	t_array_init(messages, 8);
	for (; *words != NULL; words++) {
		struct pop3_message *message = array_append_space(messages);
		const char *uidl, *time;

		if (str_parse_uint32(*words, &message->uid, &uidl) < 0)
			i_fatal("%s is not a message", *words);
		message->guid = message->hash = "";
		message->uidl = t_strcut(t_strcut(uidl + 1, '+'), '-');
		message->size = (unsigned char)message->uidl[0];
		if ((time = strchr(*words, '+')) != NULL)
			message->downloaded = parse_time(t_strcut(time + 1, '-'));
		if ((time = strchr(*words, '-')) != NULL)
			message->gone = parse_time(time + 1);
	}
	return messages;
}

static const char *messages_text(const ARRAY_TYPE(pop3_message) *messages)
{
	const struct pop3_message *message;
	string_t *text = t_str_new(128);

	array_foreach(messages, message) {
		str_printfa(text, "%s%u=%s", str_len(text) == 0 ? "" : " ",
			    message->uid, message->uidl);
		if (message->downloaded != 0)
			str_printfa(text, "+%s", dec2str(message->downloaded));
		if (message->gone != 0)
			str_printfa(text, "-%s", dec2str(message->gone));
		test_assert(message->size == (unsigned char)message->uidl[0]);
	}
	return str_c(text);
}

/* More than half, and more than a few. */
static void test_stale(void)
{
	static const struct {
		const char *mailbox, *recorded;
		uint32_t uidnext, gone, lines;
		unsigned int added;
		bool stale;
	} tests[] = {
		/* nothing lives */
		{ "", "", 1, 0, 0, 0, FALSE },
		{ "", "", 1, 0, 64, 0, FALSE },
		{ "", "", 1, 0, 65, 0, TRUE },
		{ "", "", 1, 0, 0, 65, TRUE },
		{ "", "1:100", 101, 0, 65, 0, TRUE },
		/* 30 that are there and 6 that are gone live */
		{ "1:30", "1:30", 31, 6, 136, 0, FALSE },
		{ "1:30", "1:30", 31, 6, 137, 0, TRUE },
		{ "1:30", "1:30", 31, 6, 36, 100, FALSE },
		{ "1:30", "1:30", 31, 6, 36, 101, TRUE },
		{ "1:30", "1:30", 31, 5, 136, 0, TRUE },
		{ "2:30", "1:30", 31, 6, 136, 0, TRUE },
		{ "1:30", "2:30", 31, 6, 136, 0, TRUE },
		{ "1:30", "1:30", 30, 6, 136, 0, TRUE },
		/* counts that are wrong */
		{ "1:30", "1:30", 31, 0, 29, 0, FALSE },
		{ "1:30", "1:30", 31, 4000000000U, 100, 0, FALSE },
		{ "1:30", "1:30", 31, 0, 4294967295U, 0, TRUE },
	};
	struct policy_epoch epoch;
	struct maildrop drop;
	unsigned int i;

	test_begin("compact: when it is worth it");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		test_maildrop_init(&drop, test_uids(tests[i].mailbox), 101);
		i_zero(&epoch);
		epoch.uidnext = tests[i].uidnext;
		epoch.journal_gone = tests[i].gone;
		epoch.journal_lines = tests[i].lines;
		epoch.recorded = *test_uids(tests[i].recorded);
		test_assert_idx(maildrop_journal_is_stale(&drop, &epoch,
							  tests[i].added) ==
				tests[i].stale, i);
	}
	test_end();
}

static void test_compact(void)
{
	static const struct {
		const char *mailbox, *messages, *news, *result;
		uint32_t gone;
	} tests[] = {
		{ "", "", "", "", 0 },
		{ "1:9", "", "", "", 0 },
		/* in the order of the journal, not of the UIDs */
		{ "1:9", "7=a 8=b 3=c", "", "7=a 8=b 3=c", 0 },
		{ "1:9", "7=a", "9=b 8=c", "7=a 9=b 8=c", 0 },
		{ "4294967294", "4294967294=a", "4294967294=b",
		  "4294967294=b", 0 },
		/* messages that were expunged */
		{ "8", "7=a 8=b 9=c", "", "8=b", 0 },
		{ "", "7=a 8=b", "", "", 0 },
		{ "6,8", "7=a+5", "", "", 0 },
		/* messages that are gone */
		{ "", "0=a-" KEPT, "", "0=a-" KEPT, 1 },
		{ "", "0=a-" DEAD, "", "", 0 },
		{ "", "0=a-1700000000 0=b-" DEAD " 0=c-" KEPT, "",
		  "0=a-1700000000 0=c-" KEPT, 2 },
		/* the clock went back */
		{ "", "0=a-1700000001", "", "0=a-1700000001", 1 },
		{ "", "0=a-9000000000", "", "0=a-9000000000", 1 },
		/* when they went is not known */
		{ "", "0=a", "", "", 0 },
		{ "1:9", "0=a-" KEPT " 7=b 0=c-" DEAD " 8=d", "",
		  "0=a-" KEPT " 7=b 8=d", 1 },
		/* news about known messages */
		{ "1:9", "7=a 8=b 9=c", "8=x", "7=a 8=x 9=c", 0 },
		{ "1:9", "7=a 8=b 9=c", "9=x 7=y", "7=y 8=b 9=x", 0 },
		{ "1:9", "7=a 8=b", "8=x 6=y 7=z 5=w", "7=z 8=x 6=y 5=w", 0 },
		{ "1:9", "7=a", "7=x 7=y", "7=y", 0 },
		/* the first download stands */
		{ "1:9", "7=a+100", "7=a+200", "7=a+100", 0 },
		{ "1:9", "7=a+100", "7=x", "7=x+100", 0 },
		{ "1:9", "7=a", "7=a+200", "7=a+200", 0 },
		{ "1:9", "7=a", "7=a+200 7=b+100", "7=b+200", 0 },
		{ "1:9", "7=a+200", "7=a+100", "7=a+200", 0 },
		/* one that is gone has no news */
		{ "1:9", "0=a-" KEPT, "7=a+100", "0=a-" KEPT " 7=a+100", 1 },
		/* one that was expunged has, if they are told */
		{ "8", "7=a+100", "7=x", "7=x", 0 },
	};
	ARRAY_TYPE(pop3_message) dest;
	struct policy_epoch epoch;
	struct maildrop drop;
	unsigned int i;

	test_begin("compact: what is left");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		test_maildrop_init(&drop, test_uids(tests[i].mailbox), 10);
		i_zero(&epoch);
		t_array_init(&epoch.recorded, 1);
		epoch.journal_gone = epoch.journal_lines = 77;
		t_array_init(&dest, 1);
		maildrop_journal_compact(&drop, pool_datastack_create(),
					 parse_messages(tests[i].messages),
					 parse_messages(tests[i].news), NOW,
					 &epoch, &dest);
		test_assert_strcmp_idx(messages_text(&dest), tests[i].result,
				       i);
		test_assert_idx(epoch.journal_gone == tests[i].gone, i);
		test_assert_idx(epoch.journal_lines == array_count(&dest), i);
	} T_END;
	test_end();
}

/* Lines of messages that the maildrop had not come to, as somebody else has
   listed it since. */
static void test_newer(void)
{
	static const struct {
		uint32_t uidnext;
		const char *recorded, *result;
	} tests[] = {
		{ 10, "1:9", "8=a" },
		{ 11, "1:9", "8=a 10=d" },
		{ 12, "1:9", "8=a 10=d 11=e" },
		{ 10, "1:9,11", "8=a 11=e" },
		/* what the maildrop has come to it knows */
		{ 12, "1:11", "8=a 10=d 11=e" },
	};
	ARRAY_TYPE(pop3_message) dest;
	struct policy_epoch epoch;
	struct maildrop drop;
	unsigned int i;

	test_begin("compact: newer messages");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		test_maildrop_init(&drop, test_uids("8"), 10);
		i_zero(&epoch);
		epoch.uidnext = tests[i].uidnext;
		epoch.recorded = *test_uids(tests[i].recorded);
		t_array_init(&dest, 1);
		maildrop_journal_compact(&drop, pool_datastack_create(),
			parse_messages("7=b 8=a 9=c 10=d 11=e 12=f"),
			parse_messages(""), NOW, &epoch, &dest);
		test_assert_strcmp_idx(messages_text(&dest), tests[i].result,
				       i);
	} T_END;
	test_end();
}

/* What the journal had is looked up while more is added. */
static void test_many(void)
{
	enum { COUNT = 1000 };
	string_t *messages = t_str_new(1024), *news = t_str_new(1024);
	string_t *result = t_str_new(1024), *added = t_str_new(1024);
	ARRAY_TYPE(pop3_message) dest;
	struct policy_epoch epoch;
	struct maildrop drop;
	unsigned int uid;

	test_begin("compact: many messages");
	test_maildrop_init(&drop, test_uids("1:2000"), 2001);
	for (uid = 1; uid <= COUNT; uid++) {
		/* the third part dead, the third part news, new ones between */
		str_printfa(messages, "%u=a+5 ", uid % 3 == 0 ? uid + 2000 : uid);
		if (uid % 3 == 1)
			str_printfa(news, "%u=b+7 %u=c ", uid, uid + COUNT);
		if (uid % 3 == 1)
			str_printfa(added, " %u=c", uid + COUNT);
		if (uid % 3 != 0) {
			str_printfa(result, "%s%u=%s+5", uid == 1 ? "" : " ",
				    uid, uid % 3 == 1 ? "b" : "a");
		}
	}
	str_append_str(result, added);
	i_zero(&epoch);
	t_array_init(&epoch.recorded, 1);
	t_array_init(&dest, 1);
	maildrop_journal_compact(&drop, pool_datastack_create(),
				 parse_messages(str_c(messages)),
				 parse_messages(str_c(news)), NOW, &epoch,
				 &dest);
	test_assert_strcmp(messages_text(&dest), str_c(result));
	test_assert(epoch.journal_lines == 1001);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_stale,
		test_compact,
		test_newer,
		test_many,
		NULL
	};
	return test_run(test_functions);
}
