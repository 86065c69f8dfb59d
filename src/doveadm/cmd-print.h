#ifndef POP3_POLICY_CMD_PRINT_H
#define POP3_POLICY_CMD_PRINT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "doveadm-print.h"

static inline void cmd_print_number_header(const char *key, const char *title)
{
	doveadm_print_header(key, title,
			     DOVEADM_PRINT_HEADER_FLAG_RIGHT_JUSTIFY);
}

/* Local time with its zone; none for 0, which stands for no time. */
void cmd_print_time(time_t t, const char *none);

#endif
