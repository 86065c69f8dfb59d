#ifndef POP3_POLICY_UIDL_TEMPLATE_H
#define POP3_POLICY_UIDL_TEMPLATE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* pop3_uidl_format taken apart once, to make many UIDLs of it. */

/* What a UIDL may be made of. */
enum uidl_template_value {
	/* numbers */
	UIDL_TEMPLATE_UIDVALIDITY,
	UIDL_TEMPLATE_UID,
	/* texts */
	UIDL_TEMPLATE_MD5,
	UIDL_TEMPLATE_FILENAME,
	UIDL_TEMPLATE_GUID,

	UIDL_TEMPLATE_VALUE_COUNT
};

/* Of one message. Texts that the template does not use may be NULL. */
struct uidl_template_values {
	uint32_t uidvalidity;
	uint32_t uid;
	const char *md5;
	const char *filename;
	const char *guid;
};

/* How wide a number may be asked for. */
#define UIDL_TEMPLATE_MAX_WIDTH 20

struct uidl_template;

/* One that has no parts yet; it lives as long as the pool. */
struct uidl_template *uidl_template_init(pool_t pool);
/* Add text that is the same in each UIDL. */
void uidl_template_add_literal(struct uidl_template *tmpl, const char *text,
			       size_t len);
/* Add a text of the message. */
void uidl_template_add_text(struct uidl_template *tmpl,
			    enum uidl_template_value value);
/* Add a number of the message, to base 10 or 16 (in lower case), with zeros
   before it if it has fewer digits than the width; it is never cut. */
void uidl_template_add_number(struct uidl_template *tmpl,
			      enum uidl_template_value value,
			      unsigned int base, unsigned int width);

/* Whether the value is a part of the UIDL. */
bool uidl_template_uses(const struct uidl_template *tmpl,
			enum uidl_template_value value);
/* Append the UIDL that is made of these values. */
void uidl_template_print(string_t *dest, const struct uidl_template *tmpl,
			 const struct uidl_template_values *values);
/* Append a number as it is in a line of UIDL: as printf() does, but faster. */
void uidl_template_print_decimal(string_t *dest, uint32_t number);

#endif
