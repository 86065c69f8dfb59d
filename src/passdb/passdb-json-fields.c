/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "auth-common.h"
#include "password-scheme.h"
#include "login-choice.h"
#include "allow-nets.h"
#include "passdb-json.h"

#define USERDB_PREFIX "userdb_"

/* Salted, and cheap: what it is made of was typed right a moment ago. */
#define CACHED_SCHEME "SSHA256"

/* All others decide about the login itself, such as "nopassword". */
static bool is_userdb_field(const char *name)
{
	const size_t len = strlen(USERDB_PREFIX);

	return strncmp(name, USERDB_PREFIX, len) == 0 && name[len] != '\0';
}

void passdb_json_set_user_fields(struct auth_request *request,
				 const struct credential_user *user)
{
	const struct credential_pair *field;

	array_foreach(&user->fields, field) {
		if (is_userdb_field(field->name)) {
			auth_request_set_field(request, field->name,
					       field->value, NULL);
		} else {
			e_warning(authdb_event(request), "ignored field \"%s\" "
				  "of a credential file, expected "
				  USERDB_PREFIX"NAME", field->name);
		}
	}
}

/* auth keeps the last value only, and so it does in its cache. */
static void
set_networks(struct auth_request *request,
	     const ARRAY_TYPE(credential_network) *networks)
{
	const char *known = auth_fields_find(request->fields.extra_fields,
					     "allow_nets");

	if (array_is_empty(networks))
		return;
	auth_request_set_field(request, "allow_nets",
			       allow_nets_make(known, networks), NULL);
}

void passdb_json_set_app_fields(struct auth_request *request,
				const struct login_choice *choice)
{
	const struct credential_pair *setting;

	array_foreach(&choice->app->settings, setting) {
		auth_request_set_field(request,
			t_strconcat(USERDB_PREFIX, setting->name, NULL),
			setting->value, NULL);
	}
	auth_request_set_field(request, USERDB_PREFIX"pop3_policy_device",
			       login_choice_device(choice), NULL);
	set_networks(request, &choice->app->networks);
}

void passdb_json_set_cached_password(struct auth_request *request,
				     const char *password)
{
	struct password_generate_params params = {
		.user = request->fields.original_username
	};
	const char *hash;

	if (!password_generate_encoded(password, &params, CACHED_SCHEME, &hash))
		i_unreached();
	auth_request_set_field(request, "password",
			       t_strconcat("{"CACHED_SCHEME"}", hash, NULL),
			       NULL);
}
