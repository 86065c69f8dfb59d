/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "safe-memset.h"
#include "str.h"
#include "state-json.h"
#include "credential-check.h"
#include "credential-json.h"
#include "credentials-private.h"

#include <jansson.h>

int credentials_check_root(json_t *root, const char **error_r)
{
	json_t *users;

	if (state_json_is_newer(root, CREDENTIALS_VERSION, error_r) != 0 ||
	    state_json_get_object(root, CREDENTIALS_MEMBER_USERS, &users,
				  error_r) < 0)
		return -1;
	if (users == NULL) {
		*error_r = CREDENTIALS_MEMBER_USERS" is missing";
		return -1;
	}
	return 0;
}

/* The number of a member in its object, as they stand in the file. */
static unsigned int member_number(json_t *object, const char *wanted)
{
	unsigned int number = 0;
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value) {
		if (strcmp(name, wanted) == 0)
			break;
		number++;
	}
	return number;
}

/* A walk over text that jansson has parsed. */
struct walk {
	const unsigned char *p, *end;
	struct credentials_place place;
	unsigned int depth;
	/* commas at depth 1 */
	unsigned int member;
	/* at depth 2 the next string is a name */
	bool name_is_next;
};

/* Columns count characters, as jansson does. */
static void walk_step(struct walk *walk)
{
	unsigned char chr = *walk->p++;

	if (chr == '\n') {
		walk->place.line++;
		walk->place.column = 1;
	} else if ((chr & 0xc0) != 0x80) {
		walk->place.column++;
	}
}

static void walk_string(struct walk *walk)
{
	do {
		if (*walk->p == '\\')
			walk_step(walk);
		walk_step(walk);
	} while (*walk->p != '"');
}

/* Where the members of the given member of the root begin. */
static void
find_places(const string_t *text, unsigned int member,
	    ARRAY_TYPE(credentials_place) *places)
{
	const unsigned char *data = str_data(text);
	struct walk walk = {
		.p = data,
		.end = data + str_len(text),
		.place = { .line = 1, .column = 1 },
	};

	for (; walk.p < walk.end; walk_step(&walk)) {
		switch (*walk.p) {
		case '{':
		case '[':
			walk.name_is_next = ++walk.depth == 2;
			break;
		case '}':
		case ']':
			walk.depth--;
			break;
		case ',':
			if (walk.depth == 1)
				walk.member++;
			walk.name_is_next = walk.depth == 2;
			break;
		case '"':
			if (walk.name_is_next && walk.member == member)
				array_push_back(places, &walk.place);
			walk.name_is_next = FALSE;
			walk_string(&walk);
			break;
		}
	}
}

static void append_json(string_t *dest, json_t *json)
{
	char *dump = json_dumps(json, JSON_COMPACT);

	if (dump == NULL)
		i_unreached();
	str_append(dest, dump);
	safe_memset(dump, 0, strlen(dump));
	free(dump);
}

/* All members but the users, which come last. */
static void append_header(string_t *dest, json_t *root)
{
	json_t *others = json_copy(root);

	(void)json_object_del(others, CREDENTIALS_MEMBER_USERS);
	state_json_set(others, CREDENTIALS_MEMBER_USERS, json_object());
	append_json(dest, others);
	json_decref(others);
	str_truncate(dest, str_len(dest) - 2);
	str_append_c(dest, '\n');
}

static int
append_users(string_t *dest, json_t *users,
	     const ARRAY_TYPE(credentials_place) *places, const char **error_r)
{
	const struct credentials_place *place;
	const char *name, *error;
	json_t *user;
	unsigned int i = 0;

	json_object_foreach(users, name, user) {
		place = array_idx(places, i++);
		if (!credential_user_name_is_valid(name, &error)) {
			*error_r = t_strdup_printf("line %u column %u: the "
				"name of the user %s", place->line,
				place->column, error);
			return -1;
		}
		if (!json_is_object(user)) {
			*error_r = t_strdup_printf("line %u column %u: user %s "
				"is not an object", place->line, place->column,
				credentials_quote(name));
			return -1;
		}
		T_BEGIN {
			str_append(dest, credentials_quote(name));
		} T_END;
		str_append_c(dest, ':');
		append_json(dest, user);
		str_append(dest, i < json_object_size(users) ? ",\n" : "\n");
	}
	return 0;
}

static int
convert(json_t *root, const string_t *text, string_t *dest,
	ARRAY_TYPE(credentials_place) *places, const char **error_r)
{
	if (credentials_check_root(root, error_r) < 0)
		return -1;
	find_places(text, member_number(root, CREDENTIALS_MEMBER_USERS),
		    places);
	append_header(dest, root);
	if (append_users(dest, json_object_get(root, CREDENTIALS_MEMBER_USERS),
			 places, error_r) < 0)
		return -1;
	str_append(dest, CREDENTIALS_END);
	return 0;
}

int credentials_convert(const string_t *text, string_t *dest,
			ARRAY_TYPE(credentials_place) *places,
			const char **error_r)
{
	unsigned int line, column;
	const char *error;
	json_t *root;
	int ret;

	root = credential_json_load(str_data(text), str_len(text), &line,
				    &column, &error);
	if (root == NULL) {
		*error_r = t_strdup_printf("line %u column %u: %s", line,
					   column, error);
		return -1;
	}
	ret = convert(root, text, dest, places, error_r);
	json_decref(root);
	return ret;
}
