/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "test-common.h"
#include "credential-check.h"
#include "credential-edit.h"
#include "test-credential-use.h"

/* Random users, edited one after the other, against a list of what they should
   be: by the text that the edits make, and by the same text written in another
   way. */

#define NAMES 12
#define ROUNDS 60
#define EDITS 30

static uint64_t rnd_state;

static void seed(unsigned int round)
{
	rnd_state = round * 2654435761u + 1;
}

/* The same numbers in each run. */
static unsigned int rnd(unsigned int below)
{
	rnd_state = rnd_state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned int)(rnd_state >> 33) % below;
}

static const char *random_text(unsigned int max_len)
{
	static const char *const pieces[] = {
		"a", "b", "{", "}", "\"", "\\", ",", ":", "[", "]", " ", "/",
		"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\\u0041",
	};
	string_t *text = t_str_new(32);
	unsigned int i, len = rnd(max_len + 1);

	for (i = 0; i < len; i++)
		str_append(text, pieces[rnd(N_ELEMENTS(pieces))]);
	return str_c(text);
}

static const char *const *random_protocols(void)
{
	static const char *const lists[][3] = {
		{ NULL }, { "pop3", NULL }, { "imap", "smtp", NULL },
	};

	return lists[rnd(N_ELEMENTS(lists))];
}

/* A value may be empty if it begins with nothing. */
static void
random_pairs(ARRAY_TYPE(credential_pair) *pairs, const char *prefix,
	     const char *value_begin)
{
	struct credential_pair *pair;
	unsigned int i, count = rnd(4);

	for (i = 0; i < count; i++) {
		pair = array_append_space(pairs);
		pair->name = t_strdup_printf("%s%u", prefix, i);
		pair->value = t_strconcat(value_begin, random_text(5), NULL);
	}
}

static void random_networks(struct app_password *app)
{
	struct credential_network network;
	const char *text, *error;
	unsigned int i, count = rnd(4);

	for (i = 0; i < count; i++) {
		text = rnd(2) == 0 ?
			t_strdup_printf("10.%u.0.0/%u", rnd(256), rnd(33)) :
			t_strdup_printf("2001:%x::/%u", rnd(65536), rnd(129));
		if (credential_network_parse(text, &network, &error) < 0)
			i_fatal("%s", error);
		array_push_back(&app->networks, &network);
	}
}

static void random_user(struct credential_user *user_r, const char *name)
{
	pool_t pool = pool_datastack_create();
	struct app_password app;
	unsigned int i, count = rnd(4);

	credential_user_init(user_r, name, pool);
	user_r->password = rnd(3) == 0 ? NULL :
		t_strdup_printf("$x$%u", rnd(1000));
	user_r->enabled = rnd(3) > 0;
	user_r->protocols = random_protocols();
	random_pairs(&user_r->fields, "field", "");
	for (i = 0; i < count; i++) {
		app_password_init(&app, t_strdup_printf("abcde%u", i + 2),
				  "{SHA}x", pool);
		app.label = random_text(6);
		app.created = rnd(2) * rnd(1000000);
		app.expires = rnd(2) * rnd(1000000);
		app.protocols = random_protocols();
		random_networks(&app);
		random_pairs(&app.settings, "pop3_policy_s", "=");
		array_push_back(&user_r->app_passwords, &app);
	}
}

/* The same JSON with white space where it may be, and other escapes. */
static const char *write_in_another_way(const char *text)
{
	static const char *const spaces[] = { "", " ", "\n", "\t ", "\r\n" };
	string_t *dest = t_str_new(1024);
	bool in_string = FALSE;

	for (; *text != '\0'; text++) {
		if (in_string && *text == '\\') {
			str_append_data(dest, text++, 2);
		} else if (in_string && *text == '/') {
			str_append(dest, "\\/");
		} else if (in_string && *text == 'a' && rnd(2) == 0) {
			str_append(dest, "\\u0061");
		} else if (*text == '"' || in_string) {
			str_append_c(dest, *text);
			if (*text == '"')
				in_string = !in_string;
		} else if (*text != '\n') {
			str_append_c(dest, *text);
			if (strchr("{}[],:", *text) != NULL) {
				str_append(dest,
					   spaces[rnd(N_ELEMENTS(spaces))]);
			}
		}
	}
	return str_c(dest);
}

struct model {
	/* what is shown of the user; NULL if there is none */
	char *shown[NAMES];
	char *names[NAMES];
	string_t *text;
};

