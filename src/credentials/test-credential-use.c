/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "test-common.h"
#include "credential-check.h"
#include "test-credential-use.h"

struct credentials *
test_credentials_load(const void *text, size_t size, const char **error_r)
{
	struct credentials *credentials = NULL;
	string_t *copy = str_new(default_pool, 1);

	*error_r = NULL;
	str_append_data(copy, text, size);
	if (credentials_init(&copy, &credentials, error_r) < 0) {
		test_assert(credentials == NULL);
		test_assert(*error_r != NULL);
	}
	test_assert(copy == NULL);
	return credentials;
}

static void show_protocols(string_t *dest, const char *const *protocols)
{
	for (; *protocols != NULL; protocols++)
		str_printfa(dest, " +%s", *protocols);
}

static void
show_pairs(string_t *dest, const ARRAY_TYPE(credential_pair) *pairs)
{
	const struct credential_pair *pair;

	array_foreach(pairs, pair) {
		str_printfa(dest, " %s=%s", pair->name, pair->value);
	}
}

static void show_app_password(string_t *dest, const struct app_password *app)
{
	const struct credential_network *network;

	str_printfa(dest, " [%s %s (%s) %"PRIdTIME_T"-%"PRIdTIME_T, app->id,
		    app->hash, app->label, app->created, app->expires);
	array_foreach(&app->networks, network) {
		str_printfa(dest, " @%s", credential_network_print(network));
	}
	show_protocols(dest, app->protocols);
	show_pairs(dest, &app->settings);
	str_append_c(dest, ']');
}

const char *test_credential_user_show(const struct credential_user *user)
{
	const struct app_password *app;
	string_t *dest = t_str_new(256);

	str_printfa(dest, "%s:%s%s", user->name,
		    user->password == NULL ? "-" : user->password,
		    user->enabled ? "" : " off");
	show_protocols(dest, user->protocols);
	show_pairs(dest, &user->fields);
	array_foreach(&user->app_passwords, app) {
		show_app_password(dest, app);
	}
	return str_c(dest);
}

const char *
test_credentials_show(const struct credentials *credentials, const char *name)
{
	pool_t pool = pool_alloconly_create("test credentials", 1024);
	struct credential_user user;
	const char *result = NULL;

	switch (credentials_find(credentials, name, pool, &user, &result)) {
	case 0:
		result = "none";
		break;
	case 1:
		result = test_credential_user_show(&user);
		break;
	}
	pool_unref(&pool);
	return result;
}
