#ifndef POP3_POLICY_RETENTION_BOUNDS_H
#define POP3_POLICY_RETENTION_BOUNDS_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct policy_epoch;
struct policy_store;
struct pop3_retention_bounds;

/* Write down what is known after a look at the messages of this epoch, as it
   was before the look. What sessions have downloaded meanwhile is added; if
   another epoch has begun nothing is written. Returns 0, or -1 and an
   error. */
int retention_write_bounds(struct policy_store *store,
			   const struct policy_epoch *epoch,
			   const struct pop3_retention_bounds *bounds,
			   const char **error_r);

#endif
