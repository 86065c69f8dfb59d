/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "test-common.h"
#include "epoch.h"
#include "uid-set.h"
#include "test-mailbox.h"

#define R16 "9,11,13,15,17,19,21,23,25,27,29,31,33,35,37,39"
#define R17 "7," R16
/* as many ranges as may be, and more */
#define R18 "5," R17
#define R19 "3," R18
#define R20 "1," R19

static void test_count(void)
{
	static const struct {
		const char *mailbox, *uids;
		uint32_t uidnext;
		unsigned int count;
	} tests[] = {
		{ "", "", 1, 0 },
		{ "", "1:10", 11, 0 },
		{ "1:10", "", 11, 0 },
		{ "1:10", "1:10", 11, 10 },
		{ "1:10", "1:10", 10, 9 },
		{ "1:10", "1:10", 2, 1 },
		{ "1:10", "1:10", 1, 0 },
		{ "1:10", "1:4294967295", 11, 10 },
		{ "1:10", "3,5:7", 11, 4 },
		{ "1:10", "3,5:7", 6, 2 },
		{ "1:10", "3,5:7", 5, 1 },
		{ "1:10", "10", 10, 0 },
		{ "4,8", "1:3,5:7", 11, 0 },
		{ "4,8", "1:4,7:9", 11, 2 },
		{ "4294967294", "4294967294", 4294967295, 1 },
		{ "1:4294967294", "1:4294967294", 4294967295, 4294967294 },
	};
	struct maildrop drop;
	unsigned int i;

	test_begin("UID set: count");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		test_maildrop_init(&drop, test_uids(tests[i].mailbox), 11);
		test_assert_idx(uid_set_count(&drop, test_uids(tests[i].uids),
					      tests[i].uidnext) ==
				tests[i].count, i);
	}
	test_end();
}

static void epoch_init(struct policy_epoch *epoch_r, uint32_t uidnext,
		       const char *recorded, const char *downloaded,
		       const char *stored)
{
	struct policy_device *device;

	i_zero(epoch_r);
	epoch_r->uidnext = uidnext;
	t_array_init(&epoch_r->recorded, 32);
	array_append_array(&epoch_r->recorded, test_uids(recorded));
	t_array_init(&epoch_r->downloaded, 32);
	array_append_array(&epoch_r->downloaded, test_uids(downloaded));
	t_array_init(&epoch_r->stored, 32);
	array_append_array(&epoch_r->stored, test_uids(stored));
	/* a device is tidied as all downloads are */
	t_array_init(&epoch_r->devices, 2);
	device = array_append_space(&epoch_r->devices);
	t_array_init(&device->downloaded, 1);
	device = array_append_space(&epoch_r->devices);
	t_array_init(&device->downloaded, 32);
	array_append_array(&device->downloaded, test_uids(downloaded));
}

