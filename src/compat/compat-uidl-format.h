#ifndef POP3_POLICY_COMPAT_UIDL_FORMAT_H
#define POP3_POLICY_COMPAT_UIDL_FORMAT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct mail_user;

/* What pop3_uidl_format may ask for. */
enum compat_uidl_key {
	COMPAT_UIDL_UIDVALIDITY,
	COMPAT_UIDL_UID,
	COMPAT_UIDL_MD5,
	COMPAT_UIDL_FILENAME,
	COMPAT_UIDL_GUID,

	COMPAT_UIDL_KEY_COUNT
};

/* pop3_uidl_format of a user, in the data stack. */
const char *compat_mail_user_uidl_format(struct mail_user *user);

/* Find out which keys a format uses. Returns 0, or -1 and an error if it is not
   a format. */
int compat_uidl_format_keys(const char *format,
			    bool used_r[COMPAT_UIDL_KEY_COUNT],
			    const char **error_r);
/* Append the UIDL that Dovecot makes of these values. */
int compat_uidl_format_expand(string_t *dest, const char *format,
			      const char *const values[COMPAT_UIDL_KEY_COUNT],
			      const char **error_r);

#endif
