/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "imap-util.h"
#include "crc32.h"
#include "str.h"
#include "test-common.h"
#include "brief.h"
#include "epoch.h"
#include "journal-line.h"
#include "state.h"
#include "uidl.h"
#include "test-state-text.h"
#include "test-epoch-text.h"

#define BEGIN "{\"brief\":\""

/* The epoch of a mailbox of 100 UIDs in which nothing is out of the ordinary. */
#define SIMPLE_TEXT \
	"{\"version\":1,\"uidl\":{\"epoch\":3,\"uidvalidity\":1700000000," \
	"\"uidnext\":101,\"live\":90,\"listed\":1650000000," \
	"\"format\":\"%08Xu%08Xv\"," \
	"\"reuse_xuidl\":true,\"told\":[" TOLD_TEXT "]," \
	"\"recorded\":\"1:100\",\"downloaded\":\"1:10\"," \
	"\"journal\":{\"generation\":4,\"lines\":1234,\"gone\":5}," \
	"\"retention\":" RETENTION_TEXT "," \
	"\"anchors\":[" ANCHOR_TEXT "," ANCHOR2_TEXT "]}}"
#define LISTED " 1650000000 1234"
#define TIMES \
	" 1600000001 1600000002 1600000003 1600000004 1600000005" LISTED
#define SIMPLE_WORDS \
	"3 1700000000 101 90 1 %08Xu%08Xv 1:100 21 a.guid a.hash a.uidl"
#define SIMPLE_BRIEF SIMPLE_WORDS TIMES

static struct policy_state *parse(const char *text)
{
	struct policy_state *state;
	const char *error;

	if (policy_state_parse(text, strlen(text), &state, &error) !=
	    POLICY_STATE_PARSED)
		i_fatal("policy_state_parse(%s): %s", text, error);
	return state;
}

static const char *print(struct policy_state *state)
{
	string_t *text = t_str_new(4096);

	policy_state_print(state, text);
	return str_c(text);
}

/* What is written of the state that this text has. */
static const char *rewrite(const char *text)
{
	struct policy_state *state = parse(text);

	text = print(state);
	policy_state_deinit(&state);
	return text;
}

static const char *or_none(const char *text)
{
	return *text == '\0' ? "-" : text;
}

static const char *epoch_text(const struct policy_epoch *epoch)
{
	string_t *text = t_str_new(256), *recorded = t_str_new(32);
	const struct pop3_retention_bounds *bounds = &epoch->retention;
	const struct policy_anchor *anchor = &epoch->anchors[0];

	imap_write_seq_range(recorded, &epoch->recorded);
	str_printfa(text, "%u %u %u %u %d %s %s", epoch->number,
		    epoch->uidvalidity, epoch->uidnext, epoch->live,
		    epoch->reuse_xuidl ? 1 : 0, or_none(epoch->uidl_format),
		    or_none(str_c(recorded)));
	if (epoch->anchors_count > 0) {
		str_printfa(text, " %u %s %s %s", anchor->uid,
			    or_none(anchor->guid), or_none(anchor->hash),
			    or_none(anchor->uidl));
	}
	str_printfa(text, " %"PRIdTIME_T" %"PRIdTIME_T" %"PRIdTIME_T
		    " %"PRIdTIME_T" %"PRIdTIME_T" %"PRIdTIME_T" %u",
		    bounds->checked, bounds->oldest_downloaded,
		    bounds->oldest_undownloaded, bounds->recheck,
		    bounds->clock_jumped, epoch->listed, epoch->journal_lines);
	return str_c(text);
}

/* What the brief of this text says, or "none". */
static const char *brief_text(const void *data, size_t size)
{
	pool_t pool = pool_alloconly_create("test brief", 512);
	struct policy_epoch epoch;
	const char *text = "none";
	int ret;

	memset(&epoch, 0xff, sizeof(epoch));
	ret = policy_brief_parse(data, size, pool, &epoch);
	test_assert(ret == 0 || ret == 1);
	if (ret == 1) {
		test_assert(array_count(&epoch.told) == 0);
		test_assert(array_count(&epoch.downloaded) == 0);
		test_assert(array_count(&epoch.stored) == 0);
		test_assert(array_count(&epoch.devices) == 0);
		test_assert(epoch.journal_generation == 0 &&
			    epoch.journal_gone == 0);
		test_assert(epoch.anchors_count <= 1);
		text = epoch_text(&epoch);
	}
	pool_unref(&pool);
	return text;
}

