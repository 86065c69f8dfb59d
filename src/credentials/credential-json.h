#ifndef POP3_POLICY_CREDENTIAL_JSON_H
#define POP3_POLICY_CREDENTIAL_JSON_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#define CREDENTIAL_MEMBER_PASSWORD "password"
#define CREDENTIAL_MEMBER_ENABLED "enabled"
#define CREDENTIAL_MEMBER_PROTOCOLS "protocols"
#define CREDENTIAL_MEMBER_FIELDS "fields"
#define CREDENTIAL_MEMBER_APP_PASSWORDS "app_passwords"
#define APP_PASSWORD_MEMBER_ID "id"
#define APP_PASSWORD_MEMBER_HASH "hash"
#define APP_PASSWORD_MEMBER_LABEL "label"
#define APP_PASSWORD_MEMBER_CREATED "created"
#define APP_PASSWORD_MEMBER_EXPIRES "expires"
#define APP_PASSWORD_MEMBER_NETWORKS "networks"
#define APP_PASSWORD_MEMBER_SETTINGS "settings"

struct json_t;
struct credential_user;

/* Load JSON. A caller who has its text may show errors: they have nothing of
   it. Returns NULL and an error, with the line and the column of the text where
   it was noticed. */
struct json_t *
credential_json_load(const void *text, size_t size, unsigned int *line_r,
		     unsigned int *column_r, const char **error_r);

/* What the object says of the user of this name. *user_r lives in the pool.
   Returns 0, or -1 and an error that names the member. */
int credential_user_parse(struct json_t *json, const char *name, pool_t pool,
			  struct credential_user *user_r, const char **error_r);
/* Make the object say this. Members that this version does not know stay as
   they are, also those of app passwords that stay. Returns 0, or -1 and an
   error if the user could not be read back; the object is then of no use. */
int credential_user_update(struct json_t *json,
			   const struct credential_user *user,
			   const char **error_r);

#endif
