#ifndef POP3_POLICY_STATE_H
#define POP3_POLICY_STATE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "quota.h"

struct policy_epoch;

/* What is kept of one user between sessions, as doc/state.schema.json describes
   it. Members that this version does not know are kept when it is written. */
struct policy_state;

enum policy_state_parse_result {
	POLICY_STATE_PARSED,
	/* not JSON, or not our JSON: of no use to anybody */
	POLICY_STATE_CORRUPT,
	/* written by a version that is newer than this one: of use to that */
	POLICY_STATE_TOO_NEW
};

/* The state of a user who has none. */
struct policy_state *policy_state_init(void);
/* Frees it, when nobody else holds it. */
void policy_state_deinit(struct policy_state **state);

/* Hold the state a second time. Returns it. */
struct policy_state *policy_state_ref(struct policy_state *state);
/* Likewise, as it was when it was last parsed or printed.
   NULL if somebody else holds it, who may be changing it. */
struct policy_state *policy_state_ref_unchanged(struct policy_state *state);

/* On success *state_r is the caller's to deinit, else *error_r says what is
   wrong and where; it has nothing that could harm a log. */
enum policy_state_parse_result
policy_state_parse(const void *data, size_t size, struct policy_state **state_r,
		   const char **error_r);
/* Append the state as JSON text with a line end. */
void policy_state_print(struct policy_state *state, string_t *dest);

/* The counters, to be read and changed in place; they live as long as the
   state. */
struct pop3_quota_counters *policy_state_quota(struct policy_state *state);

/* What is known of the UIDLs, or NULL if nothing was written yet; it lives
   until another one is set, or as long as the state. */
const struct policy_epoch *policy_state_epoch(const struct policy_state *state);
/* Put a copy of this one in its place, in memory; it may share strings and
   arrays with the one that is there. Its fields must keep the bounds that
   parsing them checks, such as POLICY_EPOCH_MAX_RANGES. */
void policy_state_set_epoch(struct policy_state *state,
			    const struct policy_epoch *epoch);

#endif
