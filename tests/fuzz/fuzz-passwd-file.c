/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "credential-check.h"
#include "credential-edit.h"
#include "passwd-file.h"
#include "test-credential-use.h"
#include "fuzz.h"

/* What is taken over of a line of a passwd-file is what stands between its
   colons, and a credential file can have it. */

const char *const fuzz_corpus = "passwd-file";

static const char *
field_value(const struct credential_user *user, const char *name)
{
	const struct credential_pair *pair;
	const char *value = NULL;

	array_foreach(&user->fields, pair) {
		if (strcmp(pair->name, name) == 0) {
			i_assert(value == NULL);
			value = pair->value;
		}
	}
	return value;
}

static void
check_column(const struct credential_user *user, const char *name,
	     const char *column)
{
	const char *value = field_value(user, name);

	if (column == NULL || *column == '\0')
		return;
	i_assert(value != NULL && strcmp(value, column) == 0);
}

static void
check_password(const struct passwd_file_entry *entry, const char *column)
{
	const char *error, *end;

	if (entry->clear_text != NULL) {
		i_assert(entry->user.password == NULL);
		end = strchr(column, '}');
		i_assert(*column == '{' && end != NULL);
		i_assert(end - column == 6 || end - column == 10);
		i_assert(strcmp(entry->clear_text, end + 1) == 0);
		i_assert(*entry->clear_text != '\0');
	} else if (entry->user.password != NULL) {
		i_assert(credential_hash_is_valid(column, &error));
		i_assert(strcmp(entry->user.password, column) == 0);
	} else {
		i_assert(*column == '\0');
	}
}

/* Each word behind the seventh colon is a field, and there are no others. */
static void
check_fields(const struct credential_user *user, const char *const *columns)
{
	unsigned int count = array_count(&user->fields), i;
	const char *const *words, *value, *extra = "";

	for (i = 0; i < 7 && columns[i] != NULL; i++) {
		if ((i == 2 || i == 3 || i == 5) && *columns[i] != '\0')
			count--;
	}
	if (i == 7 && columns[i] != NULL)
		extra = t_strarray_join(columns + i, ":");
	if (strcmp(extra, ":") == 0)
		extra = "";
	words = t_strsplit_spaces(extra, " ");
	i_assert(count == str_array_length(words));
	for (; *words != NULL; words++) {
		i_assert(strncmp(*words, "userdb_", 7) == 0);
		value = strchr(*words, '=');
		value = value == NULL ?
			field_value(user, *words) :
			field_value(user, t_strdup_until(*words, value));
		i_assert(value != NULL && strchr(value, '%') == NULL);
	}
}

/* What a credential file says of the user is the same. */
static void check_file(const struct credential_user *user)
{
	ARRAY_TYPE(credential_user) users;
	struct credentials *credentials = credentials_init_empty();
	string_t *text = str_new(default_pool, 1024);
	const char *error;

	t_array_init(&users, 1);
	array_push_back(&users, user);
	i_assert(credential_edit_put(credentials, &users, text, &error) == 1);
	credentials_deinit(&credentials);
	i_assert(credentials_init(&text, &credentials, &error) == 0);
	i_assert(credentials_count(credentials) == 1);
	i_assert(strcmp(test_credentials_show(credentials, user->name),
			test_credential_user_show(user)) == 0);
	credentials_deinit(&credentials);
}

static void check_entry(const struct passwd_file_entry *entry, const char *line)
{
	const char *const *columns = t_strsplit(line, ":");
	const char *name = passwd_file_get_name(line);

	i_assert(name != NULL && strcmp(name, entry->user.name) == 0);
	i_assert(strcmp(name, columns[0]) == 0 && columns[1] != NULL);
	i_assert(entry->user.enabled);
	i_assert(array_is_empty(&entry->user.app_passwords));
	check_password(entry, columns[1]);
	if (columns[2] != NULL) {
		check_column(&entry->user, "userdb_uid", columns[2]);
		if (columns[3] != NULL) {
			check_column(&entry->user, "userdb_gid", columns[3]);
			if (columns[4] != NULL) {
				check_column(&entry->user, "userdb_home",
					     columns[5]);
			}
		}
	}
	check_fields(&entry->user, columns);
	check_file(&entry->user);
}

/* Without an oracle for all columns: of lines that have two it is known. */
static void check_refused(const char *line)
{
	const char *const *columns = t_strsplit(line, ":");
	const char *error;

	if (columns[1] == NULL || columns[2] != NULL)
		return;
	i_assert(!credential_user_name_is_valid(columns[0], &error) ||
		 !credential_hash_is_valid(columns[1], &error));
}

static void check_line(const char *line)
{
	pool_t pool = pool_alloconly_create_clean("fuzz", 1024);
	struct passwd_file_entry entry;
	const char *error = NULL, *name, *name_error;
	int ret;

	ret = passwd_file_parse(line, pool, &entry, &error);
	i_assert((ret < 0) == (error != NULL));
	if (ret > 0)
		check_entry(&entry, line);
	else if (ret < 0)
		check_refused(line);
	else
		i_assert(*line == '\0' || *line == ':' || *line == '#');
	name = passwd_file_get_name(line);
	i_assert(name == NULL ||
		 credential_user_name_is_valid(name, &name_error));
	pool_unref(&pool);
}

static void check_lines(const char *text)
{
	const char *const *lines;

	for (lines = t_strsplit(text, "\n"); *lines != NULL; lines++) T_BEGIN {
		check_line(*lines);
	} T_END;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_init();
	T_BEGIN {
		check_lines(fuzz_text(data, size));
	} T_END;
	return 0;
}
