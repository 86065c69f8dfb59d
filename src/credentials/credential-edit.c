/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "safe-memset.h"
#include "str.h"
#include "str-sanitize.h"
#include "credential-edit.h"
#include "credential-json.h"
#include "credentials-private.h"

#include <jansson.h>

/* Print a user over what the file has of them. */
static int
print_user(json_t *json, const struct credential_user *user, string_t *line,
	   const char **error_r)
{
	char *dump;

	if (credential_user_update(json, user, error_r) < 0)
		return -1;
	dump = json_dumps(json, JSON_COMPACT);
	if (dump == NULL)
		i_unreached();
	str_append(line, credentials_quote(user->name));
	str_append_c(line, ':');
	str_append(line, dump);
	safe_memset(dump, 0, strlen(dump));
	free(dump);
	if (str_len(line) <= CREDENTIAL_USER_MAX_SIZE)
		return 0;
	*error_r = t_strdup_printf("%zu octets, expected at most %u",
				   str_len(line), CREDENTIAL_USER_MAX_SIZE);
	return -1;
}

static int check_file_size(size_t size, const char **error_r)
{
	if (size <= CREDENTIALS_MAX_SIZE)
		return 0;
	*error_r = t_strdup_printf("the file would have %zu octets, "
		"expected at most %u", size, CREDENTIALS_MAX_SIZE);
	return -1;
}

static int
splice(const struct credentials *credentials, size_t start, size_t end,
       const string_t *insert, string_t *dest, const char **error_r)
{
	const string_t *text = credentials->text;
	size_t size = str_len(text) - (end - start) + str_len(insert);

	if (check_file_size(size, error_r) < 0)
		return -1;
	str_append_data(dest, str_data(text), start);
	str_append_str(dest, insert);
	str_append_data(dest, str_data(text) + end, str_len(text) - end);
	return 1;
}

static size_t
entry_offset(const struct credentials *credentials,
	     const struct credentials_entry *entry)
{
	return entry->line - (const char *)str_data(credentials->text);
}

/* The last line has none behind it, so it gets the comma. */
static int
splice_in(const struct credentials *credentials, string_t *line,
	  string_t *dest, const char **error_r)
{
	size_t end = str_len(credentials->text) - strlen(CREDENTIALS_END);

	str_append_c(line, '\n');
	if (end == credentials->header_size)
		return splice(credentials, end, end, line, dest, error_r);
	str_insert(line, 0, ",\n");
	return splice(credentials, end - 1, end, line, dest, error_r);
}

int credential_edit_add(const struct credentials *credentials,
			const struct credential_user *user, string_t *dest,
			const char **error_r)
{
	string_t *line;
	json_t *json;
	int ret;

	if (credentials_lookup(credentials, user->name) != NULL)
		return 0;
	line = str_new(default_pool, 1024);
	json = json_object();
	ret = print_user(json, user, line, error_r);
	if (ret == 0)
		ret = splice_in(credentials, line, dest, error_r);
	json_decref(json);
	credentials_text_free(&line);
	return ret;
}

int credential_edit_set(const struct credentials *credentials,
			const struct credential_user *user, string_t *dest,
			const char **error_r)
{
	const struct credentials_entry *entry;
	string_t *line;
	json_t *json;
	size_t start;
	int ret;

	entry = credentials_lookup(credentials, user->name);
	if (entry == NULL)
		return 0;
	json = credentials_entry_load(entry, error_r);
	if (json == NULL)
		return -1;
	line = str_new(default_pool, 1024);
	start = entry_offset(credentials, entry);
	ret = print_user(json, user, line, error_r);
	if (ret == 0) {
		ret = splice(credentials, start, start + entry->size, line,
			     dest, error_r);
	}
	json_decref(json);
	credentials_text_free(&line);
	return ret;
}

int credential_edit_remove(const struct credentials *credentials,
			   const char *name, string_t *dest,
			   const char **error_r)
{
	const struct credentials_entry *entry;
	size_t start, end;

	entry = credentials_lookup(credentials, name);
	if (entry == NULL)
		return 0;
	start = entry_offset(credentials, entry);
	end = start + entry->size;
	if (entry->line[entry->size] == ',') {
		/* with the comma and the line end */
		end += 2;
	} else if (start > credentials->header_size) {
		/* with the comma of the line before */
		start -= 2;
	} else {
		end++;
	}
	return splice(credentials, start, end, t_str_new(1), dest, error_r);
}

struct put {
	const struct credential_user *user;
	/* NULL if the user is new */
	const struct credentials_entry *entry;
};
ARRAY_DEFINE_TYPE(put, struct put);

