#ifndef POP3_POLICY_CREDENTIAL_H
#define POP3_POLICY_CREDENTIAL_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "array-decl.h"
#include "net.h"

#include <time.h>

/* What a credential file says of one user; doc/credentials.schema.json
   describes it. Sizes are in octets. */

#define CREDENTIAL_USER_NAME_MAX_LEN 255
#define CREDENTIAL_HASH_MAX_LEN 512
#define CREDENTIAL_LABEL_MAX_LEN 128
#define CREDENTIAL_PROTOCOL_MAX_LEN 32
#define CREDENTIAL_PROTOCOLS_MAX 16
#define CREDENTIAL_FIELDS_MAX 64
#define CREDENTIAL_FIELD_NAME_MAX_LEN 128
#define CREDENTIAL_FIELD_VALUE_MAX_LEN 1024
#define APP_PASSWORDS_MAX 64
#define APP_PASSWORD_NETWORKS_MAX 16
#define APP_PASSWORD_SETTINGS_MAX 32

#define APP_PASSWORD_ID_LEN 6
/* Without what looks like something else on paper: i, l, o, 0 and 1. */
#define APP_PASSWORD_ID_ALPHABET "abcdefghjkmnpqrstuvwxyz23456789"
/* What an app password may set starts so. */
#define APP_PASSWORD_SETTING_PREFIX "pop3_policy_"

struct credential_pair {
	const char *name, *value;
};
ARRAY_DEFINE_TYPE(credential_pair, struct credential_pair);

struct credential_network {
	struct ip_addr ip;
	/* how many of the address count */
	unsigned int bits;
};
ARRAY_DEFINE_TYPE(credential_network, struct credential_network);

/* No string is NULL, unless it says so. Lists of protocols end with NULL; an
   empty one stands for all. */

struct app_password {
	/* no other one of the user has it */
	const char *id;
	const char *hash;
	/* what the user calls it, or "" */
	const char *label;
	/* seconds since 1970; 0 if it is not known, or never expires */
	time_t created, expires;
	/* empty for all */
	ARRAY_TYPE(credential_network) networks;
	const char *const *protocols;
	/* in the order of the file, like the fields of the user */
	ARRAY_TYPE(credential_pair) settings;
};
ARRAY_DEFINE_TYPE(app_password, struct app_password);

struct credential_user {
	const char *name;
	/* a hash; NULL if only app passwords are good */
	const char *password;
	bool enabled;
	/* of the password above */
	const char *const *protocols;
	ARRAY_TYPE(credential_pair) fields;
	ARRAY_TYPE(app_password) app_passwords;
};
ARRAY_DEFINE_TYPE(credential_user, struct credential_user);

/* An enabled user who has nothing else. The name is not copied. */
void credential_user_init(struct credential_user *user_r, const char *name,
			  pool_t pool);
/* Likewise for all protocols and networks, and for ever. */
void app_password_init(struct app_password *app_r, const char *id,
		       const char *hash, pool_t pool);

#endif
