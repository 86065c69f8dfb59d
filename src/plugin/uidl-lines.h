#ifndef POP3_POLICY_UIDL_LINES_H
#define POP3_POLICY_UIDL_LINES_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct client;
struct fast_polls;

/* The lines of the reply to UIDL, for all messages. The pop3 process looks up each
   message and prints and sends its line; where UIDLs are made of numbers only, more
   than half of a poll of a large mailbox is that. */

/* Whether the client has asked for them, they can be sent from here, and it has read
   what it was sent before. Otherwise the pop3 process sends them. */
bool uidl_lines_are_due(const struct client *client,
			const struct fast_polls *fast);
/* Send them, and wait for the client to take them; one that takes nothing for 10
   minutes is disconnected. */
void uidl_lines_send(struct client *client, const struct fast_polls *fast);

#endif
