#ifndef POP3_POLICY_PREPARE_H
#define POP3_POLICY_PREPARE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct maildrop;
struct policy_epoch;
struct policy_store;
struct stored_uidls;

/* What clients of a maildrop are told. */
struct maildrop_uidls {
	pool_t pool;
	/* NULL if nothing was ever written for this user */
	struct policy_epoch *epoch;
	/* NULL without an epoch */
	struct stored_uidls *stored;
};

enum prepare_result {
	PREPARE_DONE,
	/* somebody else has changed the state: read it again, sync the mailbox,
	   and try again */
	PREPARE_RETRY,
	/* too many known messages are missing: the admin has to say what to
	   do */
	PREPARE_ALARM,
	/* the UIDLs cannot be known */
	PREPARE_FAILED
};

/* Find out which UIDLs the messages of the maildrop have; if something does not
   fit, recover them. epoch is that of the state, which must have been read before
   the maildrop was synced; NULL if it has none. After PREPARE_DONE *uidls_r is to
   be freed by maildrop_uidls_free(), after PREPARE_ALARM and PREPARE_FAILED *error_r
   says why, for the admin. */
enum prepare_result
maildrop_prepare(struct maildrop *drop, struct policy_store *store,
		 const struct policy_epoch *epoch, unsigned int alarm_percent,
		 struct maildrop_uidls **uidls_r, const char **error_r);
/* The UIDLs of an epoch that is known to hold. */
struct maildrop_uidls *
maildrop_uidls_init(struct maildrop *drop, struct policy_store *store,
		    const struct policy_epoch *epoch);
void maildrop_uidls_free(struct maildrop_uidls **uidls);

#endif
