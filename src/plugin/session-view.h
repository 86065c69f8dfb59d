#ifndef POP3_POLICY_SESSION_VIEW_H
#define POP3_POLICY_SESSION_VIEW_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct client;
struct mail_search_args;

/* The pop3 process finds out with one search which messages it has, and numbers
   them; all that it does later goes by these. args, which are simplified and
   initialized, are of that search: have it find only what the view finds, too,
   and client note which ones these are. */
void session_view_apply(const struct mail_search_args *view,
			struct client *client, struct mail_search_args *args);

#endif
