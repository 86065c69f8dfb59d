/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "mail-storage-private.h"
#include "test-common.h"
#include "epoch.h"
#include "look-again.h"
#include "test-home.h"
#include "test-mailbox.h"

#include <stdio.h>
#include <sys/stat.h>

/* -- in place of Dovecot's own */

static unsigned int resyncs;
static bool resync_fails;
static struct mailbox_status status;

const char *mailbox_get_path(struct mailbox *box ATTR_UNUSED)
{
	return test_home_path("Maildir");
}

int mailbox_sync(struct mailbox *box ATTR_UNUSED, enum mailbox_sync_flags flags)
{
	test_assert((flags & MAILBOX_SYNC_FLAG_FORCE_RESYNC) != 0);
	resyncs++;
	return resync_fails ? -1 : 0;
}

void mailbox_get_open_status(struct mailbox *box ATTR_UNUSED,
			     enum mailbox_status_items items ATTR_UNUSED,
			     struct mailbox_status *status_r)
{
	*status_r = status;
}

const char *
mailbox_get_last_internal_error(struct mailbox *box ATTR_UNUSED,
				enum mail_error *error_r ATTR_UNUSED)
{
	return "no more today";
}

/* -- the mailbox */

static struct mail_storage storage;
static struct mailbox box = { .storage = &storage };
static struct maildrop drop;

static void make_dir(const char *name)
{
	if (mkdir(test_home_path(name), 0700) < 0)
		i_fatal("mkdir(%s) failed: %m", name);
}

static void make_file(const char *name)
{
	test_file_write(test_home_path(name), "");
}

/* Three files, and as many messages as the maildrop is to have. */
static void mailbox_begin(unsigned int messages)
{
	storage.name = "maildir";
	status.messages = messages;
	status.uidvalidity = 8;
	status.uidnext = 4;
	drop = (struct maildrop) {
		.box = &box,
		.uidvalidity = 8,
		.uidnext = 4,
		.messages = messages,
	};
	resyncs = 0;
	resync_fails = FALSE;
	test_home_begin();
	make_dir("Maildir");
	make_dir("Maildir/cur");
	make_dir("Maildir/new");
	make_file("Maildir/cur/1.a.host:2,S");
	make_file("Maildir/cur/2.b.host:2,");
	make_file("Maildir/new/3.c.host");
	/* no messages */
	make_file("Maildir/cur/.hidden");
	make_file("Maildir/dovecot-uidlist");
}

static int look_again(void)
{
	const char *error = NULL;
	int ret = maildrop_look_again(&drop, &error);

	test_assert((error != NULL) == (ret < 0));
	return ret;
}

static void test_no_more_files(void)
{
	unsigned int messages;

	test_begin("look again: not without more files than messages");
	for (messages = 3; messages <= 5; messages++) {
		mailbox_begin(messages);
		test_assert_idx(look_again() == 0 && resyncs == 0, messages);
		test_home_end();
	}
	test_end();
}

static void test_more_files(void)
{
	unsigned int messages;

	test_begin("look again: with more files than messages");
	for (messages = 1; messages <= 2; messages++) {
		mailbox_begin(messages);
		/* it was right */
		test_assert_idx(look_again() == 0 && resyncs == 1, messages);
		status.messages = 3;
		test_assert_idx(look_again() == 1 && resyncs == 2, messages);
		test_home_end();
	}
	test_end();
}

static void test_others_now(void)
{
	test_begin("look again: as many, but others");
	mailbox_begin(2);
	status.uidvalidity = 9;
	test_assert(look_again() == 1);
	status.uidvalidity = 8;
	status.uidnext = 5;
	test_assert(look_again() == 1);
	test_home_end();
	test_end();
}

static void test_no_maildir(void)
{
	test_begin("look again: not in other formats");
	mailbox_begin(1);
	storage.name = "mdbox";
	test_assert(look_again() == 0 && resyncs == 0);
	test_home_end();
	test_end();
}

static void test_failure(void)
{
	test_begin("look again: failure");
	mailbox_begin(1);
	resync_fails = TRUE;
	test_assert(look_again() == -1);
	test_home_end();
	test_end();
}

static void test_no_folder(void)
{
	test_begin("look again: no folder");
	mailbox_begin(1);
	i_assert(rename(test_home_path("Maildir/cur"),
			test_home_path("Maildir/away")) == 0);
	test_assert(look_again() == 0 && resyncs == 0);
	test_home_end();
	test_end();
}

static bool known_are_gone(unsigned int live, const char *uids)
{
	const struct policy_epoch epoch = { .live = live, .uidnext = 5 };
	struct maildrop seen;

	test_maildrop_init(&seen, test_uids(uids), 9);
	return maildrop_known_are_gone(&seen, &epoch);
}

static void test_known_are_gone(void)
{
	test_begin("look again: known are gone");
	test_assert(known_are_gone(3, "5"));
	test_assert(known_are_gone(1, "6:8"));
	/* one is left */
	test_assert(!known_are_gone(3, "4:5"));
	test_assert(!known_are_gone(3, "1"));
	/* there were none, or there is no mail at all */
	test_assert(!known_are_gone(0, "5"));
	test_assert(!known_are_gone(3, ""));
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_no_more_files,
		test_more_files,
		test_others_now,
		test_no_maildir,
		test_failure,
		test_no_folder,
		test_known_are_gone,
		NULL
	};

	return test_run(test_functions);
}
