/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "strnum.h"
#include "compat.h"
#include "login-delay-text.h"

#define SPACES " \t\r\n"

int pop3_login_delay_parse(const char *text, unsigned int *seconds_r,
			   const char **error_r)
{
	unsigned int seconds;

	text = t_str_trim(text, SPACES);
	if (compat_str_parse_time(text, &seconds) < 0 ||
	    seconds > POP3_LOGIN_DELAY_MAX) {
		*error_r = t_strdup_printf("bad time \"%s\", expected 0 or "
			"a whole number with a unit such as 60s or 5 mins, at "
			"the most 1 day", text);
		return -1;
	}
	*seconds_r = seconds;
	return 0;
}

int pop3_login_burst_parse(const char *text, unsigned int *burst_r,
			   const char **error_r)
{
	const char *end;
	unsigned int burst;

	text = t_str_trim(text, SPACES);
	if (str_parse_uint32(text, &burst, &end) < 0 || *end != '\0' ||
	    burst > POP3_LOGIN_BURST_MAX) {
		*error_r = t_strdup_printf("bad number of logins \"%s\", "
			"expected a whole number from 0 to %u", text,
			POP3_LOGIN_BURST_MAX);
		return -1;
	}
	*burst_r = burst;
	return 0;
}

static const char *seconds_to_text(unsigned int seconds)
{
	return t_strdup_printf("%u second%s", seconds, seconds == 1 ? "" : "s");
}

const char *pop3_login_delay_to_text(const struct pop3_login_delay *rule,
				     unsigned int wait)
{
	return t_strdup_printf("[LOGIN-DELAY] Minimum time between logins is "
		"%s, try again in %s.", seconds_to_text(rule->seconds),
		seconds_to_text(wait));
}
