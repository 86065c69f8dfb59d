#ifndef POP3_POLICY_SESSION_BEGIN_H
#define POP3_POLICY_SESSION_BEGIN_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct client;

/* A client has logged in: begin a session, or refuse it when the policy cannot be
   known. */
void pop3_policy_session_begin(struct client *client);

#endif
