#ifndef POP3_POLICY_EPOCH_JSON_SETS_H
#define POP3_POLICY_EPOCH_JSON_SETS_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "epoch.h"

struct json_t;

/* Sets of UIDs in the state: as IMAP writes them, without "*". */

/* The set is empty if uidl has no such member; memory comes from the pool.
   Returns 0, or -1 and an error that names the member and says what was
   expected. */
int epoch_json_get_set(struct json_t *uidl, const char *name, pool_t pool,
		       ARRAY_TYPE(seq_range) *uids_r, const char **error_r);
/* An empty set is left out. */
void epoch_json_set_set(struct json_t *uidl, const char *name,
			const ARRAY_TYPE(seq_range) *uids);

/* Sets of devices: an object with one for each name. Likewise. */
int epoch_json_get_devices(struct json_t *uidl, pool_t pool,
			   ARRAY_TYPE(policy_device) *devices_r,
			   const char **error_r);
void epoch_json_set_devices(struct json_t *uidl,
			    const ARRAY_TYPE(policy_device) *devices);

#endif
