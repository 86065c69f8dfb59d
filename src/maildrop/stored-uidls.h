#ifndef POP3_POLICY_STORED_UIDLS_H
#define POP3_POLICY_STORED_UIDLS_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "seq-range-array.h"

struct mail;
struct maildrop;
struct policy_epoch;
struct policy_store;

/* The UIDLs of one maildrop that are not Dovecot's own, served from the index
   cache; what is not there comes from the journal, which is then read once, and
   goes into the cache. */
struct stored_uidls;

/* epoch must be that of the maildrop as it is now; what is needed is copied. */
struct stored_uidls *
stored_uidls_init(struct maildrop *drop, struct policy_store *store,
		  const struct policy_epoch *epoch);
void stored_uidls_deinit(struct stored_uidls **uidls);

/* Whether any message may have one. */
bool stored_uidls_exist(const struct stored_uidls *uidls);
/* See that the UIDLs are at hand: if the cache has lost them, read the journal
   now. Returns 1, 0 and an error if they are lost, -1 and an error if it cannot
   be known. */
int stored_uidls_prepare(struct stored_uidls *uidls, const char **error_r);

/* The stored UIDL of a message, in the data stack. Returns 1, 0 if the message
   has Dovecot's own, -1 and an error. */
int stored_uidls_lookup(struct stored_uidls *uidls, struct mail *mail,
			const char **uidl_r, const char **error_r);
/* The UIDL that clients are told, in the data stack, "" if there is none. Returns
   0, or -1 and an error; mail->expunged tells whether the message is gone. */
int stored_uidls_get_told(struct stored_uidls *uidls, struct mail *mail,
			  const char **uidl_r, const char **error_r);

#endif