static const char *brief_of(const char *text)
{
	return brief_text(text, strlen(text));
}

/* Epochs that have a brief, and what it says. */
static void test_round_trip(void)
{
	static const struct {
		const char *from, *to, *brief;
	} tests[] = {
		{ "1:100", "1:100", SIMPLE_BRIEF },
		{ "true", "false",
		  "3 1700000000 101 90 0 %08Xu%08Xv 1:100 "
		  "21 a.guid a.hash a.uidl" TIMES },
		{ "\"uidnext\":101,\"live\":90", "\"uidnext\":101,\"live\":0",
		  "3 1700000000 101 0 1 %08Xu%08Xv 1:100 "
		  "21 a.guid a.hash a.uidl" TIMES },
		{ "%08Xu%08Xv", "",
		  "3 1700000000 101 90 1 - 1:100 21 a.guid a.hash a.uidl"
		  TIMES },
		{ "%08Xu%08Xv", "--",
		  "3 1700000000 101 90 1 -- 1:100 21 a.guid a.hash a.uidl"
		  TIMES },
		/* one UID that was told below the next one */
		{ "\"uidvalidity\":11,\"below\":12",
		  "\"uidvalidity\":1700000000,\"below\":101", SIMPLE_BRIEF },
		{ "\"uidvalidity\":11,\"below\":12",
		  "\"uidvalidity\":0,\"below\":101", SIMPLE_BRIEF },
		/* of another mailbox it does not matter */
		{ "\"uidvalidity\":11,\"below\":12",
		  "\"uidvalidity\":11,\"below\":4294967295", SIMPLE_BRIEF },
		{ "[" TOLD_TEXT "]", "[]", SIMPLE_BRIEF },
		{ "[" ANCHOR_TEXT "," ANCHOR2_TEXT "]", "[]",
		  "3 1700000000 101 90 1 %08Xu%08Xv 1:100" TIMES },
		{ ANCHOR_TEXT ",", "",
		  "3 1700000000 101 90 1 %08Xu%08Xv 1:100 22 - - b.uidl"
		  TIMES },
		{ ANCHOR_TEXT ",", "{\"uid\":23},",
		  "3 1700000000 101 90 1 %08Xu%08Xv 1:100 23 - - -" TIMES },
		/* words of an older message are not in it */
		{ "b.uidl", "b\\\"\\\\uidl", SIMPLE_BRIEF },
		/* each time is in its place */
		{ "1600000001", "9223372036854775807", SIMPLE_WORDS
		  " 9223372036854775807 1600000002 1600000003 1600000004 "
		  "1600000005" LISTED },
		{ "\"oldest_downloaded\":1600000002,", "", SIMPLE_WORDS
		  " 1600000001 0 1600000003 1600000004 1600000005" LISTED },
		{ "\"oldest_undownloaded\":1600000003,", "", SIMPLE_WORDS
		  " 1600000001 1600000002 0 1600000004 1600000005" LISTED },
		{ "1600000004", "4294967296", SIMPLE_WORDS
		  " 1600000001 1600000002 1600000003 4294967296 1600000005" LISTED },
		{ "1600000005", "0", SIMPLE_WORDS
		  " 1600000001 1600000002 1600000003 1600000004 0" LISTED },
		{ "\"retention\":" RETENTION_TEXT ",", "",
		  SIMPLE_WORDS " 0 0 0 0 0" LISTED },
		{ "\"listed\":1650000000,", "", SIMPLE_WORDS
		  " 1600000001 1600000002 1600000003 1600000004 1600000005 "
		  "0 1234" },
		{ "1234", "4294967295", SIMPLE_WORDS
		  " 1600000001 1600000002 1600000003 1600000004 1600000005 "
		  "1650000000 4294967295" },
		{ "\"uidnext\":101,\"live\":90", "\"uidnext\":4294967295,"
		  "\"live\":4294967294", "none" },
	};
	struct policy_state *state;
	const char *text;
	unsigned int i;

	test_begin("brief: print and parse");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		state = parse(replace(SIMPLE_TEXT, tests[i].from,
				      tests[i].to));
		text = print(state);
		test_assert_strcmp_idx(brief_of(text), tests[i].brief, i);
		policy_state_deinit(&state);
	} T_END;
	text = rewrite(replace(replace(SIMPLE_TEXT, "\"uidnext\":101",
				       "\"uidnext\":1"),
			       "\"recorded\":\"1:100\",", ""));
	test_assert_strcmp(brief_of(text), "3 1700000000 1 90 1 %08Xu%08Xv - "
			   "21 a.guid a.hash a.uidl" TIMES);
	text = rewrite(replace(replace(SIMPLE_TEXT, "\"uidnext\":101",
				       "\"uidnext\":4294967295"),
			       "1:100", "1:4294967294"));
	test_assert_strcmp(brief_of(text), "3 1700000000 4294967295 90 1 "
		"%08Xu%08Xv 1:4294967294 21 a.guid a.hash a.uidl" TIMES);
	test_end();
}

