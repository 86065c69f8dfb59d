#ifndef POP3_POLICY_SESSION_UIDLS_H
#define POP3_POLICY_SESSION_UIDLS_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "seq-range-array.h"
#include "retention-due.h"

struct client;
struct mail;
struct mailbox;
struct maildrop;
struct policy_store;
struct pop3_policy_settings;

/* The UIDLs of one session: which ones its messages have, and what of it is to
   be written down at its end. */
struct session_uidls;

/* Read the state before the maildrop is opened, only as far as a poll needs it
   if that will do. What is given must outlive the session. Returns 0, or -1
   and an error if the state cannot be used. */
int session_uidls_init(struct client *client,
		       const struct pop3_policy_settings *set,
		       struct policy_store *store, struct event *event,
		       struct session_uidls **uidls_r, const char **error_r);
void session_uidls_deinit(struct session_uidls **uidls);

/* The maildrop was synced, and is not listed yet: find out its UIDLs, which
   may sync it again. checked_epoch is that of struct maildrop. Returns 0, or
   -1 if they cannot be known, which is logged, and set as the error of the
   mailbox. */
int session_uidls_open(struct session_uidls *uidls, struct mailbox *box,
		       uint32_t checked_epoch);

/* Whether session_uidls_get() may find any. */
bool session_uidls_exist(const struct session_uidls *uidls);
/* The UIDL of a message that is not Dovecot's own, in the data stack. Returns
   1, 0 if it has Dovecot's own, or -1: that is logged, and the session ends
   without a further word, as a wrong UIDL must not be told. */
int session_uidls_get(struct session_uidls *uidls, struct mail *mail,
		      const char **uidl_r);

/* The client was sent all of this message or a part of it. */
void session_uidls_add_seen(struct session_uidls *uidls, uint32_t uid);
/* Write down what the client knows now, after it is gone. downloaded are the
   UIDs of messages that it has got whole, if it ended the session as it
   should. */
void session_uidls_finish(struct session_uidls *uidls,
			  const ARRAY_TYPE(seq_range) *downloaded);
/* Write lines anew that were found to be lost by that. In between retention has
   its turn, which says that lines were lost where this matters to it. */
void session_uidls_finish_lost(struct session_uidls *uidls);

/* The epoch of the session; 0 if it has none. */
uint32_t session_uidls_epoch(const struct session_uidls *uidls);
/* What was known of retention when the session began. Returns FALSE if there
   was nothing yet that it could be about. */
bool session_uidls_get_retention(const struct session_uidls *uidls,
				 struct pop3_retention_bounds *bounds_r);
/* Sync the maildrop, after the session. *drop_r lives as long as uidls.
   Returns 0, or -1 and an error: also if the session has had no maildrop. */
int session_uidls_sync_drop(struct session_uidls *uidls,
			    struct maildrop **drop_r, const char **error_r);

/* The epoch in which all messages of the maildrop as it is now are known, as
   it is written now; 0 if there is none. */
uint32_t session_uidls_check_epoch(struct session_uidls *uidls);

#endif
