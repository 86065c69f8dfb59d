#ifndef POP3_POLICY_SIM_USER_H
#define POP3_POLICY_SIM_USER_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct policy_store;
struct pop3_quota_limits;

/* What sessions have done to the state. */
struct sim_counts {
	uint64_t sessions;
	/* the state was read; how often only its brief */
	uint64_t read, read_brief;
	/* the state was written */
	uint64_t written;
	/* downloaded, and so many were refused */
	uint64_t messages, refused;
};

/* One user's state on the disk, and what the plugin does to it in a session.
   Everything that fails ends the program. */
struct sim_user {
	/* the folder of the state */
	const char *path;
	bool fsync;
};

/* Make the state of a user whose mailbox has held so many messages, all of them
   downloaded and still there. */
void sim_user_make(const struct sim_user *user, uint32_t held, time_t now);
/* A session that finds nothing new. */
void sim_user_poll(const struct sim_user *user, struct sim_counts *counts);
/* A session that downloads new messages of these sizes and leaves them on the
   server. */
void sim_user_fetch(const struct sim_user *user, const uint32_t *sizes,
		    unsigned int sizes_count,
		    const struct pop3_quota_limits *limits, time_t now,
		    struct sim_counts *counts);

#endif
