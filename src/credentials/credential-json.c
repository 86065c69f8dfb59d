/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "state-json.h"
#include "credential.h"
#include "credential-check.h"
#include "credential-json.h"

#include <jansson.h>

typedef bool check_func_t(const char *text, const char **error_r);

json_t *credential_json_load(const void *text, size_t size,
			     unsigned int *line_r, unsigned int *column_r,
			     const char **error_r)
{
	json_error_t json_error;
	json_t *root;
	const char *near;

	root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &json_error);
	if (root != NULL)
		return root;
	*line_r = (unsigned int)json_error.line;
	*column_r = (unsigned int)json_error.column;
	/* what it quotes there may be a password */
	near = strstr(json_error.text, " near '");
	*error_r = near == NULL ? t_strdup(json_error.text) :
		t_strdup_until(json_error.text, near);
	return NULL;
}

/* The member must be there, and not "". */
static int
get_checked(json_t *parent, const char *name, check_func_t *is_valid,
	    pool_t pool, const char **value_r, const char **error_r)
{
	const json_t *json = json_object_get(parent, name);
	const char *error;

	if (!json_is_string(json)) {
		*error_r = t_strdup_printf(json == NULL ?
			"%s is missing" : "%s is not a string", name);
		return -1;
	}
	if (!is_valid(json_string_value(json), &error)) {
		*error_r = t_strdup_printf("%s %s", name, error);
		return -1;
	}
	*value_r = p_strdup(pool, json_string_value(json));
	return 0;
}

static int
get_text(json_t *parent, const char *name, size_t max_len, pool_t pool,
	 const char **value_r, const char **error_r)
{
	const char *value, *error;

	if (state_json_get_string(parent, name, max_len, &value, error_r) < 0)
		return -1;
	if (!credential_text_is_valid(value, max_len, &error)) {
		*error_r = t_strdup_printf("%s %s", name, error);
		return -1;
	}
	*value_r = p_strdup(pool, value);
	return 0;
}

/* Seconds since 1970; 0 if there is no such member. */
static int
get_time(json_t *parent, const char *name, time_t *time_r, const char **error_r)
{
	uint64_t number = 0;

	if (json_object_get(parent, name) != NULL &&
	    state_json_get_number(parent, name, &number, error_r) < 0)
		return -1;
	*time_r = (time_t)number;
	return 0;
}

static int get_enabled(json_t *json, bool *enabled_r, const char **error_r)
{
	const json_t *value = json_object_get(json, CREDENTIAL_MEMBER_ENABLED);

	if (value != NULL && !json_is_boolean(value)) {
		*error_r = CREDENTIAL_MEMBER_ENABLED" is neither true nor "
			"false";
		return -1;
	}
	*enabled_r = value == NULL || json_is_true(value);
	return 0;
}

/* *json_r is NULL if there is no such member. An empty array would be read as
   "none" by one and as "all" by another. */
static int
get_array(json_t *parent, const char *name, bool may_be_empty, unsigned int max,
	  json_t **json_r, const char **error_r)
{
	json_t *json = json_object_get(parent, name);

	if (json != NULL && !json_is_array(json)) {
		*error_r = t_strdup_printf("%s is not an array", name);
		return -1;
	}
	if (json_array_size(json) > max) {
		*error_r = t_strdup_printf("%s has %zu entries, expected at "
			"most %u", name, json_array_size(json), max);
		return -1;
	}
	if (json != NULL && json_array_size(json) == 0 && !may_be_empty) {
		*error_r = t_strdup_printf("%s is empty, expected 1 to %u "
			"entries, or no such member for all", name, max);
		return -1;
	}
	*json_r = json;
	return 0;
}

static const char *
entry_error(const char *name, size_t i, const char *error)
{
	return t_strdup_printf("%s[%zu]: %s", name, i, error);
}

static int
get_protocols(json_t *parent, pool_t pool, const char *const **protocols_r,
	      const char **error_r)
{
	const char *const name = CREDENTIAL_MEMBER_PROTOCOLS;
	json_t *json, *value;
	const char **protocols, *error;
	size_t i;

	if (get_array(parent, name, FALSE, CREDENTIAL_PROTOCOLS_MAX, &json,
		      error_r) < 0)
		return -1;
	protocols = p_new(pool, const char *, json_array_size(json) + 1);
	json_array_foreach(json, i, value) {
		error = "is not a string";
		if (!json_is_string(value) ||
		    !credential_protocol_is_valid(json_string_value(value),
						  &error)) {
			*error_r = entry_error(name, i, error);
			return -1;
		}
		protocols[i] = p_strdup(pool, json_string_value(value));
	}
	*protocols_r = protocols;
	return 0;
}

static int
get_pairs(json_t *parent, const char *name, unsigned int max,
	  check_func_t *name_is_valid, pool_t pool,
	  ARRAY_TYPE(credential_pair) *pairs, const char **error_r)
{
	struct credential_pair *pair;
	const char *key, *error;
	json_t *json, *value;

	if (state_json_get_object(parent, name, &json, error_r) < 0)
		return -1;
	if (json_object_size(json) > max) {
		*error_r = t_strdup_printf("%s has %zu entries, expected at "
			"most %u", name, json_object_size(json), max);
		return -1;
	}
	json_object_foreach(json, key, value) {
		if (!name_is_valid(key, &error)) {
			*error_r = t_strdup_printf("%s: the name of an entry "
						   "%s", name, error);
			return -1;
		}
		pair = array_append_space(pairs);
		pair->name = p_strdup(pool, key);
		if (get_text(json, key, CREDENTIAL_FIELD_VALUE_MAX_LEN, pool,
			     &pair->value, &error) < 0) {
			*error_r = t_strdup_printf("%s: %s", name, error);
			return -1;
		}
	}
	return 0;
}

