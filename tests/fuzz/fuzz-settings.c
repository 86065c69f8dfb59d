/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "unichar.h"
#include "device-names.h"
#include "expire.h"
#include "login-delay-text.h"
#include "quota-text.h"
#include "rate-text.h"
#include "retention-text.h"
#include "socket-name.h"
#include "pop3-policy-settings.h"
#include "pop3-policy-setting-names.h"
#include "fuzz.h"

#include <ctype.h>

/* What a setting is taken for is what its text says, and keeps the bounds that
   all others trust; a text that is refused changes nothing. */

const char *const fuzz_corpus = "settings";

#define UNTOUCHED 4711
#define SPACES " \t\r\n"

static const struct pop3_policy_settings defaults = {
	.pop3_policy_quota = "",
	.pop3_policy_quota_warning = "",
	.pop3_policy_quota_top = "headers",
	.pop3_policy_quota_action = "deny",
	.pop3_policy_rate = "",
	.pop3_policy_state = "file:/home/user",
	.pop3_policy_on_error = "fail",
	.pop3_policy_login_delay = "0",
	.pop3_policy_login_burst = "0",
	.pop3_policy_uidl_alarm = "50%",
	.pop3_policy_fast_polls = "yes",
	.pop3_policy_view = "",
	.pop3_policy_keep_downloaded = "forever",
	.pop3_policy_keep_undownloaded = "forever",
	.pop3_policy_keep_max_messages = "unlimited",
	.pop3_policy_keep_max_size = "unlimited",
	.pop3_policy_expire_action = "expunge",
	.pop3_policy_exempt = "FLAGGED",
	.pop3_policy_device = "",
	.pop3_policy_keep_devices = "",
	.pop3_policy_report_only = "no",
};

/* The number that the text begins with times what its unit stands for must not
   be another one because it was too large. */
static void
check_size(const char *text, uint64_t size)
{
	static const char units[] = "BKMGT";
	const char *unit, *end;
	uint64_t number;

	text = t_str_trim(text, SPACES);
	i_assert(str_parse_uint64(text, &number, &end) == 0);
	end += strspn(end, SPACES);
	unit = *end == '\0' ? units : strchr(units, i_toupper(*end));
	i_assert(unit != NULL && *unit != '\0');
	for (; unit > units; unit--) {
		i_assert(size % 1024 == 0);
		size /= 1024;
	}
	i_assert(size == number);
}

static void check_quota(const char *text)
{
	struct pop3_quota_limits limits, same;
	const char *error = NULL, *word;
	unsigned int w, r;
	uint64_t limit;

	memset(&limits, 0xff, sizeof(limits));
	same = limits;
	if (pop3_quota_limits_parse(text, &limits, &error) < 0) {
		i_assert(error != NULL);
		i_assert(memcmp(&limits, &same, sizeof(limits)) == 0);
		return;
	}
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
			limit = limits.window[w].n[r];
			if (limit == 0)
				continue;
			word = pop3_quota_limit_to_text(w, r, limit);
			i_assert(pop3_quota_limits_parse(word, &same,
							 &error) == 0);
			i_assert(same.window[w].n[r] == limit);
		}
	}
}

static void check_rate(const char *text, uint64_t rate)
{
	uint64_t same;
	const char *error;

	if (rate == 0)
		return;
	i_assert(rate >= POP3_RATE_MIN && rate <= POP3_RATE_MAX);
	i_assert(pop3_rate_parse(pop3_rate_to_text(rate), &same, &error) == 0);
	i_assert(same == rate);
	check_size(text, rate);
}

static void check_rates(const char *text)
{
	uint64_t rate = UNTOUCHED;
	const char *error = NULL;

	if (pop3_rate_parse(text, &rate, &error) == 0)
		check_rate(text, rate);
	else
		i_assert(rate == UNTOUCHED && error != NULL);
	rate = UNTOUCHED;
	error = NULL;
	if (pop3_quota_action_parse(text, &rate, &error) == 0)
		check_rate(text + strcspn(text, "0123456789"), rate);
	else
		i_assert(rate == UNTOUCHED && error != NULL);
}

static void check_delay(const char *text)
{
	unsigned int number = UNTOUCHED;
	const char *error = NULL;

	if (pop3_login_delay_parse(text, &number, &error) == 0)
		i_assert(number <= POP3_LOGIN_DELAY_MAX);
	else
		i_assert(number == UNTOUCHED && error != NULL);
	number = UNTOUCHED;
	error = NULL;
	if (pop3_login_burst_parse(text, &number, &error) == 0)
		i_assert(number <= POP3_LOGIN_BURST_MAX);
	else
		i_assert(number == UNTOUCHED && error != NULL);
}

