/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "uidl-template.h"

enum part_type {
	PART_LITERAL,
	PART_TEXT,
	PART_DECIMAL,
	PART_HEX
};

struct part {
	enum part_type type;
	/* except literals */
	enum uidl_template_value value;
	/* numbers */
	unsigned int width;
	/* literals */
	const char *text;
	size_t len;
};

struct uidl_template {
	pool_t pool;
	ARRAY(struct part) parts;
	bool uses[UIDL_TEMPLATE_VALUE_COUNT];
};

struct uidl_template *uidl_template_init(pool_t pool)
{
	struct uidl_template *tmpl;

	tmpl = p_new(pool, struct uidl_template, 1);
	tmpl->pool = pool;
	p_array_init(&tmpl->parts, pool, 4);
	return tmpl;
}

static bool value_is_number(enum uidl_template_value value)
{
	return value == UIDL_TEMPLATE_UIDVALIDITY || value == UIDL_TEMPLATE_UID;
}

void uidl_template_add_literal(struct uidl_template *tmpl, const char *text,
			       size_t len)
{
	struct part *part = array_append_space(&tmpl->parts);

	part->type = PART_LITERAL;
	part->text = p_strdup_until(tmpl->pool, text, text + len);
	part->len = len;
}

void uidl_template_add_text(struct uidl_template *tmpl,
			    enum uidl_template_value value)
{
	struct part *part = array_append_space(&tmpl->parts);

	i_assert(!value_is_number(value));
	part->type = PART_TEXT;
	part->value = value;
	tmpl->uses[value] = TRUE;
}

void uidl_template_add_number(struct uidl_template *tmpl,
			      enum uidl_template_value value,
			      unsigned int base, unsigned int width)
{
	struct part *part = array_append_space(&tmpl->parts);

	i_assert(value_is_number(value));
	i_assert(base == 10 || base == 16);
	i_assert(width <= UIDL_TEMPLATE_MAX_WIDTH);
	part->type = base == 10 ? PART_DECIMAL : PART_HEX;
	part->value = value;
	part->width = width;
	tmpl->uses[value] = TRUE;
}

bool uidl_template_uses(const struct uidl_template *tmpl,
			enum uidl_template_value value)
{
	return tmpl->uses[value];
}

static const char *
get_text(const struct uidl_template_values *values,
	 enum uidl_template_value value)
{
	switch (value) {
	case UIDL_TEMPLATE_MD5:
		return values->md5;
	case UIDL_TEMPLATE_FILENAME:
		return values->filename;
	case UIDL_TEMPLATE_GUID:
		return values->guid;
	case UIDL_TEMPLATE_UIDVALIDITY:
	case UIDL_TEMPLATE_UID:
	case UIDL_TEMPLATE_VALUE_COUNT:
		break;
	}
	i_unreached();
}

/* A poll of a large mailbox prints each UIDL: no printf(), and no division by
   a number that the compiler does not know. */
static char *put_decimal(char *end, uint32_t number)
{
	do {
		*--end = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	return end;
}

static char *put_hex(char *end, uint32_t number)
{
	do {
		*--end = "0123456789abcdef"[number & 0xf];
		number >>= 4;
	} while (number != 0);
	return end;
}

static void
print_number(string_t *dest, const struct part *part, uint32_t number)
{
	char digits[UIDL_TEMPLATE_MAX_WIDTH];
	char *const end = digits + sizeof(digits);
	char *p = part->type == PART_HEX ? put_hex(end, number) :
		put_decimal(end, number);

	while ((size_t)(end - p) < part->width)
		*--p = '0';
	str_append_data(dest, p, end - p);
}

void uidl_template_print_decimal(string_t *dest, uint32_t number)
{
	char digits[MAX_INT_STRLEN];
	char *const end = digits + sizeof(digits);
	char *p = put_decimal(end, number);

	str_append_data(dest, p, end - p);
}

void uidl_template_print(string_t *dest, const struct uidl_template *tmpl,
			 const struct uidl_template_values *values)
{
	const struct part *part;
	const char *text;

	array_foreach(&tmpl->parts, part) {
		switch (part->type) {
		case PART_LITERAL:
			str_append_data(dest, part->text, part->len);
			break;
		case PART_TEXT:
			text = get_text(values, part->value);
			i_assert(text != NULL);
			str_append(dest, text);
			break;
		case PART_DECIMAL:
		case PART_HEX:
			print_number(dest, part,
				     part->value == UIDL_TEMPLATE_UID ?
				     values->uid : values->uidvalidity);
			break;
		}
	}
}