static int
get_settings(json_t *parent, pool_t pool, struct app_password *app,
	     const char **error_r)
{
	const struct credential_pair *setting;

	if (get_pairs(parent, APP_PASSWORD_MEMBER_SETTINGS,
		      APP_PASSWORD_SETTINGS_MAX,
		      app_password_setting_name_is_valid, pool,
		      &app->settings, error_r) < 0)
		return -1;
	array_foreach(&app->settings, setting) {
		if (*setting->value == '\0') {
			/* Dovecot 2.3 makes a "yes" of an empty field */
			*error_r = t_strdup_printf("%s: %s is empty, expected "
				"a value", APP_PASSWORD_MEMBER_SETTINGS,
				setting->name);
			return -1;
		}
	}
	return 0;
}

static int
get_networks(json_t *parent, struct app_password *app, const char **error_r)
{
	const char *const name = APP_PASSWORD_MEMBER_NETWORKS;
	struct credential_network network;
	json_t *json, *value;
	const char *error;
	size_t i;

	if (get_array(parent, name, FALSE, APP_PASSWORD_NETWORKS_MAX, &json,
		      error_r) < 0)
		return -1;
	json_array_foreach(json, i, value) {
		error = "is not a string";
		if (!json_is_string(value) ||
		    credential_network_parse(json_string_value(value),
					     &network, &error) < 0) {
			*error_r = entry_error(name, i, error);
			return -1;
		}
		array_push_back(&app->networks, &network);
	}
	return 0;
}

static int
app_password_parse(json_t *json, pool_t pool, struct app_password *app_r,
		   const char **error_r)
{
	app_password_init(app_r, "", "", pool);
	if (!json_is_object(json)) {
		*error_r = "is not an object";
		return -1;
	}
	if (get_checked(json, APP_PASSWORD_MEMBER_ID, app_password_id_is_valid,
			pool, &app_r->id, error_r) < 0 ||
	    get_checked(json, APP_PASSWORD_MEMBER_HASH,
			credential_hash_is_valid, pool, &app_r->hash,
			error_r) < 0 ||
	    get_text(json, APP_PASSWORD_MEMBER_LABEL, CREDENTIAL_LABEL_MAX_LEN,
		     pool, &app_r->label, error_r) < 0 ||
	    get_time(json, APP_PASSWORD_MEMBER_CREATED, &app_r->created,
		     error_r) < 0 ||
	    get_time(json, APP_PASSWORD_MEMBER_EXPIRES, &app_r->expires,
		     error_r) < 0 ||
	    get_networks(json, app_r, error_r) < 0 ||
	    get_protocols(json, pool, &app_r->protocols, error_r) < 0)
		return -1;
	return get_settings(json, pool, app_r, error_r);
}

static bool
has_id(const struct credential_user *user, const char *id)
{
	const struct app_password *app;

	array_foreach(&user->app_passwords, app) {
		if (strcmp(app->id, id) == 0)
			return TRUE;
	}
	return FALSE;
}

static int
get_app_passwords(json_t *parent, pool_t pool, struct credential_user *user,
		  const char **error_r)
{
	const char *const name = CREDENTIAL_MEMBER_APP_PASSWORDS;
	struct app_password app;
	json_t *json, *value;
	const char *error;
	size_t i;

	if (get_array(parent, name, TRUE, APP_PASSWORDS_MAX, &json,
		      error_r) < 0)
		return -1;
	json_array_foreach(json, i, value) {
		if (app_password_parse(value, pool, &app, &error) < 0) {
			*error_r = entry_error(name, i, error);
			return -1;
		}
		if (has_id(user, app.id)) {
			*error_r = entry_error(name, i, t_strdup_printf(
				"id \"%s\" is that of another one, expected "
				"each one once", app.id));
			return -1;
		}
		array_push_back(&user->app_passwords, &app);
	}
	return 0;
}

int credential_user_parse(json_t *json, const char *name, pool_t pool,
			  struct credential_user *user_r, const char **error_r)
{
	struct credential_user user;
	const char *error;

	if (!credential_user_name_is_valid(name, &error)) {
		*error_r = t_strdup_printf("the name of the user %s", error);
		return -1;
	}
	credential_user_init(&user, p_strdup(pool, name), pool);
	if ((json_object_get(json, CREDENTIAL_MEMBER_PASSWORD) != NULL &&
	     get_checked(json, CREDENTIAL_MEMBER_PASSWORD,
			 credential_hash_is_valid, pool, &user.password,
			 error_r) < 0) ||
	    get_enabled(json, &user.enabled, error_r) < 0 ||
	    get_protocols(json, pool, &user.protocols, error_r) < 0 ||
	    get_pairs(json, CREDENTIAL_MEMBER_FIELDS, CREDENTIAL_FIELDS_MAX,
		      credential_field_name_is_valid, pool, &user.fields,
		      error_r) < 0 ||
	    get_app_passwords(json, pool, &user, error_r) < 0)
		return -1;
	*user_r = user;
	return 0;
}
