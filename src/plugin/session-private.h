#ifndef POP3_POLICY_SESSION_PRIVATE_H
#define POP3_POLICY_SESSION_PRIVATE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "pop3-symbols.h"
#include "fetch.h"
#include "session.h"

struct pop3_policy_session {
	union pop3_module_context module_ctx;

	struct client *client;
	struct event *event;
	const struct pop3_policy_settings *set;
	struct policy_store *store;
	/* NULL if the user has none */
	struct session_quota *quota;
	/* NULL once the session is over, when messages may still be looked at,
	   but nothing is told any more */
	struct session_uidls *uidls;
	/* NULL if the client is shown everything */
	struct mail_search_args *view;
	/* NULL if it is turned off, or the session is over */
	struct fast_polls *fast;
	/* once a message was refused */
	struct reply_ostream *reply;
	/* NULL if there is none; the client owns it */
	struct gather_ostream *gather;
	/* once there was a rate; the client owns it */
	struct throttle_ostream *throttle;
	/* once the mailbox was synced, until the session is over */
	struct capa_ostream *capa;

	/* the message of a RETR or TOP, from its opening, which may fail, until
	   the pop3 process frees it; only to be compared */
	const struct mail *opened;
	struct fetch fetch;
	/* UIDs of the messages that were sent whole to a client that fetches
	   them */
	struct fetched_uids sent_whole;
	/* where the last message stood in client->msgnum_to_seq_map */
	uint32_t last_msgnum;
	/* where the line of the last RETR or TOP ended in the input */
	uoff_t last_command_offset;
	/* of messages, whole or not */
	uoff_t sent_bytes;
	/* of the output, where the last message ended */
	uoff_t fetched_offset;
	bool finished;
	/* before the mailbox could be listed */
	bool refused;
	/* at QUIT, when it was seen to it that all of them are sent */
	bool sent_rest;
	/* part of what the client has fetched could not be sent: it is not
	   known what it got */
	bool unsent;
};

/* What was sent of the message that is being sent is all that will be. */
void session_fetch_end(struct pop3_policy_session *session);

#endif