/* What a poll would get wrong, or could not be read again. */
static void test_not_simple(void)
{
	static const struct {
		const char *from, *to;
	} tests[] = {
		/* UIDLs that are stored */
		{ "\"recorded\":\"1:100\",",
		  "\"recorded\":\"1:100\",\"stored\":\"7\"," },
		{ "\"recorded\":\"1:100\",",
		  "\"recorded\":\"1:100\",\"stored\":\"4294967295\"," },
		/* not all is recorded, or more */
		{ "\"recorded\":\"1:100\",", "" },
		{ "1:100", "1:99" },
		{ "1:100", "1:101" },
		{ "1:100", "2:100" },
		{ "1:100", "1:50,52:100" },
		{ "1:100", "1:100,102" },
		{ "\"uidnext\":101", "\"uidnext\":102" },
		{ "\"uidnext\":101", "\"uidnext\":100" },
		/* UIDs that were told, but are not there */
		{ TOLD_TEXT, "{\"uidvalidity\":1700000000,\"below\":102}" },
		{ TOLD_TEXT, "{\"uidvalidity\":0,\"below\":102}" },
		{ TOLD_TEXT, TOLD_TEXT ",{\"uidvalidity\":0,\"below\":102}" },
		{ TOLD_TEXT, "{\"uidvalidity\":0,\"below\":102}," TOLD_TEXT },
		/* words that JSON would quote, or that are not one word */
		{ "%08Xu%08Xv", "%u\\\"" },
		{ "%08Xu%08Xv", "%u\\\\" },
		{ "%08Xu%08Xv", "%u %v" },
		{ "%08Xu%08Xv", "%u\\n" },
		{ "%08Xu%08Xv", "%u\\u0001" },
		{ "%08Xu%08Xv", "%u\\u007f" },
		{ "%08Xu%08Xv", "%u\xc3\xa4" },
		{ "%08Xu%08Xv", " " },
		{ "%08Xu%08Xv", "-" },
		{ "a.guid", "\\\"" },
		{ "a.guid", "\\\\" },
		{ "a.guid", "-" },
		{ "a.hash", "a\\\"hash" },
		{ "a.hash", "-" },
		{ "a.uidl", "a\\\\uidl" },
		{ "a.uidl", "-" },
	};
	const char *text;
	unsigned int i;

	test_begin("brief: epochs that have none");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		text = rewrite(replace(SIMPLE_TEXT, tests[i].from,
				       tests[i].to));
		test_assert_idx(strstr(text, "brief") == NULL, i);
		test_assert_strcmp_idx(brief_of(text), "none", i);
		/* and that it can be read again */
		test_assert_strcmp_idx(rewrite(text), text, i);
	} T_END;
	text = rewrite("{\"version\":1}");
	test_assert(strstr(text, "brief") == NULL);
	test_assert_strcmp(brief_of(text), "none");
	test_end();
}

/* valgrind and ASan see who reads on. */
static void assert_none(const char *text, size_t size, unsigned int idx)
{
	char *copy = i_memdup(text, I_MAX(size, 1));

	T_BEGIN {
		test_assert_strcmp_idx(brief_text(copy, size), "none", idx);
	} T_END;
	i_free(copy);
}

