/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "safe-memset.h"
#include "str.h"
#include "compat-password.h"
#include "credential-cmd.h"
#include "credential-edit.h"
#include "credential-file.h"
#include "password-hash.h"
#include "password-import.h"
#include "scheme-limits.h"

#include <sysexits.h>
#include <unistd.h>

/* Above this auth forgets all that it has in its cache. */
#define FLUSH_USERS_MAX 100

HASH_TABLE_DEFINE_TYPE(file_index, const char *, void *);

static struct password_import_file *
get_file(struct password_import *import, HASH_TABLE_TYPE(file_index) indexes,
	 const char *path)
{
	struct password_import_file *file;
	void *idx = hash_table_lookup(indexes, path);

	if (idx != NULL) {
		return array_idx_modifiable(&import->files,
			POINTER_CAST_TO(idx, unsigned int) - 1);
	}
	file = array_append_space(&import->files);
	file->path = p_strdup(import->pool, path);
	p_array_init(&file->lines, import->pool, 1);
	hash_table_insert(indexes, file->path,
			  POINTER_CAST(array_count(&import->files)));
	return file;
}

/* A login by it must be possible: later nobody would know why it fails. */
static int
check_hash(struct password_import *import, const char *hash,
	   const char **error_r)
{
	const char *stripped;

	if (hash == NULL)
		return 0;
	stripped = password_hash_strip(hash);
	if (stripped != NULL)
		return password_hasher_check(import->hasher, stripped, error_r);
	return compat_password_check(hash, scheme_hash_check, error_r);
}

/* Give each line to the file that its user is in. */
static void find_files(struct password_import *import)
{
	HASH_TABLE_TYPE(file_index) indexes;
	struct passwd_file_line *line;
	const char *path, *error;

	p_array_init(&import->files, import->pool, 16);
	hash_table_create(&indexes, default_pool, 0, str_hash, strcmp);
	array_foreach_modifiable(&import->lines, line) T_BEGIN {
		if (line->result == PASSWORD_IMPORT_INVALID) {
			/* it is in none */
		} else if (check_hash(import, line->entry.user.password,
				      &error) < 0 ||
			   passdb_config_path(&import->cmd->config,
					      line->entry.user.name, &path,
					      &error) < 0) {
			line->result = PASSWORD_IMPORT_INVALID;
			line->reason = p_strdup(import->pool, error);
		} else {
			struct password_import_file *file =
				get_file(import, indexes, path);

			array_push_back(&file->lines, &line);
		}
	} T_END;
	hash_table_destroy(&indexes);
}

/* A new file needs its folder. */
static int check_folder(const char *path, const char **error_r)
{
	const char *slash = strrchr(path, '/');
	const char *dir = slash == NULL ? "." : slash == path ? "/" :
		t_strdup_until(path, slash);

	if (access(dir, W_OK | X_OK) == 0)
		return 0;
	*error_r = t_strdup_printf("no file can be made in %s: %m", dir);
	return -1;
}

static int
read_credentials(const char *path, struct credentials **credentials_r,
		 const char **error_r)
{
	struct stat st;
	int ret;

	ret = credential_file_load(path, credentials_r, &st, error_r);
	if (ret < 0)
		return -1;
	if (ret > 0)
		return 0;
	*credentials_r = credentials_init_empty();
	return check_folder(path, error_r);
}

static int
check_file(struct password_import *import,
	   const struct password_import_file *file, const char **error_r)
{
	struct credentials *credentials = NULL;
	int ret;

	ret = read_credentials(file->path, &credentials, error_r);
	if (ret == 0)
		ret = password_import_match(import, file, credentials,
					    error_r);
	credentials_deinit(&credentials);
	return ret;
}

int password_import_check(struct password_import *import, const char **error_r)
{
	const struct password_import_file *file;
	int ret = 0;

	find_files(import);
	array_foreach(&import->files, file) {
		T_BEGIN {
			ret = check_file(import, file, error_r);
		} T_END_PASS_STR_IF(ret < 0, error_r);
		if (ret < 0)
			return -1;
	}
	return 0;
}

const struct passwd_file_line *
password_import_count(struct password_import *import)
{
	const struct passwd_file_line *line, *first = NULL;

	memset(import->counts, 0, sizeof(import->counts));
	array_foreach(&import->lines, line) {
		import->counts[line->result]++;
		if (first == NULL &&
		    (line->result == PASSWORD_IMPORT_CONFLICT ||
		     line->result == PASSWORD_IMPORT_INVALID))
			first = line;
	}
	return first;
}

