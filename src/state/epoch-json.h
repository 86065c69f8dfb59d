#ifndef POP3_POLICY_EPOCH_JSON_H
#define POP3_POLICY_EPOCH_JSON_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct json_t;
struct policy_epoch;

/* The epoch is a member of the state. */
#define EPOCH_JSON_MEMBER "uidl"

/* Parse that member. What *epoch_r points to lives in the pool. Returns 0, or
   -1 and an error that says where in the state it is. */
int epoch_json_parse(struct json_t *uidl, pool_t pool,
		     struct policy_epoch *epoch_r, const char **error_r);
/* Write the epoch to that member. Members that this version does not know
   stay; lists are replaced. */
void epoch_json_set(struct json_t *uidl, const struct policy_epoch *epoch);

#endif