static void assert_no_octet_changes(const char *text, size_t i)
{
	static const char others[] = { '\0', ' ', '"', '0', '\n' };
	size_t size = strlen(text);
	char *copy = t_strdup_noconst(text);
	unsigned int o;

	for (o = 0; o < 8; o++) {
		copy[i] = text[i] ^ (1 << o);
		assert_none(copy, size, i);
	}
	for (o = 0; o < N_ELEMENTS(others); o++) {
		copy[i] = others[o];
		if (copy[i] != text[i])
			assert_none(copy, size, i);
	}
}

static void test_damage(void)
{
	const char *text = rewrite(SIMPLE_TEXT);
	size_t i, size = strlen(text);
	char *copy;

	test_begin("brief: text that others changed");
	test_assert_strcmp(brief_of(text), SIMPLE_BRIEF);
	for (i = 0; i < size; i++) T_BEGIN {
		assert_no_octet_changes(text, i);
	} T_END;
	for (i = 0; i < size; i++) T_BEGIN {
		/* cut off, and cut out */
		assert_none(text, i, i);
		copy = t_strdup_noconst(text);
		memmove(copy + i, copy + i + 1, size - i);
		assert_none(copy, size - 1, i);
	} T_END;
	assert_none(t_strconcat(text, "\n", NULL), size + 1, 0);
	assert_none(t_strconcat(" ", text, NULL), size + 1, 1);
	assert_none(text, size + 1, 2);
	test_end();
}

/* A state whose checksum is right, with this behind it. */
static const char *sign(const char *rest)
{
	return t_strdup_printf(BEGIN"%08x %s", crc32_str(rest), rest);
}

static void test_hostile_words(void)
{
	static const char *const tests[] = {
		"",
		"\"",
		" \"}",
		"3 1 101 90 1 f 21 g h u 4 5 6 7 8 9 10",
		"3 1 101 90 1 f 21 g h 4 5 6 7 8 9 10\"}",
		"3 1 101 90 1 f 21 g h u 4 5 6 7 8 9 10 x\"}",
		"3 1 101 90 1 f 21 g h u 4 5 6 7 8 9 10 \"}",
		" 3 1 101 90 1 f 21 g h u 4 5 6 7 8 9 10\"}",
		"3  1 101 90 1 f 21 g h u 4 5 6 7 8 9 10\"}",
		"-3 1 101 90 1 f 21 g h u 4 5 6 7 8 9 10\"}",
		"3 -1 101 90 1 f 21 g h u 4 5 6 7 8 9 10\"}",
		"3 1 0 90 1 f 21 g h u 4 5 6 7 8 9 10\"}",
		"3 1 4294967296 90 1 f 21 g h u 4 5 6 7 8 9 10\"}",
		"3 1 101 x 1 f 21 g h u 4 5 6 7 8 9 10\"}",
		"3 1 101 90 1 f  g h u 4 5 6 7 8 9 10\"}",
		"3 1 101 90 1 f 99999999999999999999 g h u 4 5 6 7 8 9 10\"}",
		"3\t1\t101\t90\t1\tf\t21\tg\th\tu\t4\t5\t6\t7\t8\t9\t10\"}",
		/* as it was before there were times */
		"3 1 101 90 1 f 21 g h u\"}",
		"3 1 101 90 1 f 21 g h u 4 5 6 7\"}",
		/* and before there was when it was listed */
		"3 1 101 90 1 f 21 g h u 4 5 6 7 8\"}",
		"3 1 101 90 1 f 21 g h u 4 5 6 7 8 9\"}",
		"3 1 101 90 1 f 21 g h u 4 5 6 7 8 9 x\"}",
		"3 1 101 90 1 f 21 g h u 4 5 6 7 8 9 -1\"}",
		"3 1 101 90 1 f 21 g h u 4 5 6 7 8 9 4294967296\"}",
	};
	string_t *text = t_str_new(2048);
	unsigned int i;

	test_begin("brief: hostile words");
	test_assert_strcmp(brief_of(sign("3 1 101 90 1 f 21 g h u "
					 "4 5 6 7 8 9 10\"}")),
			   "3 1 101 90 1 f 1:100 21 g h u 4 5 6 7 8 9 10");
	for (i = 0; i < N_ELEMENTS(tests); i++)
		test_assert_strcmp_idx(brief_of(sign(tests[i])), "none", i);
	/* words that are longer than any of ours */
	str_append(text, "3 1 101 90 1 f 21 g h ");
	while (str_len(text) < 1008)
		str_append_c(text, 'u');
	str_append(text, " 4 5 6 7 8 9 10\"}");
	test_assert(strcmp(brief_of(sign(str_c(text))), "none") != 0);
	str_insert(text, 22, "u");
	test_assert_strcmp(brief_of(sign(str_c(text))), "none");
	test_end();
}

