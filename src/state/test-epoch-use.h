#ifndef POP3_POLICY_TEST_EPOCH_USE_H
#define POP3_POLICY_TEST_EPOCH_USE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "epoch.h"
#include "state.h"

/* What tests of the epoch need: states by their texts, and what an epoch has as
   text. All texts are in the data stack. */

/* The text must be that of a state. */
struct policy_state *parse(const char *text);
const char *print(struct policy_state *state);

/* As "1:7,9". */
const char *ranges_text(const ARRAY_TYPE(seq_range) *ranges);
/* As "phone=1:4,9 laptop=2". */
const char *devices_text(const struct policy_epoch *epoch);
/* The times, in the order that the state has them. */
const char *times_text(const struct pop3_retention_bounds *bounds);

#endif
