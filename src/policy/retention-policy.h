#ifndef POP3_POLICY_RETENTION_POLICY_H
#define POP3_POLICY_RETENTION_POLICY_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "retention.h"

/* The rules of a user, and what is done with messages that they take. */
struct retention_policy {
	struct pop3_retention_rules rules;
	/* a mailbox that they are moved to, in UTF-8; NULL if they are
	   expunged */
	const char *move_to;
	/* a search query: messages that it finds are exempt; "" for none */
	const char *exempt;
	/* a search query for what clients are shown, see view-text.h: what it
	   does not find is exempt from the rules for what was downloaded; NULL
	   if they are shown everything */
	const char *view;
	/* names of devices, see device-names.h, NULL at the end: what not all
	   of them have downloaded counts as never downloaded; without names the
	   first download counts */
	const char *const *devices;
	/* nothing is removed */
	bool report_only;
};

#endif
