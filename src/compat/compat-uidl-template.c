/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "uidl-template.h"
#include "compat-uidl-template.h"

/* A width in its shortest form. */
static bool parse_width(const char **text, unsigned int *width_r)
{
	const char *p = *text;
	unsigned int width = 0;

	if (*p == '0')
		return FALSE;
	for (; *p >= '0' && *p <= '9'; p++) {
		width = width * 10 + (unsigned int)(*p - '0');
		if (width > UIDL_TEMPLATE_MAX_WIDTH)
			return FALSE;
	}
	if (width == 0)
		return FALSE;
	*text = p;
	*width_r = width;
	return TRUE;
}

#if DOVECOT_PREREQ(2, 4, 0)

/* A filter cuts what is longer than its width: no UID has more digits. */
#define MIN_HEX_WIDTH 8

/* Up to the next '%'. */
static bool literal_is_known(const char *text, size_t len)
{
	/* some versions of Dovecot 2.4 lose a "y" that stands alone */
	return len != 1 || *text != 'y';
}

static void skip_spaces(const char **text)
{
	while (**text == ' ')
		(*text)++;
}

/* A word or sign, and the spaces after it. What Dovecot would take for a longer
   word goes on with something that no known format has there. */
static bool parse_token(const char **text, const char *token)
{
	size_t len = strlen(token);

	if (strncmp(*text, token, len) != 0)
		return FALSE;
	*text += len;
	skip_spaces(text);
	return TRUE;
}

static bool
parse_key(const char **text, enum uidl_template_value *value_r)
{
	/* in this order: "uidvalidity" begins with "uid" */
	static const char *const names[UIDL_TEMPLATE_VALUE_COUNT] = {
		[UIDL_TEMPLATE_UIDVALIDITY] = "uidvalidity",
		[UIDL_TEMPLATE_UID] = "uid",
		[UIDL_TEMPLATE_MD5] = "md5",
		[UIDL_TEMPLATE_FILENAME] = "filename",
		[UIDL_TEMPLATE_GUID] = "guid",
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(names); i++) {
		if (parse_token(text, names[i])) {
			*value_r = i;
			return TRUE;
		}
	}
	return FALSE;
}

/* "| hex" or "| hex(8)" */
static bool parse_hex(const char **text, unsigned int *width_r)
{
	*width_r = 0;
	if (!parse_token(text, "|") || !parse_token(text, "hex"))
		return FALSE;
	if (!parse_token(text, "("))
		return TRUE;
	if (!parse_width(text, width_r) || *width_r < MIN_HEX_WIDTH)
		return FALSE;
	skip_spaces(text);
	return parse_token(text, ")");
}

/* After a '%': "{uid | hex(8)}". */
static bool parse_variable(struct uidl_template *tmpl, const char **text)
{
	enum uidl_template_value value;
	unsigned int width;

	if (!parse_token(text, "{") || !parse_key(text, &value))
		return FALSE;
	if (value != UIDL_TEMPLATE_UIDVALIDITY && value != UIDL_TEMPLATE_UID)
		uidl_template_add_text(tmpl, value);
	else if (**text != '|')
		uidl_template_add_number(tmpl, value, 10, 0);
	else if (parse_hex(text, &width))
		uidl_template_add_number(tmpl, value, 16, width);
	else
		return FALSE;
	/* spaces after it are text */
	return *(*text)++ == '}';
}

#else

/* Up to the next '%'. */
static bool literal_is_known(const char *text ATTR_UNUSED,
			     size_t len ATTR_UNUSED)
{
	return TRUE;
}

static bool parse_key(char letter, enum uidl_template_value *value_r)
{
	static const char letters[UIDL_TEMPLATE_VALUE_COUNT] = {
		[UIDL_TEMPLATE_UIDVALIDITY] = 'v',
		[UIDL_TEMPLATE_UID] = 'u',
		[UIDL_TEMPLATE_MD5] = 'm',
		[UIDL_TEMPLATE_FILENAME] = 'f',
		[UIDL_TEMPLATE_GUID] = 'g',
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(letters); i++) {
		if (letters[i] == letter) {
			*value_r = i;
			return TRUE;
		}
	}
	return FALSE;
}

/* After a '%': "%", "u", "Xu", "010u", "08Xu"; "%{uid}" is no UID to Dovecot's
   POP3 server. Without the zero a width cuts and does not fill. */
static bool parse_variable(struct uidl_template *tmpl, const char **text)
{
	enum uidl_template_value value;
	unsigned int width = 0;
	const char *start = *text;
	bool hex;

	if (**text == '%') {
		uidl_template_add_literal(tmpl, (*text)++, 1);
		return TRUE;
	}
	if (**text == '0') {
		(*text)++;
		if (!parse_width(text, &width))
			return FALSE;
	}
	hex = **text == 'X';
	if (hex)
		(*text)++;
	if (!parse_key(**text, &value))
		return FALSE;
	if (value == UIDL_TEMPLATE_UIDVALIDITY || value == UIDL_TEMPLATE_UID)
		uidl_template_add_number(tmpl, value, hex ? 16 : 10, width);
	else if (*text == start)
		uidl_template_add_text(tmpl, value);
	else
		return FALSE;
	(*text)++;
	return TRUE;
}

#endif

static bool parse_literal(struct uidl_template *tmpl, const char **text)
{
	size_t i, len = strcspn(*text, "%");

	for (i = 0; i < len; i++) {
		if ((*text)[i] < 0x20 || (*text)[i] > 0x7e)
			return FALSE;
	}
	if (!literal_is_known(*text, len))
		return FALSE;
	uidl_template_add_literal(tmpl, *text, len);
	*text += len;
	return TRUE;
}

static bool uses_any(const struct uidl_template *tmpl)
{
	unsigned int i;

	for (i = 0; i < UIDL_TEMPLATE_VALUE_COUNT; i++) {
		if (uidl_template_uses(tmpl, i))
			return TRUE;
	}
	return FALSE;
}

bool compat_uidl_template_parse(pool_t pool, const char *format,
				struct uidl_template **template_r)
{
	struct uidl_template *tmpl = uidl_template_init(pool);

	while (*format != '\0') {
		if (*format != '%') {
			if (!parse_literal(tmpl, &format))
				return FALSE;
			continue;
		}
		format++;
		if (!parse_variable(tmpl, &format))
			return FALSE;
	}
	if (!uses_any(tmpl))
		return FALSE;
	*template_r = tmpl;
	return TRUE;
}