/* A time is at least its number, in whatever unit but milliseconds. */
static void check_time(const char *text, uint64_t seconds)
{
	const char *end;
	uint64_t number;

	if (seconds == POP3_KEEP_FOREVER)
		return;
	i_assert(seconds <= UINT32_MAX);
	text = t_str_trim(text, SPACES);
	i_assert(str_parse_uint64(text, &number, &end) == 0);
	end += strspn(end, SPACES);
	i_assert(seconds >= number || strncasecmp(end, "ms", 2) == 0 ||
		 strncasecmp(end, "milli", 5) == 0);
}

static void check_keep(const char *text)
{
	uint64_t number = UNTOUCHED;
	const char *error = NULL, *mailbox = text;

	if (pop3_keep_time_parse(text, &number, &error) == 0)
		check_time(text, number);
	else
		i_assert(number == UNTOUCHED && error != NULL);
	number = UNTOUCHED;
	error = NULL;
	if (pop3_keep_count_parse(text, &number, &error) == 0)
		i_assert(number > 0);
	else
		i_assert(number == UNTOUCHED && error != NULL);
	number = UNTOUCHED;
	error = NULL;
	if (pop3_keep_size_parse(text, &number, &error) < 0)
		i_assert(number == UNTOUCHED && error != NULL);
	else if (number != POP3_KEEP_UNLIMITED)
		check_size(text, number);
	error = NULL;
	if (pop3_expire_action_parse(text, &mailbox, &error) < 0)
		i_assert(mailbox == text && error != NULL);
	else
		i_assert(mailbox == NULL || (*mailbox != '\0' &&
					     uni_utf8_str_is_valid(mailbox)));
}

static void check_devices(const char *text)
{
	pool_t pool = pool_alloconly_create("fuzz", 1024);
	const char *const *devices = NULL, *name = text, *error = NULL;
	unsigned int i;

	if (pop3_device_parse(text, &name, &error) == 0)
		i_assert(name == NULL ||
			 pop3_device_name_is_valid(name, &error));
	else
		i_assert(name == text && error != NULL);
	error = NULL;
	if (pop3_devices_parse(text, pool, &devices, &error) == 0) {
		i_assert(str_array_length(devices) <= POP3_DEVICES_MAX);
		for (i = 0; devices[i] != NULL; i++) {
			i_assert(pop3_device_name_is_valid(devices[i],
							   &error));
			i_assert(!str_array_find(devices + i + 1, devices[i]));
		}
	} else {
		i_assert(devices == NULL && error != NULL);
	}
	pool_unref(&pool);
}

static void check_socket(const char *text)
{
	const char *name = text + 1, *error = NULL;

	if (pop3_socket_name_parse(text, &name, &error) == 0)
		i_assert(name == NULL || (name == text &&
					  strlen(name) <= POP3_SOCKET_MAX_LEN));
	else
		i_assert(name == text + 1 && error != NULL);
}

static void check_settings(struct pop3_policy_settings *set)
{
	const struct pop3_autoexpunge none = { 0, 0 };
	pool_t pool = pool_alloconly_create("fuzz", 1024);
	const char *error = NULL;

	if (!pop3_policy_settings_check(set, pool, &error)) {
		i_assert(strncmp(error, "pop3_policy_", 12) == 0);
	} else {
		i_assert(error == NULL);
		i_assert(set->uidl_alarm_percent <= 100);
		i_assert(set->retention.rules.keep_undownloaded > 0);
		i_assert(set->view == NULL || *set->view != '\0');
		(void)pop3_expire_text(&set->retention, &none);
	}
	pool_unref(&pool);
}

/* The text in the place of one after the other. */
static void check_each(const char *text)
{
	const struct pop3_policy_setting_name *def;
	struct pop3_policy_settings set;

	def = pop3_policy_setting_names;
	for (; def->name != NULL; def++) T_BEGIN {
		const char **value = PTR_OFFSET(&set, def->offset);

		set = defaults;
		*value = text;
		check_settings(&set);
	} T_END;
}

/* Lines such as "pop3_policy_quota=5M/day". */
static void check_together(const char *text)
{
	const struct pop3_policy_setting_name *def;
	struct pop3_policy_settings set = defaults;
	const char *const *line, *value;

	for (line = t_strsplit(text, "\n"); *line != NULL; line++) {
		value = strchr(*line, '=');
		def = pop3_policy_setting_names;
		for (; def->name != NULL && value != NULL; def++) {
			if (strncmp(*line, def->name, value - *line) == 0)
				*(const char **)PTR_OFFSET(&set,
					def->offset) = value + 1;
		}
	}
	check_settings(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text;

	fuzz_init();
	T_BEGIN {
		text = fuzz_text(data, size);
		check_quota(text);
		check_rates(text);
		check_delay(text);
		check_keep(text);
		check_devices(text);
		check_socket(text);
		check_each(text);
		check_together(text);
	} T_END;
	return 0;
}