/* The times, each of which is none that the state could have. */
static void test_hostile_times(void)
{
	static const char *const hostile[] = {
		"", "-", "x", "-1", "-9223372036854775808",
		"9223372036854775808", "18446744073709551616",
		"99999999999999999999999", "1.0", "+1", "0x1", "1x",
	};
	const char *times[6] = { "4", "5", "6", "7", "8", "9" };
	unsigned int i, t;

	test_begin("brief: hostile times");
	for (t = 0; t < N_ELEMENTS(times); t++) {
		const char *good = times[t];

		for (i = 0; i < N_ELEMENTS(hostile); i++) {
			times[t] = hostile[i];
			test_assert_strcmp_idx(brief_of(sign(t_strdup_printf(
				"3 1 101 90 1 f 21 g h u %s %s %s %s %s %s 10"
				"\"}", times[0], times[1], times[2], times[3],
				times[4], times[5]))), "none", t * 100 + i);
		}
		times[t] = good;
	}
	test_end();
}

/* A version before this one wrote no times. */
static void test_older(void)
{
	const char *text, *old;
	struct policy_state *state;

	test_begin("brief: without times");
	text = rewrite(replace(SIMPLE_TEXT,
			       "\"retention\":" RETENTION_TEXT ",", ""));
	test_assert_strcmp(brief_of(text), SIMPLE_WORDS " 0 0 0 0 0" LISTED);
	old = sign(replace(text + strlen(BEGIN"01234567 "), " 0 0 0 0 0" LISTED "\",",
			   "\","));
	test_assert_strcmp(brief_of(old), "none");
	state = parse(old);
	test_assert_strcmp(epoch_text(policy_state_epoch(state)),
			   SIMPLE_WORDS " 0 0 0 0 0" LISTED);
	policy_state_deinit(&state);
	test_assert_strcmp(rewrite(old), text);
	test_end();
}

/* The brief is made anew, whoever wrote the one before. */
static void test_rest(void)
{
	static const char *const members[] = {
		"7", "\"\"", "{\"brief\":7}", "[\"brief\"]", "null",
	};
	string_t *twice = t_str_new(4096);
	const char *text = rewrite(SIMPLE_TEXT), *from;
	struct policy_state *state;
	unsigned int i;

	test_begin("brief: the rest of the text");
	test_assert_strcmp(rewrite(text), text);
	/* without it, it is the same */
	from = strchr(text + strlen(BEGIN), '"') + strlen("\",");
	test_assert_strcmp(rewrite(t_strconcat("{", from, NULL)), text);
	for (i = 0; i < N_ELEMENTS(members); i++) {
		test_assert_strcmp_idx(rewrite(replace(SIMPLE_TEXT,
			"{\"version\":1", t_strdup_printf("{\"brief\":%s,"
				"\"version\":1", members[i]))), text, i);
	}
	/* it goes when the epoch is not simple any more */
	test_assert(strstr(rewrite(replace(text, "1:100", "1:99")),
			   "brief") == NULL);

	/* the text may begin behind another one */
	state = parse(SIMPLE_TEXT);
	policy_state_print(state, twice);
	policy_state_print(state, twice);
	policy_state_deinit(&state);
	test_assert_strcmp(str_c(twice), t_strconcat(text, text, NULL));
	test_end();
}

static const char *long_word(size_t len)
{
	char *text = t_malloc_no0(len + 1);

	memset(text, '~', len);
	text[len] = '\0';
	return text;
}

/* An epoch with a brief in which all is as long as can be, but for the GUID of
   the last message. */
