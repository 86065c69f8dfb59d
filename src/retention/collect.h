#ifndef POP3_POLICY_RETENTION_COLLECT_H
#define POP3_POLICY_RETENTION_COLLECT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "retention.h"

struct maildrop;
struct policy_epoch;
struct policy_store;

/* Find out what the rules need to know of each message of the maildrop, in the
   order of UIDs: when it was downloaded, by all of these devices (see
   pop3_message_downloaded_by()), comes from the journal of this epoch, which
   must hold. Delivery is asked for only if with_delivery. Returns 1, 0 and an
   error if the journal has lost lines, as a message that was downloaded could
   pass for one that was not: maildrop_mend_journal() sees to that; -1 and an
   error. */
int retention_collect(struct maildrop *drop, struct policy_store *store,
		      const struct policy_epoch *epoch,
		      const char *const *devices, bool with_delivery,
		      ARRAY_TYPE(pop3_retention_message) *messages,
		      const char **error_r);

#endif
