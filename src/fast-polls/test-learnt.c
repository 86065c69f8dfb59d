/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "ioloop.h"
#include "mail-index.h"
#include "test-common.h"
#include "test-home.h"
#include "learnt.h"

#define UIDVALIDITY 1700000000

static struct mail_index *test_index;
static struct mail_index_view *view;
static uint32_t ext_id;

/* Look at the index as the next session does. */
static void refresh(void)
{
	mail_index_view_close(&view);
	if (mail_index_refresh(test_index) < 0)
		i_fatal("the index could not be refreshed");
	view = mail_index_view_open(test_index);
}

static void index_begin(unsigned int messages)
{
	struct mail_index_transaction *trans;
	uint32_t seq, uid, uidvalidity = UIDVALIDITY;

	test_home_begin();
	/* the index gets its identity from the time */
	ioloop_time = UIDVALIDITY;
	test_index = mail_index_alloc(NULL, test_home_path("."), "test.index");
	if (mail_index_open_or_create(test_index, MAIL_INDEX_OPEN_FLAG_CREATE) < 0)
		i_fatal("the index could not be created");
	view = mail_index_view_open(test_index);
	trans = mail_index_transaction_begin(view,
		MAIL_INDEX_TRANSACTION_FLAG_EXTERNAL);
	mail_index_update_header(trans, offsetof(struct mail_index_header,
						 uid_validity),
				 &uidvalidity, sizeof(uidvalidity), TRUE);
	for (uid = 1; uid <= messages; uid++)
		mail_index_append(trans, uid, &seq);
	if (mail_index_transaction_commit(&trans) < 0)
		i_fatal("messages could not be added to the index");
	ext_id = learnt_register(test_index);
	refresh();
}

static void index_end(void)
{
	mail_index_view_close(&view);
	mail_index_close(test_index);
	mail_index_free(&test_index);
	test_home_end();
}

static void write_facts(const struct learnt_facts *facts)
{
	struct mail_index_transaction *trans;

	trans = mail_index_transaction_begin(view,
		MAIL_INDEX_TRANSACTION_FLAG_EXTERNAL);
	learnt_write(trans, ext_id, facts);
	test_assert(mail_index_transaction_commit(&trans) == 0);
	refresh();
}

static void write_size(uint32_t seq, bool known, uoff_t size)
{
	struct mail_index_transaction *trans;

	trans = mail_index_transaction_begin(view,
		MAIL_INDEX_TRANSACTION_FLAG_EXTERNAL);
	learnt_write_size(trans, view, ext_id, seq, known, size);
	test_assert(mail_index_transaction_commit(&trans) == 0);
	refresh();
}

static void test_facts(void)
{
	struct learnt_facts facts, read;
	unsigned int i;

	test_begin("learnt: facts");
	index_begin(2);
	test_assert(!learnt_read(view, ext_id, &read));
	for (i = 0; i < 4; i++) {
		i_zero(&facts);
		memset(&facts.stamp, 'a' + i, sizeof(facts.stamp));
		facts.uidnext = UINT32_MAX - i;
		facts.epoch = 7 + i;
		facts.has_uidls = (i & 1) != 0;
		facts.has_orders = (i & 2) != 0;
		write_facts(&facts);
		test_assert_idx(learnt_read(view, ext_id, &read), i);
		test_assert_idx(memcmp(&facts.stamp, &read.stamp,
				       sizeof(read.stamp)) == 0, i);
		test_assert_idx(read.uidnext == facts.uidnext, i);
		test_assert_idx(read.epoch == facts.epoch, i);
		test_assert_idx(read.has_uidls == facts.has_uidls, i);
		test_assert_idx(read.has_orders == facts.has_orders, i);
	}
	index_end();
	test_end();
}

static void test_sizes(void)
{
	static const struct {
		uoff_t size;
		bool fits;
	} tests[] = {
		{ 0, TRUE },
		{ 1, TRUE },
		{ 0xfffffffdULL, TRUE },
		{ 0xfffffffeULL, TRUE },
		{ 0xffffffffULL, FALSE },
		{ 0x100000000ULL, FALSE },
		{ UOFF_T_MAX, FALSE },
	};
	unsigned int i;
	uoff_t size;

	test_begin("learnt: sizes");
	index_begin(3);
	write_size(2, FALSE, 5);
	test_assert(!learnt_size(view, ext_id, 2, &size));
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		write_size(2, TRUE, tests[i].size);
		test_assert_idx(learnt_size(view, ext_id, 2, &size) ==
				tests[i].fits, i);
		if (tests[i].fits)
			test_assert_idx(size == tests[i].size, i);
		test_assert_idx(!learnt_size(view, ext_id, 1, &size), i);
		test_assert_idx(!learnt_size(view, ext_id, 3, &size), i);
	}
	write_size(2, TRUE, 5);
	write_size(2, FALSE, 5);
	test_assert(!learnt_size(view, ext_id, 2, &size));
	index_end();
	test_end();
}

/* An extension by our name, written by another version. */
static void test_other_versions(void)
{
	struct mail_index_transaction *trans;
	struct learnt_facts facts;
	uint32_t header[64];

	test_begin("learnt: other versions");
	index_begin(1);
	i_zero(&facts);
	facts.uidnext = 2;
	write_facts(&facts);
	test_assert(learnt_read(view, ext_id, &facts));

	trans = mail_index_transaction_begin(view,
		MAIL_INDEX_TRANSACTION_FLAG_EXTERNAL);
	header[0] = 2;
	mail_index_update_header_ext(trans, ext_id,
				     sizeof(struct uidlist_stamp), header,
				     sizeof(header[0]));
	test_assert(mail_index_transaction_commit(&trans) == 0);
	refresh();
	test_assert(!learnt_read(view, ext_id, &facts));
	index_end();

	index_begin(1);
	trans = mail_index_transaction_begin(view,
		MAIL_INDEX_TRANSACTION_FLAG_EXTERNAL);
	mail_index_ext_resize_hdr(trans, ext_id, sizeof(header));
	memset(header, 0, sizeof(header));
	/* the version */
	header[sizeof(struct uidlist_stamp) / sizeof(header[0])] = 1;
	mail_index_update_header_ext(trans, ext_id, 0, header, sizeof(header));
	test_assert(mail_index_transaction_commit(&trans) == 0);
	refresh();
	test_assert(!learnt_read(view, ext_id, &facts));
	index_end();
	test_end();
}

int main(void)
{
	static void (*const tests[])(void) = {
		test_facts,
		test_sizes,
		test_other_versions,
		NULL
	};

	return test_run(tests);
}