/* Hash the clear text of lines that will be written. What a line says of it is
   forgotten then. */
static int hash_clear_text(struct password_import *import, const char **error_r)
{
	struct passwd_file_line *line;
	const char *hash;
	int ret = 0;

	array_foreach_modifiable(&import->lines, line) {
		struct passwd_file_entry *entry = &line->entry;

		if (entry->clear_text == NULL)
			continue;
		if (entry->user.password == NULL) T_BEGIN {
			ret = password_hasher_hash(import->hasher,
						   entry->clear_text, &hash,
						   error_r);
			if (ret == 0) {
				entry->user.password =
					p_strdup(import->pool, hash);
			}
		} T_END_PASS_STR_IF(ret < 0, error_r);
		if (ret < 0)
			return -1;
		safe_memset(entry->clear_text, 0, strlen(entry->clear_text));
		entry->clear_text = NULL;
	}
	return 0;
}

/* Whether nothing forbids to write the file; users_r are those that change. */
static int
get_changed(struct password_import *import,
	    const struct password_import_file *file,
	    ARRAY_TYPE(credential_user) *users, const char **error_r)
{
	struct passwd_file_line *const *linep;

	array_foreach(&file->lines, linep) {
		const struct passwd_file_line *line = *linep;

		switch (line->result) {
		case PASSWORD_IMPORT_NEW:
		case PASSWORD_IMPORT_REPLACED:
			array_push_back(users, &line->entry.user);
			break;
		case PASSWORD_IMPORT_KEPT:
			break;
		default:
			import->cmd->exit_code = EX_DATAERR;
			*error_r = t_strdup_printf("line %u: %s",
						   line->number, line->reason);
			return -1;
		}
	}
	return 0;
}

static int
commit(struct credential_file_edit **edit,
       const ARRAY_TYPE(credential_user) *users, const char *path,
       const char **error_r)
{
	string_t *text = str_new(default_pool, 4096);
	const char *error;
	int ret;

	ret = credential_edit_put(credential_file_edit_get(*edit), users, text,
				  &error);
	if (ret < 0) {
		*error_r = t_strdup_printf("%s: %s", path, error);
		credential_file_edit_rollback(edit);
	} else {
		ret = credential_file_edit_commit(edit, text, error_r);
	}
	safe_memset(str_c_modifiable(text), 0, str_len(text));
	str_free(&text);
	return ret < 0 ? -1 : 0;
}

static int
write_file(struct password_import *import,
	   const struct password_import_file *file,
	   ARRAY_TYPE(const_string) *changed, const char **error_r)
{
	ARRAY_TYPE(credential_user) users;
	const struct credential_user *user;
	struct credential_file_edit *edit;
	int ret;

	if (credential_file_edit_begin(file->path, CREDENTIAL_CMD_LOCK_SECS,
				       &edit, error_r) <= 0)
		return -1;
	t_array_init(&users, array_count(&file->lines));
	ret = password_import_match(import, file,
				    credential_file_edit_get(edit), error_r);
	if (ret == 0)
		ret = get_changed(import, file, &users, error_r);
	if (ret < 0 || array_is_empty(&users))
		credential_file_edit_rollback(&edit);
	else
		ret = commit(&edit, &users, file->path, error_r);
	if (ret == 0) {
		array_foreach(&users, user) {
			array_push_back(changed, &user->name);
		}
	}
	return ret;
}

static void
flush(struct password_import *import, ARRAY_TYPE(const_string) *changed)
{
	const unsigned int count = array_count(changed);

	if (count == 0)
		return;
	array_append_zero(changed);
	credential_cmd_flush(import->cmd, count > FLUSH_USERS_MAX ? NULL :
			     array_front(changed));
}

int password_import_write(struct password_import *import, const char **error_r)
{
	const struct password_import_file *file;
	ARRAY_TYPE(const_string) changed;
	unsigned int written = 0;
	int ret = 0;

	if (hash_clear_text(import, error_r) < 0)
		return -1;
	p_array_init(&changed, import->pool, array_count(&import->lines) + 1);
	array_foreach(&import->files, file) {
		T_BEGIN {
			ret = write_file(import, file, &changed, error_r);
		} T_END_PASS_STR_IF(ret < 0, error_r);
		if (ret < 0)
			break;
		written++;
	}
	flush(import, &changed);
	if (ret < 0 && written > 0) {
		*error_r = t_strdup_printf("%s (%u of %u files were done, do "
			"it again for the others)", *error_r, written,
			array_count(&import->files));
	}
	return ret;
}
