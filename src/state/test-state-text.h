#ifndef POP3_POLICY_TEST_STATE_TEXT_H
#define POP3_POLICY_TEST_STATE_TEXT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* The text of a state. Each number occurs once, so that a test can replace any
   of them. */
#define HOUR_TEXT "{\"start\":1001,\"bytes\":1002,\"messages\":1003}"
#define DAY_TEXT "{\"start\":2001,\"bytes\":2002,\"messages\":2003}"
#define WEEK_TEXT "{\"start\":3001,\"bytes\":3002,\"messages\":3003}"
#define MONTH_TEXT "{\"start\":4001,\"bytes\":4002,\"messages\":4003}"
#define WINDOWS_TEXT \
	"{\"hour\":" HOUR_TEXT ",\"day\":" DAY_TEXT "," \
	"\"week\":" WEEK_TEXT ",\"month\":" MONTH_TEXT "}"
#define QUOTA_TEXT "{\"windows\":" WINDOWS_TEXT "}"
#define STATE_TEXT "{\"version\":1,\"quota\":" QUOTA_TEXT "}"

/* The text with to in the place of from, which it has once. */
static inline const char *
replace(const char *text, const char *from, const char *to)
{
	const char *p = strstr(text, from);

	i_assert(p != NULL && strstr(p + 1, from) == NULL);
	return t_strconcat(t_strdup_until(text, p), to, p + strlen(from), NULL);
}

#endif
