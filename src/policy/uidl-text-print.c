/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "uidl.h"
#include "uidl-text-private.h"

static bool
message_has_filename(const struct pop3_uidl_text_message *message,
		     const char **error_r)
{
	if (message->filename == NULL) {
		*error_r = "message has no file name, expected one of a "
			"maildir";
		return FALSE;
	}
	return pop3_uidl_text_filename_is_valid(message->filename, error_r);
}

static int
msgno_print(string_t *dest, const struct pop3_uidl_text_message *message,
	    const char **error_r)
{
	if (message->msgno == 0) {
		*error_r = "message has no number, expected 1 or more";
		return -1;
	}
	str_printfa(dest, "%u %s\n", message->msgno, message->uidl);
	return 0;
}

/* The numbers of "UID<N>-<V>" or "UID<N>". For anything else any numbers: it is
   courier_tells() that says whether they are right. */
static void courier_numbers_parse(const char *uidl, uint64_t *n_r,
				  uint64_t *v_r)
{
	const char *p;

	*n_r = *v_r = 0;
	if (strncmp(uidl, "UID", 3) == 0 &&
	    str_parse_uint64(uidl + 3, n_r, &p) == 0 && *p == '-' &&
	    str_parse_uint64(p + 1, v_r, &p) < 0)
		*n_r = 0;
}

static bool courier_tells(const struct pop3_uidl_text_message *message,
			  uint64_t n, uint64_t v)
{
	return strcmp(pop3_uidl_text_courier(message->filename, n, v),
		      message->uidl) == 0;
}

static int
courier_print(string_t *dest, const struct pop3_uidl_text_message *message,
	      const char **error_r)
{
	uint64_t n, v;

	if (!message_has_filename(message, error_r))
		return -1;
	courier_numbers_parse(message->uidl, &n, &v);
	/* a file may have a name that looks like numbers */
	if (!courier_tells(message, n, v))
		n = v = 0;
	if (!courier_tells(message, n, v)) {
		*error_r = t_strdup_printf("UIDL %s is none of Courier's, "
			"expected UID<number>-<number>, UID<number> or the "
			"file name", pop3_uidl_text_quote(message->uidl));
		return -1;
	}
	/* whether the message needs UTF-8 is not known; Courier itself takes it
	   that it does not when it reads an older version */
	str_printfa(dest, "%s %"PRIu64" %"PRIu64":%"PRIu64":0\n",
		    message->filename, message->size, n, v);
	return 0;
}

static int
uidlist_print(string_t *dest, const struct pop3_uidl_text_message *message,
	      const char **error_r)
{
	if (!message_has_filename(message, error_r))
		return -1;
	if (message->uid == 0 || message->uid == UINT32_MAX) {
		*error_r = t_strdup_printf("bad UID %u, expected 1 to %u",
					   message->uid, UINT32_MAX - 1);
		return -1;
	}
	str_printfa(dest, "%u P%s :%s\n", message->uid,
		    strcmp(message->uidl, message->filename) == 0 ? "" :
		    message->uidl, message->filename);
	return 0;
}

void pop3_uidl_text_print_begin(string_t *dest,
				enum pop3_uidl_text_format format,
				const struct pop3_uidl_text_mailbox *mailbox)
{
	switch (format) {
	case POP3_UIDL_TEXT_COURIER:
		str_printfa(dest, "/3 %u %u\n", mailbox->uidnext,
			    mailbox->uidvalidity);
		break;
	case POP3_UIDL_TEXT_UIDLIST:
		str_printfa(dest, "3 V%u N%u", mailbox->uidvalidity,
			    mailbox->uidnext);
		if (!guid_128_is_empty(mailbox->guid)) {
			str_printfa(dest, " G%s",
				    guid_128_to_string(mailbox->guid));
		}
		str_append_c(dest, '\n');
		break;
	case POP3_UIDL_TEXT_MSGNO:
	case POP3_UIDL_TEXT_FORMAT_COUNT:
		break;
	}
}

int pop3_uidl_text_print(string_t *dest, enum pop3_uidl_text_format format,
			 const struct pop3_uidl_text_message *message,
			 const char **error_r)
{
	if (!pop3_uidl_is_valid(message->uidl, error_r))
		return -1;
	switch (format) {
	case POP3_UIDL_TEXT_MSGNO:
		return msgno_print(dest, message, error_r);
	case POP3_UIDL_TEXT_COURIER:
		return courier_print(dest, message, error_r);
	case POP3_UIDL_TEXT_UIDLIST:
		return uidlist_print(dest, message, error_r);
	case POP3_UIDL_TEXT_FORMAT_COUNT:
		break;
	}
	i_unreached();
}
