/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "unichar.h"
#include "device-names.h"

#define SPACES " \t\r\n"
#define NONE "none"
#define NAME_EXPECTED \
	"expected 1 to 64 octets of UTF-8 without white space, commas, " \
	"quotes and control characters"
#define COUNT_EXPECTED "expected at most 16"

/* White space of Unicode, and what leaves no mark: two names would look the
   same. */
static const struct {
	unichar_t first, last;
} blank_ranges[] = {
	{ 0x0000, 0x0020 },
	{ 0x007f, 0x00a0 },
	{ 0x00ad, 0x00ad },
	{ 0x034f, 0x034f },
	{ 0x061c, 0x061c },
	{ 0x115f, 0x1160 },
	{ 0x1680, 0x1680 },
	{ 0x17b4, 0x17b5 },
	{ 0x180b, 0x180f },
	{ 0x2000, 0x200f },
	{ 0x2028, 0x202f },
	{ 0x205f, 0x206f },
	{ 0x2800, 0x2800 },
	{ 0x3000, 0x3000 },
	{ 0x3164, 0x3164 },
	{ 0xfe00, 0xfe0f },
	{ 0xfeff, 0xfeff },
	{ 0xffa0, 0xffa0 },
	{ 0xfff0, 0xfffb },
	{ 0xe0000, 0xe0fff },
};

static bool is_blank(unichar_t chr)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(blank_ranges); i++) {
		if (chr >= blank_ranges[i].first && chr <= blank_ranges[i].last)
			return TRUE;
	}
	return FALSE;
}

static const char *find_fault(const char *name)
{
	unichar_t chr;
	int len;

	if (*name == '\0')
		return "is empty";
	if (strlen(name) > POP3_DEVICE_NAME_MAX_LEN)
		return "is too long";
	if (!uni_utf8_str_is_valid(name))
		return "is not UTF-8";
	for (; *name != '\0'; name += len) {
		len = uni_utf8_get_char(name, &chr);
		if (len <= 0)
			return "is not UTF-8";
		if (is_blank(chr))
			return "has white space or a control character";
		if (chr == ',' || chr == '"' || chr == '\'')
			return "has a comma or a quote";
	}
	return NULL;
}

bool pop3_device_name_is_valid(const char *name, const char **error_r)
{
	const char *fault = find_fault(name);

	if (fault == NULL)
		return TRUE;
	*error_r = t_strdup_printf("device name \"%s\" %s, "NAME_EXPECTED,
				   name, fault);
	return FALSE;
}

static bool is_none(const char *text)
{
	return *text == '\0' || strcasecmp(text, NONE) == 0;
}

/* It would be taken for no device. */
static int name_check(const char *name, const char **error_r)
{
	if (strcasecmp(name, NONE) == 0) {
		*error_r = "\"none\" beside other devices, expected none "
			"alone, or names of devices";
		return -1;
	}
	return pop3_device_name_is_valid(name, error_r) ? 0 : -1;
}

int pop3_device_parse(const char *text, const char **name_r,
		      const char **error_r)
{
	text = t_str_trim(text, SPACES);
	if (is_none(text)) {
		*name_r = NULL;
		return 0;
	}
	if (!pop3_device_name_is_valid(text, error_r))
		return -1;
	*name_r = text;
	return 0;
}

static int names_check(const char *const *names, const char **error_r)
{
	unsigned int i, count = str_array_length(names);

	if (count > POP3_DEVICES_MAX) {
		*error_r = t_strdup_printf("%u devices, "COUNT_EXPECTED, count);
		return -1;
	}
	for (i = 0; i < count; i++) {
		if (name_check(names[i], error_r) < 0)
			return -1;
		if (str_array_find(names + i + 1, names[i])) {
			*error_r = t_strdup_printf("device \"%s\" is named "
				"twice, expected each one once", names[i]);
			return -1;
		}
	}
	return 0;
}

int pop3_devices_parse(const char *text, pool_t pool,
		       const char *const **names_r, const char **error_r)
{
	static const char *const no_names[] = { NULL };
	const char *const *names;

	if (is_none(t_str_trim(text, SPACES))) {
		*names_r = no_names;
		return 0;
	}
	names = t_strsplit_spaces(text, SPACES ",");
	if (names_check(names, error_r) < 0)
		return -1;
	*names_r = p_strarray_dup(pool, names);
	return 0;
}