static void test_tidy(void)
{
	static const struct {
		const char *mailbox;
		uint32_t uidnext;
		/* when the epoch was last written */
		uint32_t epoch_uidnext;
		/* each before and after */
		const char *recorded[2], *downloaded[2], *stored[2];
	} tests[] = {
		{ "", 1, 1, { "", "" }, { "", "" }, { "", "" } },
		/* nothing is missing where there is nothing */
		{ "", 11, 11, { "", "1:10" }, { "", "" }, { "", "" } },
		{ "3,7", 11, 11, { "3,7", "1:10" }, { "", "" }, { "", "" } },
		{ "3,7", 11, 11, { "1:3,7", "1:10" }, { "", "" }, { "", "" } },
		/* new ones are not missing yet, nor are they recorded */
		{ "3,7:9", 10, 8, { "3,7", "1:7" }, { "", "" }, { "", "" } },
		{ "3,9", 10, 8, { "3", "1:7" }, { "", "" }, { "", "" } },
		{ "9", 10, 1, { "", "" }, { "", "" }, { "", "" } },
		/* one is missing */
		{ "3,5,7", 11, 11, { "3,7", "3,7" }, { "", "" }, { "", "" } },
		{ "3,5,7", 11, 11, { "1:3,7", "1:3,7" }, { "", "" },
		  { "", "" } },
		{ "1:10", 11, 11, { "1:9", "1:9" }, { "", "" }, { "", "" } },
		{ "1:10", 11, 11, { "2:10", "2:10" }, { "", "" }, { "", "" } },
		/* ranges without a message between them: one that comes back
		   there was not downloaded */
		{ "1:5,8:10", 11, 11, { "2:5,8:10", "2:10" },
		  { "1:2,4:5,8", "1:2,4:5,8" }, { "2,5,8:9", "2,5:9" } },
		{ "1,9", 11, 11, { "1,4,6", "1:6" }, { "2,4,9", "2,4,9" },
		  { "1,3,5", "1:5" } },
		{ "1,9", 11, 11, { "1,4,8,10", "1:8,10" },
		  { "8,10", "8,10" }, { "1,8,10", "1:8,10" } },
		/* no message has a stored one any more */
		{ "1:5", 11, 11, { "1:5", "1:10" }, { "", "" }, { "7", "" } },
		{ "1:5", 11, 11, { "1:5", "1:10" }, { "", "" },
		  { "6:4294967295", "" } },
		{ "1:5", 11, 11, { "1:5", "1:10" }, { "", "" },
		  { "5,7", "5:7" } },
		/* but a new one has */
		{ "1:9", 11, 8, { "1:7", "1:7" }, { "", "" }, { "9", "9" } },
		{ "1:9", 11, 8, { "1:7", "1:7" }, { "", "" },
		  { "9:20", "9:20" } },
		{ "1:10", 11, 11, { "1:10", "1:10" }, { "", "" },
		  { "10", "10" } },
		/* as many as may be */
		{ "1:99", 100, 100, { R18, R18 }, { R18, R18 }, { R18, R18 } },
		/* more */
		{ "1:99", 100, 100, { R19, R18 }, { R19, R18 },
		  { R19, "3:39" } },
		{ "1:99", 100, 100, { R20, R18 }, { R20, R18 },
		  { R20, "1:39" } },
		{ "1:99", 100, 100, { "1:2," R18, R18 }, { "1:3," R18, R18 },
		  { "2:3," R18 ",41:50", "2:50" } },
		/* more, were they not to be joined */
		{ "1:3,5:99", 100, 100, { "3," R18, "3:" R18 },
		  { "1,3," R18, "3:" R18 }, { "3," R18, "3:" R18 } },
		{ "1,99", 100, 100, { R20, "1:39" }, { R20, "1:5," R17 },
		  { R20, "1:39" } },
		/* no more than must be, the lowest first */
		{ "6,10", 100, 100, { R19, "3:5,7:9,11:39" },
		  { R19, "3:5," R17 }, { "", "" } },
		{ "4", 100, 100, { "", "" },
		  { R19, "3,5:7," R16 }, { "", "" } },
		/* the largest UIDs */
		{ "4294967293:4294967294", 4294967295, 4294967295,
		  { "4294967293:4294967294", "1:4294967294" },
		  { "1,4294967293", "1,4294967293" },
		  { "4294967294", "4294967294" } },
	};
	const struct policy_device *device;
	struct policy_epoch epoch;
	struct maildrop drop;
	unsigned int i;
	bool all_recorded;

	test_begin("UID set: tidy");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		test_maildrop_init(&drop, test_uids(tests[i].mailbox),
				   tests[i].uidnext);
		epoch_init(&epoch, tests[i].epoch_uidnext,
			   tests[i].recorded[0], tests[i].downloaded[0],
			   tests[i].stored[0]);
		epoch.journal_lost = TRUE;
		all_recorded = tests[i].epoch_uidnext > 1 &&
			uid_set_count(&drop, &epoch.recorded,
				      epoch.uidnext) ==
			uid_set_count(&drop, test_uids("1:4294967295"),
				      epoch.uidnext);
		epoch_tidy_sets(&drop, &epoch);
		/* as long as a message has no line */
		test_assert_idx(epoch.journal_lost == !all_recorded, i);
		test_assert_strcmp_idx(test_uids_text(&epoch.recorded),
				       tests[i].recorded[1], i);
		test_assert_strcmp_idx(test_uids_text(&epoch.downloaded),
				       tests[i].downloaded[1], i);
		test_assert_strcmp_idx(test_uids_text(&epoch.stored),
				       tests[i].stored[1], i);
		device = array_idx(&epoch.devices, 1);
		test_assert_strcmp_idx(test_uids_text(&device->downloaded),
				       tests[i].downloaded[1], i);
		/* once is enough */
		epoch_tidy_sets(&drop, &epoch);
		test_assert_strcmp_idx(test_uids_text(&epoch.stored),
				       tests[i].stored[1], i);
	} T_END;
	test_end();
}

