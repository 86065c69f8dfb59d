/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "strnum.h"
#include "time-util.h"
#include "compat.h"
#include "quota-text.h"

#include <time.h>

#define MESSAGES_UNIT "msg"
#define AMOUNT_EXPECTED \
	"expected a whole number above 0 followed by b, k, M, G, T or " \
	MESSAGES_UNIT
#define WINDOW_EXPECTED "expected hour, day, week or month"

static int
amount_parse(const char *text, enum pop3_quota_resource *resource_r,
	     uint64_t *amount_r)
{
	const char *unit;
	uint64_t number;

	if (str_parse_uint64(text, &number, &unit) < 0 || number == 0)
		return -1;
	if (strcasecmp(unit, MESSAGES_UNIT) == 0) {
		*resource_r = POP3_QUOTA_MESSAGES;
		*amount_r = number;
		return 0;
	}
	/* a bare number could be meant as messages or as octets */
	if (strlen(unit) != 1 ||
	    compat_str_parse_size(text, amount_r) < 0)
		return -1;
	*resource_r = POP3_QUOTA_BYTES;
	return 0;
}

static int
limit_parse(const char *text, struct pop3_quota_limits *limits,
	    const char **error_r)
{
	enum pop3_quota_window window;
	enum pop3_quota_resource resource;
	const char *slash = strchr(text, '/');
	const char *amount_text;
	uint64_t amount, *limit;

	if (slash == NULL) {
		*error_r = t_strdup_printf("no window in \"%s\", expected "
			"AMOUNT/WINDOW such as 500M/day", text);
		return -1;
	}
	amount_text = t_strdup_until(text, slash);
	if (amount_parse(amount_text, &resource, &amount) < 0) {
		*error_r = t_strdup_printf("bad amount \"%s\" in \"%s\", "
			AMOUNT_EXPECTED, amount_text, text);
		return -1;
	}
	if (!pop3_quota_window_parse(slash + 1, &window)) {
		*error_r = t_strdup_printf("unknown window \"%s\" in \"%s\", "
			WINDOW_EXPECTED, slash + 1, text);
		return -1;
	}
	limit = &limits->window[window].n[resource];
	if (*limit == 0 || amount < *limit)
		*limit = amount;
	return 0;
}

int pop3_quota_limits_parse(const char *text, struct pop3_quota_limits *limits_r,
			    const char **error_r)
{
	struct pop3_quota_limits limits;
	const char *const *words;

	i_zero(&limits);
	words = t_strsplit_spaces(text, " \t\r\n");
	if (words[0] != NULL && words[1] == NULL &&
	    strcasecmp(words[0], "unlimited") == 0)
		words++;
	for (; *words != NULL; words++) {
		if (strcasecmp(*words, "unlimited") == 0) {
			*error_r = "\"unlimited\" stands beside limits, "
				"expected it alone";
			return -1;
		}
		if (limit_parse(*words, &limits, error_r) < 0)
			return -1;
	}
	*limits_r = limits;
	return 0;
}

const char *pop3_quota_resource_name(enum pop3_quota_resource resource)
{
	return resource == POP3_QUOTA_BYTES ? "bytes" : "messages";
}

/* Divide octets by the largest unit that divides them (exact), or by the
   largest that is not above them. */
static uint64_t bytes_scale(uint64_t bytes, bool exact, const char **unit_r)
{
	static const char *const units[] = { "", "k", "M", "G", "T" };
	unsigned int i;

	for (i = 0; i + 1 < N_ELEMENTS(units); i++) {
		if (bytes < 1024 || (exact && bytes % 1024 != 0))
			break;
		bytes /= 1024;
	}
	*unit_r = units[i];
	return bytes;
}

static const char *
amount_to_setting(enum pop3_quota_resource resource, uint64_t amount,
		  bool exact)
{
	const char *unit;

	if (resource == POP3_QUOTA_MESSAGES)
		return t_strdup_printf("%"PRIu64 MESSAGES_UNIT, amount);
	amount = bytes_scale(amount, exact, &unit);
	return t_strdup_printf("%"PRIu64"%s", amount,
			       *unit == '\0' ? "b" : unit);
}

const char *
pop3_quota_limit_to_text(enum pop3_quota_window window,
			 enum pop3_quota_resource resource, uint64_t limit)
{
	return t_strdup_printf("%s/%s", amount_to_setting(resource, limit, TRUE),
			       pop3_quota_window_name(window));
}

const char *pop3_quota_amount_to_text(enum pop3_quota_resource resource,
				      uint64_t amount)
{
	const char *unit;

	if (resource == POP3_QUOTA_MESSAGES) {
		return t_strdup_printf("%"PRIu64" message%s", amount,
				       amount == 1 ? "" : "s");
	}
	amount = bytes_scale(amount, FALSE, &unit);
	return t_strdup_printf("%"PRIu64" %sB", amount, unit);
}

const char *pop3_quota_time_to_text(time_t t)
{
	return t_strflocaltime("%Y-%m-%d %H:%M %z", t);
}

const char *pop3_quota_denial_to_text(const struct pop3_quota_denial *denial)
{
	const char *limit, *what, *left;

	limit = t_strdup_printf("%s %s %s",
		pop3_quota_amount_to_text(denial->resource, denial->limit),
		denial->window == POP3_QUOTA_WINDOW_HOUR ? "an" : "a",
		pop3_quota_window_name(denial->window));
	if (denial->left == 0) {
		what = t_strdup_printf("Download quota used up (%s)", limit);
	} else {
		left = pop3_quota_amount_to_text(denial->resource, denial->left);
		what = t_strdup_printf("Message does not fit in the download "
				       "quota (%s, %s left)", limit, left);
	}
	return t_strdup_printf("[SYS/TEMP] %s, try again after %s", what,
			       pop3_quota_time_to_text(denial->until));
}

const char *
pop3_quota_left_to_text(const struct pop3_quota_limits *limits,
			const struct pop3_quota_counters *counters)
{
	string_t *str = t_str_new(64);
	unsigned int w, r;

	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
			enum pop3_quota_resource resource = r;
			uint64_t limit = limits->window[w].n[r];
			uint64_t left = pop3_quota_subtract(limit,
					counters->window[w].used.n[r]);

			if (limit == 0)
				continue;
			if (str_len(str) > 0)
				str_append(str, ", ");
			str_printfa(str, "%s of %s", left == 0 ? "0" :
				    amount_to_setting(resource, left, FALSE),
				    pop3_quota_limit_to_text(w, resource, limit));
		}
	}
	return str_c(str);
}
