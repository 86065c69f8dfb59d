#ifndef POP3_POLICY_APP_PASSWORD_H
#define POP3_POLICY_APP_PASSWORD_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "credential.h"

/* The password of one device: an id, which says by which hash it is checked,
   and a secret of 123 bits, in letters and digits that cannot be mistaken for
   each other: "k7qmx3-abcde-fghjk-mnpqr-stuvw-xyz23". */

#define APP_PASSWORD_SECRET_LEN 25
#define APP_PASSWORD_GROUP_LEN 5
/* With a dash before each group, and NUL. */
#define APP_PASSWORD_TEXT_SIZE \
	(APP_PASSWORD_ID_LEN + APP_PASSWORD_SECRET_LEN + \
	 APP_PASSWORD_SECRET_LEN / APP_PASSWORD_GROUP_LEN + 1)

struct app_password_code {
	char id[APP_PASSWORD_ID_LEN + 1];
	/* This is what is hashed. */
	char secret[APP_PASSWORD_SECRET_LEN + 1];
};

/* Make one up. That its id is not in use is for the caller to see to. */
void app_password_generate(struct app_password_code *code_r);
/* What the user is shown. */
void app_password_print(const struct app_password_code *code,
			char text_r[STATIC_ARRAY APP_PASSWORD_TEXT_SIZE]);
/* Take apart what a user has typed: case does not matter, spaces and dashes may
   stand anywhere or be left out. FALSE if it does not have the form of an app
   password, and *code_r is then untouched. What has the form may still be a
   main password. */
bool app_password_parse(const char *typed, struct app_password_code *code_r);
/* Both of these hold a secret: forget it. */
void app_password_wipe(struct app_password_code *code);
void app_password_wipe_text(char text[STATIC_ARRAY APP_PASSWORD_TEXT_SIZE]);

#endif