static void model_init(struct model *model)
{
	unsigned int i;

	i_zero(model);
	for (i = 0; i < NAMES; i++) {
		model->names[i] = i_strdup_printf("%u%s", i, random_text(4));
		if (rnd(2) == 0) {
			/* the number last, so that names begin alike */
			i_free(model->names[i]);
			model->names[i] = i_strdup_printf("x\"%s%u",
				rnd(2) == 0 ? "" : "\\", i);
		}
	}
	model->text = str_new(default_pool, 1024);
	str_append(model->text, TEST_FILE(""));
}

static void model_deinit(struct model *model)
{
	unsigned int i;

	for (i = 0; i < NAMES; i++) {
		i_free(model->shown[i]);
		i_free(model->names[i]);
	}
	str_free(&model->text);
}

static void
assert_text(const struct model *model, const char *text, unsigned int idx)
{
	struct credentials *credentials;
	const char *error, *expected;
	unsigned int i, count = 0;

	credentials = test_credentials_load(text, strlen(text), &error);
	test_assert_strcmp_idx(error, NULL, idx);
	if (credentials == NULL)
		return;
	for (i = 0; i < NAMES; i++) {
		expected = model->shown[i] == NULL ? "none" : model->shown[i];
		test_assert_strcmp_idx(test_credentials_show(credentials,
			model->names[i]), expected, idx);
		if (model->shown[i] != NULL)
			count++;
	}
	test_assert_idx(credentials_count(credentials) == count, idx);
	credentials_deinit(&credentials);
}

static void model_edit(struct model *model, unsigned int idx)
{
	struct credentials *credentials;
	struct credential_user user;
	const unsigned int i = rnd(NAMES);
	const unsigned int edit = rnd(3);
	string_t *text = t_str_new(1024);
	const char *error = NULL;
	int ret;

	credentials = test_credentials_load(str_data(model->text),
					    str_len(model->text), &error);
	random_user(&user, model->names[i]);
	ret = edit == 0 ?
		credential_edit_add(credentials, &user, text, &error) :
		edit == 1 ?
		credential_edit_set(credentials, &user, text, &error) :
		credential_edit_remove(credentials, user.name, text, &error);
	credentials_deinit(&credentials);
	test_assert_strcmp_idx(error, NULL, idx);
	test_assert_idx(ret == ((model->shown[i] == NULL) == (edit == 0) ?
				1 : 0), idx);
	if (ret <= 0)
		return;
	str_truncate(model->text, 0);
	str_append_str(model->text, text);
	i_free(model->shown[i]);
	if (edit < 2)
		model->shown[i] = i_strdup(test_credential_user_show(&user));
}

static void test_random(void)
{
	unsigned int round, i;
	struct model model;

	test_begin("credentials: random users and edits");
	for (round = 0; round < ROUNDS; round++) {
		seed(round);
		model_init(&model);
		for (i = 0; i < EDITS; i++) T_BEGIN {
			model_edit(&model, round);
		} T_END;
		T_BEGIN {
			assert_text(&model, str_c(model.text), round);
			assert_text(&model, write_in_another_way(
					str_c(model.text)), round);
		} T_END;
		model_deinit(&model);
	}
	test_end();
}

static void
assert_same(const struct credentials *c1, const struct credentials *c2,
	    const char *name, unsigned int idx)
{
	test_assert_strcmp_idx(test_credentials_show(c1, name),
			       test_credentials_show(c2, name), idx);
}

/* Octets of a good file are changed. Whatever comes of it is read as jansson
   reads it, which gets the whole of it because of a space behind it. */
static void test_mutations(void)
{
	static const char *const text =
		TEST_FILE(TEST_JANE ",\n" TEST_JOE "\n");
	static const char octets[] = "{}[]\",:\\\n xe1\0\xff\x01";
	struct credentials *credentials, *whole;
	const char *error;
	unsigned int round, count, loaded = 0;

	test_begin("credentials: changed octets");
	for (round = 0; round < 5000; round++) T_BEGIN {
		char *copy = t_strdup_noconst(t_strconcat(text, " ", NULL));

		seed(round);
		for (count = rnd(3) + 1; count > 0; count--) {
			copy[rnd(strlen(text))] =
				octets[rnd(sizeof(octets) - 1)];
		}
		whole = test_credentials_load(copy, strlen(text) + 1, &error);
		credentials = test_credentials_load(copy, strlen(text),
						    &error);
		if (whole != NULL) {
			loaded++;
			test_assert_idx(credentials != NULL, round);
		}
		if (whole != NULL && credentials != NULL) {
			test_assert_idx(credentials_count(whole) ==
					credentials_count(credentials), round);
			assert_same(whole, credentials, "jane", round);
			assert_same(whole, credentials, "joe", round);
		}
		credentials_deinit(&credentials);
		credentials_deinit(&whole);
	} T_END;
	/* many are valid still */
	test_assert(loaded > 500);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_random,
		test_mutations,
		NULL
	};
	return test_run(test_functions);
}
