/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "istream.h"
#include "str.h"
#include "test-common.h"
#include "maildrop.h"

#define HEADER "From: a@example.com\nSubject: Hello World\nX-A: b\n"
#define BODY "\nText\nof it\n"
#define MESSAGE HEADER BODY

/* The message that this program has, in place of those of Dovecot. */
static struct {
	const char *text;
	/* added to the size that it has */
	int size_error;
	bool no_size, no_header, read_error;
	struct istream *input;
} message;

static const char *header_end(const char *text)
{
	const char *lf, *crlf;

	if (*text == '\n')
		return text + 1;
	lf = strstr(text, "\n\n");
	crlf = strstr(text, "\n\r\n");
	if (lf == NULL && crlf == NULL)
		return text + strlen(text);
	return crlf == NULL || (lf != NULL && lf < crlf) ? lf + 2 : crlf + 3;
}

int mail_get_virtual_size(struct mail *mail ATTR_UNUSED, uoff_t *size_r)
{
	const char *p;

	if (message.no_size)
		return -1;
	*size_r = strlen(message.text) + message.size_error;
	for (p = message.text; *p != '\0'; p++) {
		if (*p == '\n' && (p == message.text || p[-1] != '\r'))
			*size_r += 1;
	}
	return 0;
}

int mail_get_hdr_stream(struct mail *mail ATTR_UNUSED,
			struct message_size *hdr_size ATTR_UNUSED,
			struct istream **stream_r)
{
	if (message.no_header)
		return -1;
	message.input = message.read_error ?
		i_stream_create_error_str(EIO, "it is gone") :
		i_stream_create_from_data(message.text,
			header_end(message.text) - message.text);
	*stream_r = message.input;
	return 0;
}

/* NULL if it has failed. */
static const char *fingerprint(void)
{
	struct mail mail;
	const char *hash = NULL;
	int ret;

	i_zero(&mail);
	ret = maildrop_fingerprint(&mail, &hash);
	test_assert((ret == 0) == (hash != NULL));
	i_stream_unref(&message.input);
	return hash;
}

static const char *fingerprint_of(const char *text)
{
	message.text = text;
	return fingerprint();
}

static const char *crlf(const char *text)
{
	string_t *str = t_str_new(256);

	for (; *text != '\0'; text++) {
		if (*text == '\n')
			str_append_c(str, '\r');
		str_append_c(str, *text);
	}
	return str_c(str);
}

/* It is in the journals of users, so it must never change. */
static void test_value(void)
{
	const char *hash;

	test_begin("fingerprint: its value");
	hash = fingerprint_of("From: a@example.com\nSubject: hello world\n"
			      "\nText\n");
	test_assert_strcmp(hash, "qvC/NmXxtC5GRCu046W8XA");
	test_end();
}

static void test_same(void)
{
	static const char *const tests[] = {
		MESSAGE,
		/* white space */
		"From: a@example.com  \nSubject: Hello World\t\nX-A: b\n" BODY,
		"From:a@example.com\nSubject:\tHello  World\nX-A:b\n" BODY,
		"From: a@example.com\nSubject: Hello\n World\nX-A: b\n" BODY,
		"From: a@example.com\nSubject:\n\tHello \n\tWorld\nX-A:\n b\n"
		BODY,
		/* names */
		"FROM: a@example.com\nsubject: Hello World\nx-a: b\n" BODY,
		/* what others add, anywhere and more than once */
		"Return-Path: <b@example.com>\n" MESSAGE,
		HEADER "Status: RO\n" BODY,
		"From: a@example.com\nX-UID: 7\nSubject: Hello World\n"
		"X-Status: A\nX-A: b\n" BODY,
		HEADER "Content-Length: 11\nX-Keywords: a\n b\n\tc\n" BODY,
		"X-IMAP: 1 2\nX-IMAPbase: 1 2\n a b\n" HEADER "X-UIDL: u\n"
		BODY,
		"STATUS: O\nstatus: R\nX-uid: 1\n" MESSAGE,
		/* in another order */
		"X-UIDL: u\nX-IMAPbase: 1 2\nX-IMAP: 1 2\n" MESSAGE,
		HEADER "X-UID: 7\nStatus: RO\nReturn-Path: <c@example.com>\n"
		BODY,
		/* no more than the size of the body counts */
		HEADER "\nTEXT\nOF IT\n",
	};
	const char *expected = fingerprint_of(MESSAGE);
	unsigned int i;

	test_begin("fingerprint: the same message");
	test_assert(strlen(expected) == 22);
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		test_assert_strcmp_idx(fingerprint_of(tests[i]), expected, i);
		test_assert_strcmp_idx(fingerprint_of(crlf(tests[i])),
				       expected, i);
	}
	/* an end of the header that nothing follows */
	test_assert_strcmp(fingerprint_of(HEADER "\n"),
			   fingerprint_of(HEADER));
	test_assert_strcmp(fingerprint_of("\n"), fingerprint_of(""));
	/* what servers make of octets that are not ASCII */
	test_assert_strcmp(fingerprint_of("Subject: h\xc3\xa4llo\n\n"),
			   fingerprint_of("Subject: h?llo\n\n"));
	test_assert_strcmp(fingerprint_of("Subject: h\xe4\x80llo\n\n"),
			   fingerprint_of("Subject: h?llo\n\n"));
	test_end();
}

