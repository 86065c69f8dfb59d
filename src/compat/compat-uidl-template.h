#ifndef POP3_POLICY_COMPAT_UIDL_TEMPLATE_H
#define POP3_POLICY_COMPAT_UIDL_TEMPLATE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct uidl_template;

/* Take apart a pop3_uidl_format that this Dovecot is known to expand to the
   bytes that the template prints: text, UIDs and UIDVALIDITYs in decimal or
   hexadecimal digits, MD5 sums, file names and GUIDs, with at least one of
   these. Returns TRUE and the template, or FALSE for all other formats, which
   must be left to Dovecot. */
bool compat_uidl_template_parse(pool_t pool, const char *format,
				struct uidl_template **template_r);

#endif
