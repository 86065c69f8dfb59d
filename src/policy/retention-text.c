/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "strnum.h"
#include "unichar.h"
#include "compat.h"
#include "retention-text.h"

#define SPACES " \t\r\n"
#define TIME_EXPECTED \
	"expected forever, 0 or a whole number with a unit such as 12h, 14d " \
	"or 2 weeks, at the most 49710 days"
#define COUNT_EXPECTED "expected unlimited or a whole number above 0"
#define SIZE_EXPECTED \
	"expected unlimited or a whole number above 0, followed by " \
	"b, k, M, G or T"
#define ACTION_EXPECTED "expected expunge or move MAILBOX"

static bool is_minutes_or_months(const char *text)
{
	text += strspn(text, "0123456789");
	text += strspn(text, SPACES);
	return strcasecmp(text, "m") == 0;
}

int pop3_keep_time_parse(const char *text, uint64_t *seconds_r,
			 const char **error_r)
{
	unsigned int seconds;

	text = t_str_trim(text, SPACES);
	if (strcasecmp(text, "forever") == 0) {
		*seconds_r = POP3_KEEP_FOREVER;
		return 0;
	}
	if (is_minutes_or_months(text)) {
		*error_r = t_strdup_printf("bad time \"%s\", m could be "
			"minutes or months, expected mins or d", text);
		return -1;
	}
	if (compat_str_parse_time(text, &seconds) < 0) {
		*error_r = t_strdup_printf("bad time \"%s\", " TIME_EXPECTED,
					   text);
		return -1;
	}
	*seconds_r = seconds;
	return 0;
}

static bool is_unlimited(const char *text)
{
	return *text == '\0' || strcasecmp(text, "unlimited") == 0;
}

int pop3_keep_count_parse(const char *text, uint64_t *count_r,
			  const char **error_r)
{
	uint64_t count;

	text = t_str_trim(text, SPACES);
	if (is_unlimited(text)) {
		*count_r = POP3_KEEP_UNLIMITED;
		return 0;
	}
	if (str_to_uint64(text, &count) < 0 || count == 0) {
		*error_r = t_strdup_printf("bad number of messages \"%s\", "
					   COUNT_EXPECTED, text);
		return -1;
	}
	*count_r = count;
	return 0;
}

int pop3_keep_size_parse(const char *text, uint64_t *size_r,
			 const char **error_r)
{
	uint64_t size;

	text = t_str_trim(text, SPACES);
	if (is_unlimited(text)) {
		*size_r = POP3_KEEP_UNLIMITED;
		return 0;
	}
	if (compat_str_parse_size(text, &size) < 0 || size == 0) {
		*error_r = t_strdup_printf("bad size \"%s\", " SIZE_EXPECTED,
					   text);
		return -1;
	}
	*size_r = size;
	return 0;
}

static bool has_control_characters(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return TRUE;
	}
	return FALSE;
}

static int mailbox_check(const char *mailbox, const char **error_r)
{
	if (*mailbox == '\0') {
		*error_r = "no mailbox after \"move\", "
			"expected one such as move Trash";
	} else if (strcasecmp(mailbox, "INBOX") == 0) {
		*error_r = "messages cannot move to INBOX, where they are, "
			"expected another mailbox";
	} else if (!uni_utf8_str_is_valid(mailbox) ||
		   has_control_characters(mailbox)) {
		*error_r = "the mailbox after \"move\" has no valid name, "
			"expected UTF-8 without control characters";
	} else {
		return 0;
	}
	return -1;
}

int pop3_expire_action_parse(const char *text, const char **mailbox_r,
			     const char **error_r)
{
	const char *mailbox;
	size_t len;

	text = t_str_trim(text, SPACES);
	if (strcasecmp(text, "expunge") == 0) {
		*mailbox_r = NULL;
		return 0;
	}
	len = strcspn(text, SPACES);
	if (strcasecmp(t_strndup(text, len), "move") != 0) {
		*error_r = t_strdup_printf("unknown action \"%s\", "
					   ACTION_EXPECTED, text);
		return -1;
	}
	mailbox = text + len + strspn(text + len, SPACES);
	if (mailbox_check(mailbox, error_r) < 0)
		return -1;
	*mailbox_r = mailbox;
	return 0;
}
