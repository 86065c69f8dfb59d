/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "llist.h"
#include "str.h"
#include "credentials-private.h"
#include "credential-copy.h"
#include "credential-file.h"
#include "credential-store.h"

#define LOG_INTERVAL_SECS 60
/* Of many users some change a hash each second. */
#define COPY_INTERVAL_SECS 10

struct store_file {
	struct store_file *prev, *next;
	char *path;
	size_t size;

	/* what is in use; NULL if the file was never good */
	struct credentials *credentials;
	/* of the text that was read last, also if it was not good */
	struct stat st;
	/* what is wrong with that text, or NULL */
	char *text_error;
	/* there is no such text, or the file may have changed after that and
	   still look like this */
	bool must_read;

	/* what is in use was read from the copy beside the file */
	bool from_copy;
	/* what is in use is the file, and may not be in the copy */
	bool copy_due;
	/* when the copy was written, or could not be */
	time_t copy_time;
	/* of the copy that was read last, and what is wrong with it, or NULL */
	struct stat copy_st;
	char *copy_error;

	/* what was logged since the file was good; NULL if nothing was */
	char *logged_error;
	struct stat logged_st;
	time_t logged_time;
};

struct credential_store {
	struct event *event;
	size_t size, max_size;
	/* the one that was used last comes first */
	struct store_file *head, *tail;
	HASH_TABLE(char *, struct store_file *) files;
};

struct credential_store *
credential_store_init(size_t max_size, struct event *event_parent)
{
	struct credential_store *store = i_new(struct credential_store, 1);

	store->event = event_create(event_parent);
	store->max_size = max_size;
	hash_table_create(&store->files, default_pool, 0, str_hash, strcmp);
	return store;
}

static void file_free(struct credential_store *store, struct store_file *file)
{
	hash_table_remove(store->files, file->path);
	DLLIST2_REMOVE(&store->head, &store->tail, file);
	store->size -= file->size;
	credentials_deinit(&file->credentials);
	i_free(file->logged_error);
	i_free(file->copy_error);
	i_free(file->text_error);
	i_free(file->path);
	i_free(file);
}

void credential_store_deinit(struct credential_store **_store)
{
	struct credential_store *store = *_store;

	if (store == NULL)
		return;
	*_store = NULL;
	while (store->head != NULL)
		file_free(store, store->head);
	hash_table_destroy(&store->files);
	event_unref(&store->event);
	i_free(store);
}

static struct store_file *
file_get(struct credential_store *store, const char *path)
{
	struct store_file *file = hash_table_lookup(store->files, path);

	if (file == NULL) {
		file = i_new(struct store_file, 1);
		file->path = i_strdup(path);
		file->must_read = TRUE;
		hash_table_insert(store->files, file->path, file);
	} else {
		DLLIST2_REMOVE(&store->head, &store->tail, file);
	}
	DLLIST2_PREPEND(&store->head, &store->tail, file);
	return file;
}

static size_t file_size(const struct store_file *file)
{
	size_t size = sizeof(*file) + strlen(file->path) + 1;

	if (file->credentials != NULL) {
		size += str_len(file->credentials->text) +
			credentials_count(file->credentials) *
			sizeof(struct credentials_entry);
	}
	return size;
}

