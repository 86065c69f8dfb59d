/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "credential-check.h"
#include "credential-edit.h"
#include "credential-file.h"
#include "credentials-private.h"
#include "credential-upgrade.h"

struct upgrade {
	const char *name;
	/* "" for the main password */
	const char *id;
	const char *old_hash, *new_hash;
};

/* Where the user has the hash of this id; NULL if they have no such password
   any more. */
static const char **
find_hash(struct credential_user *user, const char *id)
{
	struct app_password *app;

	if (*id == '\0')
		return user->password == NULL ? NULL : &user->password;
	array_foreach_modifiable(&user->app_passwords, app) {
		if (strcmp(app->id, id) == 0)
			return &app->hash;
	}
	return NULL;
}

/* Append the text with the new hash to dest. Returns 0 if there is nothing to
   change, -1 and an error. */
static int
print(const struct upgrade *upgrade, const struct credentials *credentials,
      pool_t pool, string_t *dest, const char **error_r)
{
	struct credential_user user;
	const char **hash;
	int ret;

	ret = credentials_find(credentials, upgrade->name, pool, &user,
			       error_r);
	if (ret <= 0)
		return ret;
	hash = find_hash(&user, upgrade->id);
	if (hash == NULL || strcmp(*hash, upgrade->old_hash) != 0)
		return 0;
	*hash = upgrade->new_hash;
	return credential_edit_set(credentials, &user, dest, error_r);
}

static int
print_and_commit(const struct upgrade *upgrade, const char *path,
		 struct credential_file_edit **edit, const char **error_r)
{
	string_t *text = str_new(default_pool, 1024);
	pool_t pool = pool_alloconly_create_clean("credential upgrade", 4096);
	const char *error;
	int ret;

	ret = print(upgrade, credential_file_edit_get(*edit), pool, text,
		    &error);
	if (ret < 0)
		*error_r = t_strdup_printf("%s: %s", path, error);
	if (ret <= 0)
		credential_file_edit_rollback(edit);
	else if (credential_file_edit_commit(edit, text, error_r) < 0)
		ret = -1;
	pool_unref(&pool);
	credentials_text_free(&text);
	return ret;
}

int credential_upgrade_hash(const char *path, const char *name, const char *id,
			    const char *old_hash, const char *new_hash,
			    unsigned int lock_secs, const char **error_r)
{
	const struct upgrade upgrade = {
		.name = name,
		.id = id,
		.old_hash = old_hash,
		.new_hash = new_hash,
	};
	struct credential_file_edit *edit;
	const char *error;
	int ret;

	if (!credential_hash_is_valid(new_hash, &error)) {
		*error_r = t_strdup_printf("the new hash %s", error);
		return -1;
	}
	ret = credential_file_edit_begin(path, lock_secs, &edit, error_r);
	return ret <= 0 ? ret :
		print_and_commit(&upgrade, path, &edit, error_r);
}