static void
fill_epoch(struct policy_epoch *epoch_r, unsigned int told, size_t guid_len)
{
	const struct policy_told all_told = {
		UINT32_MAX - 1, UINT32_MAX
	};
	unsigned int i;

	i_zero(epoch_r);
	epoch_r->number = epoch_r->uidvalidity = epoch_r->uidnext =
		epoch_r->live = epoch_r->journal_generation =
		epoch_r->journal_lines = epoch_r->journal_gone = UINT32_MAX;
	epoch_r->listed = (time_t)INT64_MAX;
	epoch_r->retention = (struct pop3_retention_bounds){
		.checked = (time_t)INT64_MAX,
		.oldest_downloaded = (time_t)INT64_MAX,
		.oldest_undownloaded = (time_t)INT64_MAX,
		.recheck = (time_t)INT64_MAX,
		.clock_jumped = (time_t)INT64_MAX,
	};
	epoch_r->uidl_format = long_word(POLICY_EPOCH_MAX_FORMAT_LEN);
	t_array_init(&epoch_r->told, POLICY_EPOCH_MAX_TOLD);
	for (i = 0; i < told; i++)
		array_push_back(&epoch_r->told, &all_told);
	t_array_init(&epoch_r->recorded, 1);
	seq_range_array_add_range(&epoch_r->recorded, 1, UINT32_MAX - 1);
	t_array_init(&epoch_r->stored, 1);
	t_array_init(&epoch_r->downloaded, POLICY_EPOCH_MAX_RANGES);
	for (i = 0; i < POLICY_EPOCH_MAX_RANGES; i++) {
		seq_range_array_add_range(&epoch_r->downloaded,
					  UINT32_MAX - i * 3 - 1,
					  UINT32_MAX - i * 3);
	}
	epoch_r->anchors_count = POLICY_EPOCH_MAX_ANCHORS;
	for (i = 0; i < POLICY_EPOCH_MAX_ANCHORS; i++) {
		epoch_r->anchors[i] = (struct policy_anchor){
			.uid = UINT32_MAX,
			.guid = long_word(POP3_GUID_MAX_LEN),
			.hash = long_word(JOURNAL_HASH_MAX_LEN),
			.uidl = long_word(POP3_UIDL_MAX_LEN),
		};
	}
	epoch_r->anchors[i - 1].guid = long_word(guid_len);
}

#define MAX_TIMES \
	" 9223372036854775807 9223372036854775807 9223372036854775807" \
	" 9223372036854775807 9223372036854775807 9223372036854775807" \
	" 4294967295"

/* The size goes up in single octets to where the text is printed in one line. */
static void test_worst_case(void)
{
	struct pop3_quota_counters *counters;
	struct policy_state *state;
	struct policy_epoch epoch;
	size_t len, largest = 0;
	const char *text;
	unsigned int told, w;

	test_begin("brief: the largest state");
	state = policy_state_init();
	counters = policy_state_quota(state);
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		counters->window[w].start = counters->window[w].behind_since =
			(time_t)INT64_MAX;
		counters->window[w].used.n[POP3_QUOTA_BYTES] =
			counters->window[w].used.n[POP3_QUOTA_MESSAGES] =
			INT64_MAX;
		counters->window[w].warned = counters->window[w].used;
	}
	for (told = 0; told <= POLICY_EPOCH_MAX_TOLD; told++) {
		for (len = 0; len <= POP3_GUID_MAX_LEN; len++) T_BEGIN {
			fill_epoch(&epoch, told, len);
			policy_state_set_epoch(state, &epoch);
			text = print(state);
			test_assert_strcmp_idx(brief_of(text), t_strdup_printf(
				"%u %u %u %u 0 %s 1:%u %u %s %s %s" MAX_TIMES,
				UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX,
				epoch.uidl_format, UINT32_MAX - 1, UINT32_MAX,
				epoch.anchors[0].guid, epoch.anchors[0].hash,
				epoch.anchors[0].uidl), told * 1000 + len);
			largest = I_MAX(largest, strlen(text));
		} T_END;
	}
	policy_state_deinit(&state);
	test_assert_cmp(largest, <, 4096);
	/* it did come near */
	test_assert_cmp(largest, >, 2800);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_round_trip,
		test_not_simple,
		test_damage,
		test_hostile_words,
		test_hostile_times,
		test_older,
		test_rest,
		test_worst_case,
		NULL
	};
	return test_run(test_functions);
}
