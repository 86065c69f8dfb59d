#ifndef POP3_POLICY_LOGIN_CHOICE_H
#define POP3_POLICY_LOGIN_CHOICE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "app-password.h"

#include <time.h>

struct app_password;
struct credential_user;

/* Which hash is computed in a login: never more than one, so that it takes as
   long for every user and for every password. */

enum login_verdict {
	LOGIN_ALLOWED,
	LOGIN_USER_DISABLED,
	LOGIN_PASSWORD_EXPIRED,
	LOGIN_PROTOCOL_BARRED
};

/* It points into itself: it cannot be copied. */
struct login_choice {
	/* NULL: there is none, and a check that takes as long must fail */
	const char *hash;
	/* what is hashed: the typed password, or the secret of the code */
	const char *secret;
	struct app_password_code code;
	/* NULL for the main password */
	const struct app_password *app;
	/* What becomes of the login if the password is right. If it is wrong
	   nobody may be told. */
	enum login_verdict verdict;
};

/* What is typed is checked as an app password if it has the form of one and the
   user has its id, and as the main password otherwise. The user is NULL if
   there is none; the protocol is as Dovecot names it. Networks are not looked
   at. The choice lives as long as the user and what was typed, and is to be
   wiped. */
void login_choice_make(const struct credential_user *user, const char *typed,
		       const char *protocol, time_t now,
		       struct login_choice *choice_r);
/* Forget the secret. */
void login_choice_wipe(struct login_choice *choice);

/* The name of the device whose session it is: the label of the app password if
   a device can be named so, else its id. NULL for the main password. */
const char *login_choice_device(const struct login_choice *choice);

#endif