/* No two of these are the same. */
static void test_different(void)
{
	static const char *const tests[] = {
		MESSAGE,
		"",
		"\n\n",
		"\na",
		HEADER,
		HEADER "\nText\nof it",
		HEADER "\nText\nof it\n\n",
		HEADER "\nText of it\n",
		"From: a@example.com\nSubject: Hello World!\nX-A: b\n" BODY,
		"From: a@example.com\nSubject: hello World\nX-A: b\n" BODY,
		"From: a@example.com\nX-A: b\nSubject: Hello World\n" BODY,
		"From: a@example.com\nX-A: b\n" BODY,
		"From: a@example.com\nSubject:\nX-A: b\n" BODY,
		"From: a@example.com\nSubjects: Hello World\nX-A: b\n" BODY,
		"From: a@example.com\nSubject: Hello WorldX-A:b\n" BODY,
		"From: a@example.com\nSubject: Hello World\nX-: Ab\n" BODY,
		"From: a@example.com\nSubject: Hello World\nX-A: b\nX-A: b\n"
		BODY,
		HEADER "X-UIDs: 7\n" BODY,
		HEADER "X-Stat: 7\n" BODY,
		HEADER "Delivered-To: a@example.com\n" BODY,
		/* what follows one that is left out counts again */
		"Status: RO\n a\n" HEADER "X-B: c\n" BODY,
		"Status: RO\n a\n" HEADER "X-B: d\n" BODY,
		HEADER "X-B: d\n a\n" BODY,
	};
	const char *hashes[N_ELEMENTS(tests)];
	unsigned int i, j;

	test_begin("fingerprint: different messages");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		hashes[i] = fingerprint_of(tests[i]);
		test_assert_idx(strlen(hashes[i]) == 22, i);
		for (j = 0; j < i; j++) {
			test_assert_idx(strcmp(hashes[i], hashes[j]) != 0,
					i * 100 + j);
		}
	}
	test_end();
}

/* A header field that comes in several parts is one, however it is folded. */
static void test_long_field(void)
{
	enum { WORDS = 20000 };
	string_t *folded = t_str_new(WORDS * 8), *plain = t_str_new(WORDS * 8);
	string_t *other;
	unsigned int i;

	test_begin("fingerprint: a field without end");
	str_append(folded, "To:");
	str_append(plain, "To:");
	for (i = 0; i < WORDS; i++) {
		str_append(folded, " words,\n");
		str_append(plain, " words,");
	}
	str_append(folded, "\tend\n\n");
	str_append(plain, " end\n\n");
	other = t_str_new(str_len(plain));
	str_append_str(other, plain);
	str_truncate(other, str_len(other) - 3);
	str_append(other, "f\n\n");
	test_assert_strcmp(fingerprint_of(str_c(folded)),
			   fingerprint_of(str_c(plain)));
	test_assert(strcmp(fingerprint_of(str_c(other)),
			   fingerprint_of(str_c(plain))) != 0);
	/* one that is left out is left out to its end */
	str_insert(folded, 0, "X-UIDL");
	str_delete(folded, strlen("X-UIDL"), strlen("To"));
	test_assert_strcmp(fingerprint_of(str_c(folded)), fingerprint_of("\n"));
	test_end();
}

static void test_failure(void)
{
	const char *hash;

	test_begin("fingerprint: messages that cannot be read");
	message.text = MESSAGE;
	message.no_size = TRUE;
	test_assert(fingerprint() == NULL);
	message.no_size = FALSE;
	message.no_header = TRUE;
	test_assert(fingerprint() == NULL);
	message.no_header = FALSE;
	message.read_error = TRUE;
	test_assert(fingerprint() == NULL);
	message.read_error = FALSE;
	/* a size that is too small is that of a message without a body */
	message.size_error = -(int)strlen(MESSAGE);
	hash = fingerprint_of(MESSAGE);
	message.size_error = 0;
	test_assert_strcmp(hash, fingerprint_of(HEADER "\n"));
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_value,
		test_same,
		test_different,
		test_long_field,
		test_failure,
		NULL
	};
	return test_run(test_functions);
}
