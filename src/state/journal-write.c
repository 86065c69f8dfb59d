/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "read-full.h"
#include "write-full.h"
#include "journal-file.h"
#include "policy-dict.h"
#include "store-private.h"
#include "journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A line of a message is rarely longer. */
#define LINE_USUAL_SIZE 200

static int
write_error(struct policy_store *store, const char *call, const char **error_r)
{
	*error_r = t_strdup_printf("%s(%s/"JOURNAL_NAME") failed: %m", call,
				   store->path);
	return -1;
}

static void
print_lines(string_t *dest, const ARRAY_TYPE(pop3_message) *messages)
{
	const struct pop3_message *message;

	array_foreach(messages, message)
		policy_journal_line_print(dest, message);
}

/* Open the journal in its place, to which one that was committed, but not
   renamed, is brought first. Returns as journal_file_open(). */
static int
open_in_place(struct policy_store *store, uint32_t generation,
	      struct journal_file *file_r, const char **error_r)
{
	struct journal_file file;
	int ret, old_errno;

	ret = journal_file_open(&store->dir, generation, O_RDWR | O_APPEND,
				&file, error_r);
	if (ret <= 0)
		return ret;
	if (strcmp(file.name, JOURNAL_NAME) != 0 &&
	    journal_file_install(&store->dir, error_r) < 0) {
		old_errno = errno;
		journal_file_close(&file);
		errno = old_errno;
		return -1;
	}
	file.name = JOURNAL_NAME;
	*file_r = file;
	return 1;
}

/* Where the last line end is. The first line has one. */
static int
find_end(struct policy_store *store, const struct journal_file *file,
	 uoff_t *end_r, const char **error_r)
{
	char buf[4096];
	uoff_t end = file->size, offset;
	ssize_t size;

	while (end > 0) {
		/* most often the last octet is the line end */
		offset = end == file->size ? end - 1 :
			end - I_MIN(end, sizeof(buf));
		size = pread(file->fd, buf, end - offset, offset);
		if (size < 0)
			return write_error(store, "read", error_r);
		for (; size > 0; size--) {
			if (buf[size - 1] == '\n') {
				*end_r = offset + size;
				return 0;
			}
		}
		end = offset;
	}
	*end_r = 0;
	return 0;
}

/* Returns 0, or -1 with errno and an error; then nothing was appended. */
static int
append_text(struct policy_store *store, const struct journal_file *file,
	    const string_t *text, const char **error_r)
{
	const char *failed;
	uoff_t end;
	int old_errno;

	if (find_end(store, file, &end, error_r) < 0)
		return -1;
	if (end + str_len(text) > JOURNAL_MAX_SIZE) {
		/* it would be refused when it is read */
		*error_r = t_strdup_printf("%s/"JOURNAL_NAME" would have "
			"%"PRIuUOFF_T" octets, expected at most %u",
			store->path, end + str_len(text), JOURNAL_MAX_SIZE);
		errno = EFBIG;
		return -1;
	}
	if (end < file->size && ftruncate(file->fd, end) < 0)
		return write_error(store, "ftruncate", error_r);
	if (write_full(file->fd, str_data(text), str_len(text)) < 0)
		failed = "write";
	else if (store->fsync && fdatasync(file->fd) < 0)
		failed = "fdatasync";
	else
		return 0;
	old_errno = errno;
	(void)write_error(store, failed, error_r);
	if (ftruncate(file->fd, end) < 0) {
		e_error(store->event, "ftruncate(%s/"JOURNAL_NAME") failed: %m",
			store->path);
	}
	errno = old_errno;
	return -1;
}

uint32_t policy_journal_next_generation(uint32_t generation)
{
	return generation == UINT32_MAX ? 1 : generation + 1;
}

static enum policy_store_result
append_to_dict(struct policy_store *store, uint32_t generation,
	       const ARRAY_TYPE(pop3_message) *messages, const char **error_r)
{
	enum policy_store_result result;
	string_t *text = str_new(default_pool,
				 array_count(messages) * LINE_USUAL_SIZE + 1);

	print_lines(text, messages);
	result = store->dict_v->append_journal(store->dict, generation, text,
					       error_r);
	str_free(&text);
	return result;
}

