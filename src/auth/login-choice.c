/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "credential.h"
#include "device-names.h"
#include "login-choice.h"

#include <sodium.h>

static const struct app_password *
find_app(const struct credential_user *user, const char *id)
{
	const struct app_password *app;

	array_foreach(&user->app_passwords, app) {
		if (strcmp(app->id, id) == 0)
			return app;
	}
	return NULL;
}

static enum login_verdict
get_verdict(const struct credential_user *user, const struct app_password *app,
	    const char *protocol, time_t now)
{
	const char *const *protocols =
		app == NULL ? user->protocols : app->protocols;

	if (!user->enabled)
		return LOGIN_USER_DISABLED;
	if (app != NULL && app->expires != 0 && app->expires <= now)
		return LOGIN_PASSWORD_EXPIRED;
	if (*protocols != NULL && !str_array_find(protocols, protocol))
		return LOGIN_PROTOCOL_BARRED;
	return LOGIN_ALLOWED;
}

void login_choice_make(const struct credential_user *user, const char *typed,
		       const char *protocol, time_t now,
		       struct login_choice *choice_r)
{
	i_zero(choice_r);
	/* whether the user exists or not */
	if (app_password_parse(typed, &choice_r->code) && user != NULL)
		choice_r->app = find_app(user, choice_r->code.id);
	if (choice_r->app != NULL) {
		choice_r->hash = choice_r->app->hash;
		choice_r->secret = choice_r->code.secret;
	} else {
		app_password_wipe(&choice_r->code);
		choice_r->hash = user == NULL ? NULL : user->password;
		choice_r->secret = typed;
	}
	if (user != NULL) {
		choice_r->verdict = get_verdict(user, choice_r->app, protocol,
						now);
	}
}

void login_choice_wipe(struct login_choice *choice)
{
	sodium_memzero(choice, sizeof(*choice));
}

const char *login_choice_device(const struct login_choice *choice)
{
	const char *label, *name, *error;

	if (choice->app == NULL)
		return NULL;
	label = choice->app->label;
	/* the setting takes "none" for no device */
	if (pop3_device_name_is_valid(label, &error) &&
	    pop3_device_parse(label, &name, &error) == 0 && name != NULL)
		return label;
	return choice->app->id;
}
