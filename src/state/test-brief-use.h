#ifndef POP3_POLICY_TEST_BRIEF_USE_H
#define POP3_POLICY_TEST_BRIEF_USE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "test-state-text.h"
#include "test-epoch-text.h"
#include "test-epoch-use.h"

/* What tests of the brief need: states that have one, and what it says. All
   texts are in the data stack. */

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

/* What is written of the state that this text has. */
const char *rewrite(const char *text);
/* The words of a brief that say what this epoch has. */
const char *epoch_text(const struct policy_epoch *epoch);
/* What the brief of this text says, or "none". */
const char *brief_text(const void *data, size_t size);
const char *brief_of(const char *text);
/* A state whose checksum is right, with this behind it. */
const char *sign(const char *rest);

#endif
