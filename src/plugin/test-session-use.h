#ifndef POP3_POLICY_TEST_SESSION_USE_H
#define POP3_POLICY_TEST_SESSION_USE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "session-quota.h"

/* What tests of session-quota need: sessions of one user, in a home and at a
   time of their own. */

#define BYTES POP3_QUOTA_BYTES
#define MESSAGES POP3_QUOTA_MESSAGES
#define HOUR POP3_QUOTA_WINDOW_HOUR
#define DAY POP3_QUOTA_WINDOW_DAY
#define MONTH POP3_QUOTA_WINDOW_MONTH

/* 2026-11-25 12:00 UTC, a Wednesday */
#define NOON 1795608000

/* What a pop3 process has. */
struct session {
	struct policy_store *store;
	struct session_quota *quota;
	/* the reply to the last request that was refused */
	const char *reply;
};

/* Below the home; tests may set it to another folder in there. */
extern const char *state_dir;
/* What is over the quota is slowed to this. 0, as at the beginning: it is
   refused. */
extern uint64_t throttle_rate;
/* How many info lines were logged since the beginning, and the last of them. */
extern unsigned int info_count;
extern string_t *info_last;

/* Begin at noon, with this quota and without a state. */
void fixture_begin(const char *quota);
void fixture_end(void);

void session_begin(struct session *session);
void session_begin_ignore(struct session *session, bool ignore_errors);
void session_kill(struct session *session);
/* Returns what is left, for the log. */
const char *session_end(struct session *session);

/* RETR of a message that has size octets, of which the reply has 10 more.
   Returns FALSE if it was refused. */
bool retr(struct session *session, uoff_t size);
/* TOP with a reply of that size. */
void top(struct session *session, uoff_t size);

/* A counter in the state on disk. */
uint64_t disk(enum pop3_quota_window window,
	      enum pop3_quota_resource resource);
/* The counters of all windows must be these. */
void assert_disk(uint64_t bytes, uint64_t messages, unsigned int idx);
/* Whether the state was written since this was asked before. */
bool was_written(void);

#endif
