/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "credential-check.h"
#include "credential-edit.h"
#include "test-credential-use.h"
#include "fuzz.h"

#include <jansson.h>

/* What is found in a file is what jansson finds there, and valid; a change
   changes nothing else. */

const char *const fuzz_corpus = "credential-file";

/* Each of them is changed once: not too many. */
#define USERS_MAX 8

static struct credentials *load(const void *data, size_t size)
{
	struct credentials *credentials = NULL;
	string_t *text = str_new(default_pool, size + 1);
	const char *error = NULL;
	int ret;

	str_append_data(text, data, size);
	ret = credentials_init(&text, &credentials, &error);
	i_assert(text == NULL);
	i_assert(ret == 0 ? credentials != NULL :
		 credentials == NULL && error != NULL);
	return credentials;
}

static void check_pairs(const ARRAY_TYPE(credential_pair) *pairs, bool settings)
{
	const struct credential_pair *pair;
	const char *error;

	i_assert(array_count(pairs) <= CREDENTIAL_FIELDS_MAX);
	array_foreach(pairs, pair) {
		i_assert(settings ?
			 app_password_setting_name_is_valid(pair->name,
							    &error) :
			 credential_field_name_is_valid(pair->name, &error));
		i_assert(credential_text_is_valid(pair->value,
			CREDENTIAL_FIELD_VALUE_MAX_LEN, &error));
	}
}

static void check_protocols(const char *const *protocols)
{
	const char *error;

	for (; *protocols != NULL; protocols++)
		i_assert(credential_protocol_is_valid(*protocols, &error));
}

static void check_app_password(const struct app_password *app)
{
	const struct credential_network *network;
	struct credential_network same;
	const char *error;

	i_assert(app_password_id_is_valid(app->id, &error));
	i_assert(credential_hash_is_valid(app->hash, &error));
	i_assert(credential_text_is_valid(app->label, CREDENTIAL_LABEL_MAX_LEN,
					  &error));
	i_assert(app->created >= 0 && app->expires >= 0);
	check_protocols(app->protocols);
	check_pairs(&app->settings, TRUE);
	array_foreach(&app->networks, network) {
		i_assert(credential_network_parse(
			credential_network_print(network), &same, &error) == 0);
		i_assert(network->bits == same.bits &&
			 net_ip_cmp(&network->ip, &same.ip) == 0);
	}
}

static void check_user(const struct credential_user *user)
{
	const struct app_password *app;
	const char *error;

	i_assert(credential_user_name_is_valid(user->name, &error));
	i_assert(user->password == NULL ||
		 credential_hash_is_valid(user->password, &error));
	check_protocols(user->protocols);
	check_pairs(&user->fields, FALSE);
	i_assert(array_count(&user->app_passwords) <= APP_PASSWORDS_MAX);
	array_foreach(&user->app_passwords, app) {
		check_app_password(app);
	}
}

/* Whether jansson, which reads the whole text, says the same. */
static void
check_against_json(const struct credentials *credentials, const uint8_t *data,
		   size_t size)
{
	pool_t pool = pool_alloconly_create("fuzz", 1024);
	json_t *root, *users, *json;
	struct credential_user user;
	const char *name, *error, *password;
	int ret;

	root = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES,
			  NULL);
	users = json_object_get(root, "users");
	i_assert(root == NULL || credentials == NULL ||
		 json_object_size(users) == credentials_count(credentials));
	json_object_foreach(users, name, json) {
		if (credentials == NULL)
			break;
		ret = credentials_find(credentials, name, pool, &user, &error);
		i_assert(ret != 0);
		password = json_string_value(json_object_get(json, "password"));
		i_assert(ret < 0 || null_strcmp(user.password, password) == 0);
	}
	json_decref(root);
	pool_unref(&pool);
}

/* What is shown begins with the name; an error has a line, which changes. */
static bool is_error(const char *shown)
{
	return strncmp(shown, "line ", 5) == 0;
}

/* All users but the one that changes are the same in both. */
static void
check_others(const struct credentials *before, const struct credentials *after,
	     const char *changed)
{
	unsigned int i, count = credentials_count(before);
	const char *name, *shown, *now;

	for (i = 0; i < count; i++) T_BEGIN {
		name = credentials_get_name(before, i);
		if (strcmp(name, changed) != 0) {
			shown = test_credentials_show(before, name);
			now = test_credentials_show(after, name);
			i_assert(is_error(shown) ? is_error(now) :
				 strcmp(shown, now) == 0);
		}
	} T_END;
}

