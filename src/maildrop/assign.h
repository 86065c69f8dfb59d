#ifndef POP3_POLICY_ASSIGN_H
#define POP3_POLICY_ASSIGN_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "recovery.h"

struct stored_uidls;

/* A UIDL that a message is to have. */
struct uidl_assignment {
	uint32_t uid;
	/* valid by pop3_uidl_is_valid() */
	const char *uidl;
	/* when it was first downloaded; 0 if that is not known */
	time_t downloaded;
};
ARRAY_DEFINE_TYPE(uidl_assignment, struct uidl_assignment);

/* Give these messages of the maildrop these UIDLs, at once, and begin a new epoch
   with them. epoch and stored are those of now, NULL if there is none. The caller
   has seen to it that no UID and no UIDL is there twice, and that no other message
   is told one of them. Lines that the journal has lost are written anew before.
   Returns RECOVERY_DONE, RECOVERY_RETRY, also then, or RECOVERY_FAILED and an
   error. */
enum recovery_result
maildrop_assign(struct maildrop *drop, struct policy_store *store,
		const struct policy_epoch *epoch, struct stored_uidls *stored,
		const ARRAY_TYPE(uidl_assignment) *assignments,
		const char **error_r);

#endif