/* The file at the head may have another size now. */
static void limit_size(struct credential_store *store)
{
	struct store_file *file = store->head;

	store->size -= file->size;
	file->size = file_size(file);
	store->size += file->size;
	while (store->size - file->size > store->max_size)
		file_free(store, store->tail);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_stat(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
		a->st_size == b->st_size &&
		same_time(&a->st_mtim, &b->st_mtim) &&
		same_time(&a->st_ctim, &b->st_ctim);
}

/* There is no such file. Returns 0 if that is all there is to say, or -1 and an
   error. */
static int check_missing(const char *users_folder, const char **error_r)
{
	struct stat st;

	if (users_folder == NULL)
		return -1;
	if (stat(users_folder, &st) == 0)
		return 0;
	*error_r = t_strdup_printf("stat(%s) failed: %m", users_folder);
	return -1;
}

/* Returns 1, 0 if there is no such user, -1 and an error if the text is not
   good. */
static int
read_text(struct store_file *file, const char *users_folder, time_t now,
	  const char **error_r)
{
	struct credentials *credentials;
	const char *error;
	string_t *text;
	struct stat st;
	int ret;

	ret = credential_file_read(file->path, &text, &st, error_r);
	if (ret == 0)
		return check_missing(users_folder, error_r);
	if (ret < 0)
		return -1;
	file->st = st;
	file->must_read =
		now - st.st_ctim.tv_sec <= CREDENTIAL_FILE_TICK_SECS;
	file->copy_due = FALSE;
	i_free(file->text_error);
	if (credentials_init(&text, &credentials, &error) < 0) {
		file->text_error = i_strdup_printf("%s: %s", file->path, error);
		*error_r = t_strdup(file->text_error);
		return -1;
	}
	credentials_deinit(&file->credentials);
	file->credentials = credentials;
	file->from_copy = FALSE;
	file->copy_due = users_folder == NULL;
	return 1;
}

/* Returns 1 if what is in use is the file as it is now, 0 if there is no such
   user, -1 and an error; *st_r is then what could be seen of the file. */
static int
refresh(struct store_file *file, const char *users_folder, time_t now,
	struct stat *st_r, const char **error_r)
{
	if (lstat(file->path, st_r) < 0) {
		/* no file can have a name that is too long */
		bool missing = errno == ENOENT || errno == ENAMETOOLONG;

		*error_r = t_strdup_printf("lstat(%s) failed: %m", file->path);
		i_zero(st_r);
		return !missing ? -1 :
			check_missing(users_folder, error_r);
	}
	if (file->must_read || !same_stat(&file->st, st_r))
		return read_text(file, users_folder, now, error_r);
	if (file->text_error == NULL)
		return 1;
	*error_r = t_strdup(file->text_error);
	return -1;
}

/* A copy that is of no use is not read again as long as it is the same. */
static void use_copy(struct store_file *file)
{
	const char *error;
	struct stat st;
	int ret;

	if (lstat(credential_copy_path(file->path), &st) < 0)
		i_zero(&st);
	else if (same_stat(&st, &file->copy_st))
		return;
	file->copy_st = st;
	i_free(file->copy_error);
	ret = credential_copy_read(file->path, &file->credentials, &error);
	if (ret < 0)
		file->copy_error = i_strdup(error);
	file->from_copy = ret > 0;
}

/* What it means for the users. */
static const char *describe_use(const struct store_file *file)
{
	if (file->credentials != NULL)
		return "users who were in it before still can log in";
	return file->copy_error == NULL ? "no user in it can log in" :
		t_strdup_printf("no user in it can log in; of the copy: %s",
				file->copy_error);
}

static void
log_broken(struct credential_store *store, struct store_file *file,
	   const struct stat *st, time_t now, const char *error)
{
	if (file->logged_error != NULL &&
	    strcmp(file->logged_error, error) == 0 &&
	    same_stat(&file->logged_st, st))
		return;
	/* also after the clock was set back */
	if (now >= file->logged_time &&
	    now - file->logged_time < LOG_INTERVAL_SECS)
		return;
	e_error(store->event, "%s (%s)", error, describe_use(file));
	i_free(file->logged_error);
	file->logged_error = i_strdup(error);
	file->logged_st = *st;
	file->logged_time = now;
}

/* Find the user in what is in use. broken: what is wrong with the file as it is
   now, or NULL. */
static int
find_user(const struct store_file *file, const char *broken, const char *name,
	  pool_t pool, struct credential_user *user_r, const char **error_r)
{
	const char *error;
	int ret = 0;

	if (file->credentials != NULL) {
		ret = credentials_find(file->credentials, name, pool, user_r,
				       &error);
	}
	if (ret < 0) {
		*error_r = t_strdup_printf("%s: %s", file->from_copy ?
			credential_copy_path(file->path) : file->path, error);
	} else if (ret == 0 && broken != NULL) {
		*error_r = t_strdup_printf("the file cannot be used now: %s",
					   broken);
		ret = -1;
	}
	return ret;
}

int credential_store_find(struct credential_store *store, const char *path,
			  const char *users_folder, const char *name, time_t now,
			  pool_t pool, struct credential_user *user_r,
			  const char **error_r)
{
	struct store_file *file = file_get(store, path);
	const char *broken = NULL;
	struct stat st;
	int ret;

	ret = refresh(file, users_folder, now, &st, &broken);
	if (ret == 0) {
		file_free(store, file);
		return 0;
	}
	if (ret < 0) {
		if (users_folder == NULL && file->credentials == NULL)
			use_copy(file);
		log_broken(store, file, &st, now, broken);
	} else {
		broken = NULL;
		i_free(file->logged_error);
	}
	limit_size(store);
	return find_user(file, broken, name, pool, user_r, error_r);
}

int credential_store_keep_copy(struct credential_store *store,
			       const char *path, time_t now,
			       const char **error_r)
{
	struct store_file *file = hash_table_lookup(store->files, path);
	struct stat st;
	int ret;

	if (file == NULL || !file->copy_due ||
	    (now >= file->copy_time &&
	     now - file->copy_time < COPY_INTERVAL_SECS))
		return 0;
	/* what is not the file any more has users who may be removed */
	if (lstat(path, &st) < 0 || !same_stat(&file->st, &st))
		return 0;
	if (credential_copy_is_current(path, &st, !file->must_read)) {
		file->copy_due = FALSE;
		return 0;
	}
	ret = credential_copy_write(path, file->credentials, &st, now, error_r);
	if (ret != 0)
		file->copy_time = now;
	file->copy_due = ret <= 0;
	return ret < 0 ? -1 : 0;
}