static struct credentials *
check_edited(const struct credentials *before, const string_t *text,
	     const char *changed, int difference)
{
	struct credentials *after = load(str_data(text), str_len(text));

	i_assert(after != NULL);
	i_assert((int)credentials_count(after) ==
		 (int)credentials_count(before) + difference);
	check_others(before, after, changed);
	return after;
}

static void
check_set(const struct credentials *credentials,
	  const struct credential_user *user)
{
	const char *shown = test_credential_user_show(user), *error;
	string_t *text = t_str_new(1024), *put = t_str_new(1024);
	ARRAY_TYPE(credential_user) users;
	struct credentials *after;

	i_assert(credential_edit_add(credentials, user, text, &error) == 0);
	i_assert(credential_edit_set(credentials, user, text, &error) == 1);
	after = check_edited(credentials, text, user->name, 0);
	i_assert(strcmp(test_credentials_show(after, user->name), shown) == 0);
	credentials_deinit(&after);

	t_array_init(&users, 1);
	array_push_back(&users, user);
	i_assert(credential_edit_put(credentials, &users, put, &error) == 1);
	i_assert(str_equals(put, text));
}

static void
check_remove(const struct credentials *credentials, const char *name)
{
	string_t *text = t_str_new(1024);
	struct credentials *after;
	const char *error;

	i_assert(credential_edit_remove(credentials, name, text, &error) == 1);
	after = check_edited(credentials, text, name, -1);
	i_assert(strcmp(test_credentials_show(after, name), "none") == 0);
	credentials_deinit(&after);
}

static void check_add(const struct credentials *credentials)
{
	string_t *text = t_str_new(1024);
	struct credential_user user;
	struct credentials *after;
	const char *error;

	credential_user_init(&user, "fuzz \"\\", pool_datastack_create());
	user.password = TEST_HASH;
	if (credential_edit_add(credentials, &user, text, &error) == 0)
		return;
	after = check_edited(credentials, text, user.name, 1);
	i_assert(strcmp(test_credentials_show(after, user.name),
			test_credential_user_show(&user)) == 0);
	credentials_deinit(&after);
}

static void check_name(const struct credentials *credentials, unsigned int idx)
{
	pool_t pool = pool_alloconly_create("fuzz", 1024);
	const char *name = credentials_get_name(credentials, idx);
	struct credential_user user;
	const char *error = NULL;
	int ret;

	ret = credentials_find(credentials, name, pool, &user, &error);
	i_assert(ret != 0 && (ret < 0) == (error != NULL));
	if (ret > 0) {
		i_assert(strcmp(user.name, name) == 0);
		check_user(&user);
		check_set(credentials, &user);
	}
	check_remove(credentials, name);
	/* names that are nearly so */
	i_assert(credentials_find(credentials, t_strconcat(name, "\x01", NULL),
				  pool, &user, &error) == 0);
	pool_unref(&pool);
}

static void check_file(const uint8_t *data, size_t size)
{
	struct credentials *credentials = load(data, size);
	unsigned int i, count;

	check_against_json(credentials, data, size);
	if (credentials == NULL)
		return;
	count = I_MIN(credentials_count(credentials), USERS_MAX);
	for (i = 0; i < count; i++) T_BEGIN {
		check_name(credentials, i);
	} T_END;
	T_BEGIN {
		check_add(credentials);
	} T_END;
	credentials_deinit(&credentials);
}

/* The same file read by lines and, because of the space, as a whole. */
static void check_both_ways(const uint8_t *data, size_t size)
{
	struct credentials *lines = load(data, size), *whole;
	string_t *text = t_str_new(size + 1);

	str_append_data(text, data, size);
	str_append_c(text, ' ');
	whole = load(str_data(text), str_len(text));
	if (whole != NULL) {
		i_assert(lines != NULL);
		i_assert(credentials_count(lines) == credentials_count(whole));
		check_others(whole, lines, "");
	}
	credentials_deinit(&whole);
	credentials_deinit(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_init();
	T_BEGIN {
		check_file(data, size);
		check_both_ways(data, size);
	} T_END;
	return 0;
}
