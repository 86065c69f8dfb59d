#ifndef POP3_POLICY_TEST_EPOCH_TEXT_H
#define POP3_POLICY_TEST_EPOCH_TEXT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* The epoch in the text of a state. Each member with its value occurs once, so
   that a test can replace any of them. */
#define TOLD_TEXT "{\"uidvalidity\":11,\"below\":12}"
#define ANCHOR_TEXT \
	"{\"uid\":21,\"guid\":\"a.guid\",\"hash\":\"a.hash\"," \
	"\"uidl\":\"a.uidl\"}"
#define ANCHOR2_TEXT "{\"uid\":22,\"uidl\":\"b.uidl\"}"
#define RETENTION_TEXT \
	"{\"checked\":1600000001,\"oldest_downloaded\":1600000002," \
	"\"oldest_undownloaded\":1600000003,\"recheck\":1600000004," \
	"\"clock_jumped\":1600000005}"
#define UNSURE_TEXT "{\"below\":77,\"until\":1600000006}"
#define DEVICES_TEXT "{\"phone\":\"1:4,9\",\"laptop\":\"2\"}"
#define JOURNAL_TEXT \
	"{\"generation\":4,\"lines\":1234,\"gone\":5,\"lost\":true}"
#define EPOCH_TEXT \
	"{\"epoch\":3,\"uidvalidity\":1700000000,\"uidnext\":100001," \
	"\"live\":99990,\"listed\":1650000000," \
	"\"format\":\"%08Xu%08Xv\",\"reuse_xuidl\":false," \
	"\"told\":[" TOLD_TEXT "],\"recorded\":\"1:5000,6000:6001\"," \
	"\"downloaded\":\"1:10\",\"unsure\":" UNSURE_TEXT "," \
	"\"devices\":" DEVICES_TEXT "," \
	"\"stored\":\"7\",\"imported\":true," \
	"\"journal\":" JOURNAL_TEXT "," \
	"\"retention\":" RETENTION_TEXT "," \
	"\"anchors\":[" ANCHOR_TEXT "," ANCHOR2_TEXT "]}"
#define EPOCH_STATE_TEXT "{\"version\":1,\"uidl\":" EPOCH_TEXT "}"

#endif