/* The epoch was written by somebody who has listed newer messages. */
static void test_tidy_overtaken(void)
{
	static const struct {
		const char *mailbox;
		uint32_t uidnext, epoch_uidnext, unsure_below;
		/* each before and after */
		const char *recorded[2], *downloaded[2], *stored[2];
	} tests[] = {
		/* nobody knows whether one lies between these */
		{ "1:4", 5, 8, 0, { "1:4,7", "1:4,7" }, { "4,7", "4,7" },
		  { "4,7", "4:7" } },
		{ "1:4", 5, 8, 7, { "1:2,4,6:7", "1:2,4,6:7" },
		  { "1,6", "1,6" }, { "6", "6" } },
		{ "", 5, 8, 7, { "2,4:7", "2:7" }, { "7", "7" },
		  { "", "" } },
		/* that it is recorded is written before the next UID is */
		{ "1:4", 5, 5, 0, { "1:4,7", "1:4,7" }, { "", "" },
		  { "7", "7" } },
		{ "1:4", 5, 5, 0, { "1:4", "1:4" }, { "", "" }, { "7", "" } },
		{ "1:4", 5, 5, 0, { "1:5", "1:5" }, { "", "" }, { "5", "5" } },
	};
	struct policy_epoch epoch;
	struct maildrop drop;
	unsigned int i;

	test_begin("UID set: tidy when there are newer messages");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		test_maildrop_init(&drop, test_uids(tests[i].mailbox),
				   tests[i].uidnext);
		epoch_init(&epoch, tests[i].epoch_uidnext,
			   tests[i].recorded[0], tests[i].downloaded[0],
			   tests[i].stored[0]);
		epoch.unsure_below = tests[i].unsure_below;
		epoch_tidy_sets(&drop, &epoch);
		test_assert_strcmp_idx(test_uids_text(&epoch.recorded),
				       tests[i].recorded[1], i);
		test_assert_strcmp_idx(test_uids_text(&epoch.downloaded),
				       tests[i].downloaded[1], i);
		test_assert_strcmp_idx(test_uids_text(&epoch.stored),
				       tests[i].stored[1], i);
		test_assert_idx(epoch.unsure_below == tests[i].unsure_below, i);
	} T_END;
	test_end();
}

static void test_tidy_unsure(void)
{
	static const struct {
		const char *mailbox;
		uint32_t below[2];
	} tests[] = {
		{ "", { 0, 0 } },
		{ "", { 5, 0 } },
		{ "5:9", { 5, 0 } },
		{ "5:9", { 6, 6 } },
		{ "1,9", { 5, 5 } },
		{ "1,9", { 0, 0 } },
	};
	struct policy_epoch epoch;
	struct maildrop drop;
	unsigned int i;

	test_begin("UID set: no message is left that is unsure");
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		test_maildrop_init(&drop, test_uids(tests[i].mailbox), 10);
		epoch_init(&epoch, 10, "", "", "");
		epoch.unsure_below = tests[i].below[0];
		epoch_tidy_sets(&drop, &epoch);
		test_assert_idx(epoch.unsure_below == tests[i].below[1], i);
	} T_END;
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_count,
		test_tidy,
		test_tidy_overtaken,
		test_tidy_unsure,
		NULL
	};
	return test_run(test_functions);
}
