/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "state-json.h"
#include "credential.h"
#include "credential-check.h"
#include "credential-json.h"

#include <jansson.h>

/* Text that is not UTF-8 becomes null, which the parser refuses then. */
static json_t *text_or_null(const char *text)
{
	json_t *json = json_string(text);

	return json == NULL ? json_null() : json;
}

/* Members that are there keep their place. */
static void
set_or_delete(json_t *parent, const char *name, json_t *value, bool set)
{
	if (set) {
		state_json_set(parent, name, value);
		return;
	}
	json_decref(value);
	(void)json_object_del(parent, name);
}

static void
set_text(json_t *parent, const char *name, const char *text, bool set)
{
	set_or_delete(parent, name, text_or_null(set ? text : ""), set);
}

static void set_time(json_t *parent, const char *name, time_t t)
{
	set_or_delete(parent, name, json_integer((json_int_t)t), t != 0);
}

static void append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) < 0)
		i_unreached();
}

static void set_protocols(json_t *parent, const char *const *protocols)
{
	json_t *array = json_array();

	for (; *protocols != NULL; protocols++)
		append(array, text_or_null(*protocols));
	set_or_delete(parent, CREDENTIAL_MEMBER_PROTOCOLS, array,
		      json_array_size(array) > 0);
}

static int
set_pairs(json_t *parent, const char *name,
	  const ARRAY_TYPE(credential_pair) *pairs, const char **error_r)
{
	const struct credential_pair *pair;
	json_t *object = json_object();

	array_foreach(pairs, pair) {
		if (json_object_get(object, pair->name) != NULL ||
		    json_object_set_new(object, pair->name,
					text_or_null(pair->value)) < 0) {
			json_decref(object);
			*error_r = t_strdup_printf("%s: a name is there twice, "
				"or is not UTF-8", name);
			return -1;
		}
	}
	set_or_delete(parent, name, object, json_object_size(object) > 0);
	return 0;
}

static void set_networks(json_t *parent, const struct app_password *app)
{
	const struct credential_network *network;
	json_t *array = json_array();

	array_foreach(&app->networks, network) {
		append(array, text_or_null(credential_network_print(network)));
	}
	set_or_delete(parent, APP_PASSWORD_MEMBER_NETWORKS, array,
		      json_array_size(array) > 0);
}

static int
app_password_update(json_t *json, const struct app_password *app,
		    const char **error_r)
{
	set_text(json, APP_PASSWORD_MEMBER_ID, app->id, TRUE);
	set_text(json, APP_PASSWORD_MEMBER_HASH, app->hash, TRUE);
	set_text(json, APP_PASSWORD_MEMBER_LABEL, app->label,
		 app->label[0] != '\0');
	set_time(json, APP_PASSWORD_MEMBER_CREATED, app->created);
	set_time(json, APP_PASSWORD_MEMBER_EXPIRES, app->expires);
	set_networks(json, app);
	set_protocols(json, app->protocols);
	return set_pairs(json, APP_PASSWORD_MEMBER_SETTINGS, &app->settings,
			 error_r);
}

/* What the file has of the app password of this id, or a new object. */
static json_t *app_password_find(json_t *apps, const char *id)
{
	json_t *json, *json_id;
	size_t i;

	json_array_foreach(apps, i, json) {
		json_id = json_object_get(json, APP_PASSWORD_MEMBER_ID);
		if (json_is_string(json_id) &&
		    strcmp(json_string_value(json_id), id) == 0)
			return json_incref(json);
	}
	return json_object();
}

static int
set_app_passwords(json_t *parent, const struct credential_user *user,
		  const char **error_r)
{
	json_t *old = json_object_get(parent, CREDENTIAL_MEMBER_APP_PASSWORDS);
	json_t *array = json_array(), *json;
	const struct app_password *app;

	array_foreach(&user->app_passwords, app) {
		json = app_password_find(old, app->id);
		append(array, json);
		if (app_password_update(json, app, error_r) < 0) {
			json_decref(array);
			return -1;
		}
	}
	set_or_delete(parent, CREDENTIAL_MEMBER_APP_PASSWORDS, array,
		      json_array_size(array) > 0);
	return 0;
}

static int
check(json_t *json, const char *name, const char **error_r)
{
	pool_t pool = pool_alloconly_create_clean("credential check", 4096);
	struct credential_user user;
	int ret;

	ret = credential_user_parse(json, name, pool, &user, error_r);
	pool_unref(&pool);
	return ret;
}

int credential_user_update(json_t *json, const struct credential_user *user,
			   const char **error_r)
{
	set_text(json, CREDENTIAL_MEMBER_PASSWORD, user->password,
		 user->password != NULL);
	state_json_set(json, CREDENTIAL_MEMBER_ENABLED,
		       json_boolean(user->enabled));
	set_protocols(json, user->protocols);
	if (set_pairs(json, CREDENTIAL_MEMBER_FIELDS, &user->fields,
		      error_r) < 0 ||
	    set_app_passwords(json, user, error_r) < 0)
		return -1;
	return check(json, user->name, error_r);
}
