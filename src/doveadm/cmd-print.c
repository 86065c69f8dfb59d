/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "time-util.h"
#include "cmd-print.h"

#include <time.h>

void cmd_print_time(time_t t, const char *none)
{
	if (t == 0)
		doveadm_print(none);
	else if (localtime(&t) == NULL) {
		/* the files may say any number */
		doveadm_print(dec2str(t));
	} else {
		doveadm_print(t_strflocaltime("%Y-%m-%d %H:%M:%S %z", t));
	}
}
