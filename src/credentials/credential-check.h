#ifndef POP3_POLICY_CREDENTIAL_CHECK_H
#define POP3_POLICY_CREDENTIAL_CHECK_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct credential_network;

/* What the parts of a credential file may be made of. Those that return FALSE
   or -1 set *error_r to what is wrong and what was expected; it has nothing of
   a password. */

/* Whether the text has at most max_len octets of UTF-8 without control
   characters. */
bool credential_text_is_valid(const char *text, size_t max_len,
			      const char **error_r);
bool credential_user_name_is_valid(const char *name, const char **error_r);
/* A hash as libsodium or crypt() print it, which starts with "$NAME$", or one
   with the {SCHEME} that Dovecot knows it by. What keeps the password as it is,
   or as good as that, is no hash. */
bool credential_hash_is_valid(const char *hash, const char **error_r);
bool app_password_id_is_valid(const char *id, const char **error_r);
bool credential_protocol_is_valid(const char *name, const char **error_r);
/* Of an extra field of Dovecot's. */
bool credential_field_name_is_valid(const char *name, const char **error_r);
bool app_password_setting_name_is_valid(const char *name,
					const char **error_r);

/* A network is ADDRESS/BITS, or an address. */
int credential_network_parse(const char *text,
			     struct credential_network *network_r,
			     const char **error_r);
/* In the data stack. */
const char *
credential_network_print(const struct credential_network *network);

#endif
