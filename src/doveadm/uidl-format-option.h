#ifndef POP3_POLICY_UIDL_FORMAT_OPTION_H
#define POP3_POLICY_UIDL_FORMAT_OPTION_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "uidl-text.h"
#include "compat-doveadm.h"

/* --format of the commands export and import. */
struct uidl_format_option {
	/* as it was given; NULL if it was not */
	const char *name;

	/* lines of the journal */
	bool jsonl;
	/* if not */
	enum pop3_uidl_text_format format;
};

/* Take the option from the command line. */
void uidl_format_option_init(struct uidl_format_option *option,
			     struct doveadm_mail_cmd_context *ctx);
/* Find out what it means. Returns 0, or -1 and an error. */
int uidl_format_option_parse(struct uidl_format_option *option,
			     const char **error_r);

#endif
