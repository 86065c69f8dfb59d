/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "master-service.h"
#include "mail-index.h"
#include "mail-storage-private.h"
#include "ostream.h"
#include "pop3-symbols.h"
#include "fast-polls.h"
#include "output-wait.h"
#include "uidl-template.h"
#include "uidl-lines.h"

/* The stream is given so many octets at a time. */
#define SEND_SIZE (16 * 1024)

bool uidl_lines_are_due(const struct client *client,
			const struct fast_polls *fast)
{
	/* there is a transaction once the messages were listed, and a command
	   that goes on unless it is about a single one of them */
	return client->trans != NULL && client->cmd != NULL &&
		fast_polls_have_plain_uidls(fast) &&
		/* nobody else waits while this client does not read */
		master_service_get_client_limit(master_service) == 1 &&
		/* else a client that does not read could have one reply after
		   the other added to the buffer */
		!POP3_CLIENT_OUTPUT_FULL(client);
}

static bool is_deleted(const struct client *client, uint32_t msgnum)
{
	return client->deleted &&
		(client->deleted_bitmask[msgnum / CHAR_BIT] &
		 (1 << (msgnum % CHAR_BIT))) != 0;
}

static uint32_t get_uid(const struct client *client, uint32_t msgnum)
{
	uint32_t uid, seq = msgnum < client->msgnum_to_seq_map_count ?
		client->msgnum_to_seq_map[msgnum] : msgnum + 1;

	mail_index_lookup_uid(client->mailbox->view, seq, &uid);
	return uid;
}

/* Returns -1 if nothing can be sent any more, which the pop3 process finds out. */
static int add_lines(struct client *client, string_t *lines)
{
	const struct const_iovec iov = { str_data(lines), str_len(lines) };

	/* the buffer is unlimited: it takes all or fails */
	if (o_stream_sendv(client->output, &iov, 1) < 0)
		return -1;
	str_truncate(lines, 0);
	return 0;
}

static int send_lines(struct client *client, string_t *lines)
{
	if (add_lines(client, lines) < 0)
		return -1;
	return output_wait_until_sent(client, OUTPUT_WAIT_MSECS);
}

static void print_line(const struct client *client, uint32_t msgnum,
		       const struct fast_polls *fast, string_t *lines)
{
	uidl_template_print_decimal(lines, msgnum + 1);
	str_append_c(lines, ' ');
	fast_polls_print_uidl(fast, lines, get_uid(client, msgnum));
	str_append_data(lines, "\r\n", 2);
}

void uidl_lines_send(struct client *client, const struct fast_polls *fast)
{
	string_t *lines = str_new(default_pool, SEND_SIZE + 1024);
	bool is_long = FALSE;
	uint32_t msgnum;
	int ret = 0;

	for (msgnum = 0; msgnum < client->messages_count && ret == 0;
	     msgnum++) {
		if (!is_deleted(client, msgnum))
			print_line(client, msgnum, fast, lines);
		if (str_len(lines) >= SEND_SIZE) {
			ret = send_lines(client, lines);
			is_long = TRUE;
		}
	}
	if (ret == 0 && is_long) {
		(void)send_lines(client, lines);
	} else if (ret == 0 && add_lines(client, lines) == 0 &&
		   POP3_CLIENT_OUTPUT_FULL(client)) {
		/* if not full, it is sent with the last line of the reply */
		(void)output_wait_until_sent(client, OUTPUT_WAIT_MSECS);
	}
	str_free(&lines);
}