static int put_cmp_name(const struct put *p1, const struct put *p2)
{
	return strcmp(p1->user->name, p2->user->name);
}

/* As they stand in the file, then new users as they were given. */
static int put_cmp_place(const struct put *p1, const struct put *p2)
{
	if (p1->entry == NULL && p2->entry == NULL)
		return p1->user < p2->user ? -1 : 1;
	if (p1->entry == NULL || p2->entry == NULL)
		return p1->entry == NULL ? 1 : -1;
	return p1->entry->line < p2->entry->line ? -1 : 1;
}

static int
puts_init(const struct credentials *credentials,
	  const ARRAY_TYPE(credential_user) *users, ARRAY_TYPE(put) *puts,
	  const char **error_r)
{
	const struct credential_user *user;
	const struct put *sorted;
	unsigned int i, count;
	struct put *put;

	array_foreach(users, user) {
		put = array_append_space(puts);
		put->user = user;
		put->entry = credentials_lookup(credentials, user->name);
	}
	array_sort(puts, put_cmp_name);
	sorted = array_get(puts, &count);
	for (i = 1; i < count; i++) {
		if (put_cmp_name(&sorted[i - 1], &sorted[i]) == 0) {
			*error_r = "a user is there twice, expected each one "
				"once";
			return -1;
		}
	}
	array_sort(puts, put_cmp_place);
	return 0;
}

static int
print_put(const struct put *put, string_t *line, const char **error_r)
{
	const char *error;
	json_t *json;
	int ret;

	if (put->entry == NULL) {
		json = json_object();
	} else {
		json = credentials_entry_load(put->entry, error_r);
		if (json == NULL)
			return -1;
	}
	ret = print_user(json, put->user, line, &error);
	json_decref(json);
	if (ret < 0) {
		*error_r = t_strdup_printf("user %s: %s",
			str_sanitize(put->user->name,
				     CREDENTIAL_USER_NAME_MAX_LEN), error);
	}
	return ret;
}

/* Copy the text up to the user, and put what is new in the place of what was
   there. The last line has no comma behind it. */
static int
append_put(const struct credentials *credentials, const struct put *put,
	   size_t *offset, string_t *line, string_t *dest,
	   const char **error_r)
{
	const size_t users_end = str_len(credentials->text) -
		strlen(CREDENTIALS_END);
	const unsigned char *text = str_data(credentials->text);
	size_t end;

	if (print_put(put, line, error_r) < 0)
		return -1;
	if (put->entry != NULL) {
		end = entry_offset(credentials, put->entry);
		str_append_data(dest, text + *offset, end - *offset);
		*offset = end + put->entry->size;
	} else {
		str_append_data(dest, text + *offset, users_end - *offset);
		*offset = users_end;
		if (str_len(dest) > credentials->header_size)
			str_insert(dest, str_len(dest) - 1, ",");
		str_append_c(line, '\n');
	}
	str_append_str(dest, line);
	return 0;
}

static int
append_puts(const struct credentials *credentials,
	    const ARRAY_TYPE(put) *puts, string_t *line, string_t *dest,
	    const char **error_r)
{
	const size_t size = str_len(credentials->text);
	const struct put *put;
	size_t offset = 0;
	int ret = 0;

	array_foreach(puts, put) {
		T_BEGIN {
			ret = append_put(credentials, put, &offset, line, dest,
					 error_r);
			if (ret == 0) {
				ret = check_file_size(str_len(dest) + size -
						      offset, error_r);
			}
		} T_END_PASS_STR_IF(ret < 0, error_r);
		if (ret < 0)
			return -1;
		safe_memset(str_c_modifiable(line), 0, str_len(line));
		str_truncate(line, 0);
	}
	str_append_data(dest, str_data(credentials->text) + offset,
			size - offset);
	return 1;
}

int credential_edit_put(const struct credentials *credentials,
			const ARRAY_TYPE(credential_user) *users,
			string_t *dest, const char **error_r)
{
	string_t *line = str_new(default_pool, 1024);
	string_t *text = str_new(default_pool, str_len(credentials->text));
	ARRAY_TYPE(put) puts;
	int ret;

	i_array_init(&puts, array_count(users));
	ret = puts_init(credentials, users, &puts, error_r);
	if (ret == 0) {
		ret = append_puts(credentials, &puts, line, text, error_r);
	}
	if (ret > 0)
		str_append_str(dest, text);
	array_free(&puts);
	credentials_text_free(&text);
	credentials_text_free(&line);
	return ret;
}
