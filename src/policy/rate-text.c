/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "strnum.h"
#include "compat.h"
#include "rate-text.h"

#define SPACES " \t\r\n"
#define RATE_EXPECTED \
	"expected a whole number followed by b, k, M, G or T and /s, " \
	"such as 64k/s, from 1k/s to 1T/s"
#define ACTION_EXPECTED \
	"expected deny or throttle RATE such as throttle 64k/s"

static int number_parse(const char *text, uint64_t *rate_r)
{
	const char *slash = strchr(text, '/'), *amount, *unit;
	uint64_t rate, number;

	if (slash == NULL || strcasecmp(slash, "/s") != 0)
		return -1;
	amount = t_strdup_until(text, slash);
	/* a bare number could be meant as kilobytes or as octets */
	if (str_parse_uint64(amount, &number, &unit) < 0 ||
	    strlen(unit) != 1 || compat_str_parse_size(amount, &rate) < 0 ||
	    rate < POP3_RATE_MIN || rate > POP3_RATE_MAX)
		return -1;
	*rate_r = rate;
	return 0;
}

int pop3_rate_parse(const char *text, uint64_t *rate_r, const char **error_r)
{
	text = t_str_trim(text, SPACES);
	if (*text == '\0' || strcasecmp(text, "none") == 0) {
		*rate_r = 0;
		return 0;
	}
	if (number_parse(text, rate_r) < 0) {
		*error_r = t_strdup_printf("bad rate \"%s\", " RATE_EXPECTED,
					   text);
		return -1;
	}
	return 0;
}

int pop3_quota_action_parse(const char *text, uint64_t *rate_r,
			    const char **error_r)
{
	const char *rate;
	size_t len;

	text = t_str_trim(text, SPACES);
	if (strcasecmp(text, "deny") == 0) {
		*rate_r = 0;
		return 0;
	}
	len = strcspn(text, SPACES);
	if (strcasecmp(t_strndup(text, len), "throttle") != 0) {
		*error_r = t_strdup_printf("unknown action \"%s\", "
					   ACTION_EXPECTED, text);
		return -1;
	}
	rate = text + len + strspn(text + len, SPACES);
	if (number_parse(rate, rate_r) < 0) {
		*error_r = t_strdup_printf("bad rate \"%s\" after "
			"\"throttle\", " RATE_EXPECTED, rate);
		return -1;
	}
	return 0;
}

const char *pop3_rate_to_text(uint64_t rate)
{
	static const char units[] = "bkMGT";
	const char *unit = units;

	for (; rate % 1024 == 0 && unit[1] != '\0'; unit++)
		rate /= 1024;
	return t_strdup_printf("%"PRIu64"%c/s", rate, *unit);
}
