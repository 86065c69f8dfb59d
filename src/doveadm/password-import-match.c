/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "credentials.h"
#include "password-hash.h"
#include "password-import.h"

static void
set_result(struct password_import *import, struct passwd_file_line *line,
	   enum password_import_result result, const char *reason)
{
	line->result = result;
	line->reason = p_strdup(import->pool, reason);
}

static bool
has_field(const struct credential_user *user,
	  const struct credential_pair *wanted)
{
	const struct credential_pair *pair;

	array_foreach(&user->fields, pair) {
		if (strcmp(pair->name, wanted->name) == 0)
			return strcmp(pair->value, wanted->value) == 0;
	}
	return FALSE;
}

/* The order does not matter. */
static bool
has_same_fields(const struct credential_user *user1,
		const struct credential_user *user2)
{
	const struct credential_pair *pair;

	if (array_count(&user1->fields) != array_count(&user2->fields))
		return FALSE;
	array_foreach(&user1->fields, pair) {
		if (!has_field(user2, pair))
			return FALSE;
	}
	return TRUE;
}

/* A hash of the clear text that is there already is as good as a new one: it
   becomes the one of the line. */
static int
take_known_hash(struct password_import *import, struct passwd_file_line *line,
		const struct credential_user *user, const char **error_r)
{
	const char *hash = user->password == NULL ? NULL :
		password_hash_strip(user->password), *error;

	if (line->entry.clear_text == NULL || hash == NULL)
		return 0;
	switch (password_hasher_verify(import->hasher, hash,
				       line->entry.clear_text, &error)) {
	case PASSWORD_VERIFY_MATCH:
		line->entry.user.password =
			p_strdup(import->pool, user->password);
		break;
	case PASSWORD_VERIFY_MISMATCH:
	case PASSWORD_VERIFY_BAD_HASH:
		break;
	case PASSWORD_VERIFY_FAILED:
		*error_r = error;
		return -1;
	}
	return 0;
}

static void
compare_user(struct password_import *import, struct passwd_file_line *line,
	     const struct credential_user *user)
{
	struct passwd_file_entry *entry = &line->entry;
	const bool same_password =
		null_strcmp(entry->user.password, user->password) == 0 &&
		(entry->clear_text == NULL || entry->user.password != NULL);
	const bool same_fields = has_same_fields(&entry->user, user);

	if (same_password && same_fields) {
		set_result(import, line, PASSWORD_IMPORT_KEPT, NULL);
	} else if (!import->replace) {
		set_result(import, line, PASSWORD_IMPORT_CONFLICT,
			   t_strdup_printf("the user is there already with "
				"another %s, expected --replace to change it",
				same_password ? "list of fields" :
				"password"));
	} else {
		set_result(import, line, PASSWORD_IMPORT_REPLACED, NULL);
		/* what a passwd-file says nothing about stays */
		entry->user.enabled = user->enabled;
		entry->user.protocols = user->protocols;
		entry->user.app_passwords = user->app_passwords;
	}
}

static int
resolve_line(struct password_import *import, struct passwd_file_line *line,
	     const struct credentials *credentials, const char **error_r)
{
	struct credential_user user;
	const char *error;
	int ret;

	ret = credentials_find(credentials, line->entry.user.name,
			       import->pool, &user, &error);
	if (ret < 0) {
		set_result(import, line, PASSWORD_IMPORT_CONFLICT, error);
	} else if (ret == 0) {
		set_result(import, line, PASSWORD_IMPORT_NEW, NULL);
	} else {
		if (take_known_hash(import, line, &user, error_r) < 0)
			return -1;
		compare_user(import, line, &user);
	}
	return 0;
}

int password_import_match(struct password_import *import,
			  const struct password_import_file *file,
			  const struct credentials *credentials,
			  const char **error_r)
{
	struct passwd_file_line *const *lines;
	unsigned int i, count;
	int ret = 0;

	lines = array_get(&file->lines, &count);
	for (i = 0; i < count && ret == 0; i++) {
		T_BEGIN {
			ret = resolve_line(import, lines[i], credentials,
					   error_r);
		} T_END_PASS_STR_IF(ret < 0, error_r);
	}
	return ret;
}
