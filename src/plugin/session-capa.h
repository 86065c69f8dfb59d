#ifndef POP3_POLICY_SESSION_CAPA_H
#define POP3_POLICY_SESSION_CAPA_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct client;
struct pop3_policy_settings;

/* Put what a session has to say of itself in the reply to CAPA from now on:
   EXPIRE, and LOGIN-DELAY if there is one. client->output must be complete, and
   the settings live as long as what is returned. */
struct capa_ostream *
session_capa_init(struct client *client,
		  const struct pop3_policy_settings *set);

#endif
