#ifndef POP3_POLICY_SESSION_H
#define POP3_POLICY_SESSION_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "mail-user.h"

struct client;
struct fast_polls;
struct istream;
struct mail;
struct mail_search_args;
struct mailbox;
struct policy_store;
struct pop3_policy_settings;
struct session_uidls;

/* One client's session under policy: what its messages are called, what it was
   sent, what that costs. */
struct pop3_policy_session;

/* The commands that send message contents. */
enum session_command {
	SESSION_RETR,
	SESSION_TOP
};

/* Begin a session with what is known of its user, which it takes over. view is
   NULL if the client is shown everything, else a simplified query. */
void pop3_policy_session_init(struct client *client,
			      const struct pop3_policy_settings *set,
			      struct policy_store *store,
			      struct session_uidls *uidls,
			      struct mail_search_args *view,
			      struct event *event);

/* The session of a user, or NULL. */
struct pop3_policy_session *pop3_policy_session_find(struct mail_user *user);

/* The mailbox was synced, which the pop3 process does before it is listed.
   Returns 0, or -1 with an error of the mailbox: then it must not be
   listed. */
int pop3_policy_session_mailbox_synced(struct pop3_policy_session *session,
				       struct mailbox *box);
/* What is known of the mailbox already; NULL if nothing is to be. */
struct fast_polls *
pop3_policy_session_fast_polls(struct pop3_policy_session *session);
/* Whether messages may have a UIDL that is not Dovecot's own. */
bool pop3_policy_session_has_uidls(const struct pop3_policy_session *session);
/* Such a UIDL, in the data stack. Returns 1, 0 if this message has none, -1 if
   it cannot be known: then the session ends. */
int pop3_policy_session_get_uidl(struct pop3_policy_session *session,
				 struct mail *mail, const char **uidl_r);

/* The pop3 process is about to list the messages that this search finds, by
   which they get their numbers: have it find only those that the client may
   see. */
void pop3_policy_session_list(struct pop3_policy_session *session,
			      struct mail_search_args *args);
/* The pop3 process asks for the first of the messages that it is about to list.
   Returns TRUE if all has been said about them: then it must be told that there are
   none. */
bool pop3_policy_session_send_list(struct pop3_policy_session *session);
/* The pop3 process goes through the mailbox, for one line for each message, to
   change their flags or, at QUIT, to expunge those that the client has deleted:
   then have it find none if the client could not be sent what it fetched. */
void pop3_policy_session_search_begin(struct pop3_policy_session *session,
				      struct mailbox_transaction_context *t,
				      struct mail_search_args *args);
void pop3_policy_session_search_end(struct pop3_policy_session *session);

/* The client wants a message that is not open yet. Returns TRUE if it may have
   it; else the reply is set, and opening the message must fail. */
bool pop3_policy_session_allow_open(struct pop3_policy_session *session,
				    struct mail *mail,
				    enum session_command command);
/* Likewise for an open message, whose stream is at its beginning: what could
   not be judged before. If it returns TRUE, the reply is sent next. */
bool pop3_policy_session_allow_send(struct pop3_policy_session *session,
				    struct mail *mail,
				    enum session_command command,
				    struct istream *stream);
/* The pop3 process is about to free this message, which it does when it has
   sent it. */
void pop3_policy_session_mail_freed(struct pop3_policy_session *session,
				    struct mail *mail);
/* The mailbox is about to be synced, which QUIT does when DELEs are committed,
   before the client is told goodbye. */
void pop3_policy_session_mailbox_sync(struct pop3_policy_session *session);

/* End the connection with the client, which has been told all: it need not
   wait for what a session writes down. */
void session_hang_up(struct client *client);

#endif