enum policy_store_result
policy_journal_append(struct policy_store *store, uint32_t generation,
		      const ARRAY_TYPE(pop3_message) *messages,
		      const char **error_r)
{
	enum policy_store_result result = POLICY_STORE_OK;
	struct journal_file file;
	string_t *text;
	int ret;

	i_assert(generation != 0);
	if (store->dict != NULL)
		return append_to_dict(store, generation, messages, error_r);
	i_assert(store->lock != NULL);
	i_assert(!store->journal_replaced);

	ret = open_in_place(store, generation, &file, error_r);
	if (ret < 0)
		return policy_store_write_failure(errno);
	if (ret == 0) {
		*error_r = t_strdup_printf("%s/"JOURNAL_NAME" is not of "
			"generation %u", store->path, generation);
		return POLICY_STORE_UNUSABLE;
	}
	text = str_new(default_pool,
		       array_count(messages) * LINE_USUAL_SIZE + 1);
	print_lines(text, messages);
	if (append_text(store, &file, text, error_r) < 0)
		result = policy_store_write_failure(errno);
	str_free(&text);
	journal_file_close(&file);
	return result;
}

static int
copy_file(struct policy_store *store, int fd, const char *name,
	  const char **error_r)
{
	struct stat st;
	string_t *text;
	void *data;
	int ret;

	if (fstat(fd, &st) < 0)
		return write_error(store, "fstat", error_r);
	if (st.st_size > JOURNAL_MAX_SIZE) {
		*error_r = t_strdup_printf("%s/"JOURNAL_NAME" has %"PRIuUOFF_T
			" octets, expected at most %u", store->path,
			(uoff_t)st.st_size, JOURNAL_MAX_SIZE);
		return -1;
	}
	text = str_new(default_pool, st.st_size + 1);
	data = buffer_append_space_unsafe(text, st.st_size);
	ret = st.st_size == 0 || read_full(fd, data, st.st_size) > 0 ?
		state_dir_write_file(&store->dir, name, text, store->fsync,
				     error_r) :
		write_error(store, "read", error_r);
	str_free(&text);
	return ret;
}

int policy_journal_keep_copy(struct policy_store *store, const char **name_r,
			     const char **error_r)
{
	const char *name;
	int fd, ret;

	if (store->dict != NULL)
		return 0;
	i_assert(store->lock != NULL);

	ret = state_dir_open_file(&store->dir, JOURNAL_NAME, O_RDONLY, &fd,
				  error_r);
	if (ret <= 0)
		return ret;
	name = state_dir_corrupt_name(&store->dir, JOURNAL_NAME);
	ret = copy_file(store, fd, name, error_r);
	i_close_fd(&fd);
	*name_r = name;
	return ret < 0 ? -1 : 1;
}

/* The journal that the state on disk names must outlive a rollback. */
static int keep_committed(struct policy_store *store, const char **error_r)
{
	struct journal_file file;
	int ret;

	ret = open_in_place(store, store->journal_generation, &file, error_r);
	if (ret > 0)
		journal_file_close(&file);
	return ret < 0 ? -1 : 0;
}

static int
write_new(struct policy_store *store,
	  const struct policy_journal_header *header,
	  const ARRAY_TYPE(pop3_message) *messages, const char **error_r)
{
	string_t *text = str_new(default_pool,
		(array_count(messages) + 1) * LINE_USUAL_SIZE);
	int ret, old_errno;

	policy_journal_header_print(text, header);
	print_lines(text, messages);
	if (str_len(text) > JOURNAL_MAX_SIZE) {
		*error_r = t_strdup_printf("%s/"JOURNAL_NAME" would have %zu "
			"octets, expected at most %u", store->path,
			str_len(text), JOURNAL_MAX_SIZE);
		errno = EFBIG;
		ret = -1;
	} else {
		ret = state_dir_write_file(&store->dir, JOURNAL_NEW_NAME, text,
					   store->fsync, error_r);
	}
	old_errno = errno;
	str_free(&text);
	errno = old_errno;
	return ret;
}

/* Whether it can be written turns out with the state. */
static void
replace_in_dict(struct policy_store *store,
		const struct policy_journal_header *header,
		const ARRAY_TYPE(pop3_message) *messages)
{
	string_t *text = str_new(default_pool,
		(array_count(messages) + 1) * LINE_USUAL_SIZE);

	policy_journal_header_print(text, header);
	print_lines(text, messages);
	store->dict_v->replace_journal(store->dict, header->generation, text);
	str_free(&text);
}

enum policy_store_result
policy_journal_replace(struct policy_store *store, uint32_t epoch,
		       uint32_t generation,
		       const ARRAY_TYPE(pop3_message) *messages,
		       const char **error_r)
{
	const struct policy_journal_header header = {
		.epoch = epoch,
		.generation = generation,
	};

	i_assert(epoch != 0 && generation != 0);
	if (store->dict != NULL) {
		replace_in_dict(store, &header, messages);
		return POLICY_STORE_OK;
	}
	i_assert(store->lock != NULL);

	if ((!store->journal_replaced && keep_committed(store, error_r) < 0) ||
	    write_new(store, &header, messages, error_r) < 0)
		return policy_store_write_failure(errno);
	store->journal_replaced = TRUE;
	return POLICY_STORE_OK;
}
