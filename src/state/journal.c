/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "istream.h"
#include "str.h"
#include "journal-file.h"
#include "journal-memory.h"
#include "policy-dict.h"
#include "store-private.h"
#include "journal.h"

#include <fcntl.h>
#include <unistd.h>

#define READ_SIZE (64 * 1024)

struct journal_reader {
	struct policy_journal *journal;
	/* UID => index of its message, plus 1 */
	HASH_TABLE(void *, void *) indexes;
	struct journal_memory memory;
	bool header_expected;
};

/* The folder while the lock is held, else opened to be closed. */
static int
dir_open(struct policy_store *store, struct state_dir *dir_r,
	 const char **error_r)
{
	if (store->lock == NULL)
		return state_dir_open(store->path, dir_r, error_r);
	*dir_r = store->dir;
	return 1;
}

static void dir_close(struct policy_store *store, struct state_dir *dir)
{
	if (store->lock == NULL)
		state_dir_close(dir);
}

static void add_message(struct journal_reader *reader,
			const struct pop3_message *message)
{
	ARRAY_TYPE(pop3_message) *messages = &reader->journal->messages;
	void *key = POINTER_CAST(message->uid), *value;

	value = message->uid == 0 ? NULL :
		hash_table_lookup(reader->indexes, key);
	if (value != NULL) {
		pop3_message_add_news(reader->journal->pool,
			array_idx_modifiable(messages,
				POINTER_CAST_TO(value, size_t) - 1), message);
		return;
	}
	array_push_back(messages, message);
	if (message->uid != 0) {
		hash_table_insert(reader->indexes, key,
				  POINTER_CAST(array_count(messages)));
	}
}

static void
read_line(struct journal_reader *reader, const void *line, size_t size)
{
	struct policy_journal *journal = reader->journal;
	struct pop3_message message;
	const char *error;

	if (reader->header_expected) {
		reader->header_expected = FALSE;
		return;
	}
	journal->lines++;
	if (size <= JOURNAL_LINE_MAX_SIZE &&
	    policy_journal_line_parse(line, size, journal->pool, &message,
				      &error) == 0)
		add_message(reader, &message);
	else
		journal->damaged++;
}

/* Returns how many octets whole lines have. *too_long is what was skipped of a
   line that is longer than any of ours. */
static size_t
read_block(struct journal_reader *reader, const unsigned char *data,
	   size_t size, size_t *too_long)
{
	const unsigned char *line = data, *end;

	while ((end = memchr(line, '\n', data + size - line)) != NULL) {
		read_line(reader, line, end - line + *too_long);
		*too_long = 0;
		line = end + 1;
	}
	return line - data;
}

/* Read all whole lines. Returns 0, or -1 and an error without the file. */
static int
read_lines(struct journal_reader *reader, struct istream *input,
	   uoff_t file_size, const char **error_r)
{
	const unsigned char *data;
	size_t size, used, too_long = 0;

	while (i_stream_read_more(input, &data, &size) > 0) {
		if (journal_memory_check(&reader->memory,
					 reader->journal->lines,
					 input->v_offset, file_size,
					 error_r) < 0)
			return -1;
		T_BEGIN {
			used = read_block(reader, data, size, &too_long);
		} T_END;
		if (used > 0) {
			i_stream_skip(input, used);
		} else if (size > JOURNAL_LINE_MAX_SIZE) {
			too_long = JOURNAL_LINE_MAX_SIZE + 1;
			i_stream_skip(input, size);
		} else if (i_stream_read(input) < 0) {
			break;
		}
	}
	if (input->stream_errno == 0) {
		reader->journal->torn = too_long > 0 ||
			i_stream_get_data_size(input) > 0;
		return 0;
	}
	*error_r = t_strdup(i_stream_get_error(input));
	return -1;
}

static int
read_file(struct journal_file *file, const struct state_dir *dir,
	  struct journal_reader *reader, const char **error_r)
{
	struct istream *file_input, *input;
	const char *error;
	int ret;

	/* what is appended meanwhile is for those who read later */
	file_input = i_stream_create_fd(file->fd, READ_SIZE);
	input = i_stream_create_limit(file_input, file->size);
	i_stream_unref(&file_input);
	hash_table_create_direct(&reader->indexes, default_pool, 0);
	journal_memory_init(&reader->memory);
	ret = read_lines(reader, input, file->size, &error);
	if (ret < 0) {
		*error_r = t_strdup_printf("reading %s/%s failed: %s",
					   dir->path, file->name, error);
	}
	hash_table_destroy(&reader->indexes);
	i_stream_destroy(&input);
	return ret;
}

static int
read_generation(const struct state_dir *dir, uint32_t generation,
		struct policy_journal *journal, const char **error_r)
{
	struct journal_reader reader = { .journal = journal };
	struct journal_file file;
	int ret;

	ret = journal_file_open(dir, generation, O_RDONLY, &file, error_r);
	if (ret <= 0)
		return ret;
	journal->epoch = file.header.epoch;
	journal->generation = file.header.generation;
	/* a damaged first line may be a message that lost the first one */
	reader.header_expected = file.header.generation != 0;
	if (read_file(&file, dir, &reader, error_r) < 0)
		ret = -1;
	journal_file_close(&file);
	return ret;
}

/* Returns 1 and the header, zeroes if it is damaged, 0 if it is not of this
   generation, -1 and an error. */
static int
parse_first_line(const string_t *text, uint32_t generation,
		 struct policy_journal_header *header_r, const char **error_r)
{
	const unsigned char *line = str_data(text);
	const unsigned char *end = memchr(line, '\n', str_len(text));
	const char *error;

	i_zero(header_r);
	if (end == NULL ||
	    policy_journal_header_parse(line, end - line, header_r, &error) !=
	    POLICY_JOURNAL_HEADER_TOO_NEW)
		return generation == 0 || generation == header_r->generation;
	*error_r = t_strdup_printf("the journal in the dict: %s", error);
	return -1;
}

/* Returns 1 if there is a journal of this generation in the dict whose first
   line is not of a newer version, 0 if there is none, -1 and an error. */
static int
find_in_dict(struct policy_store *store, uint32_t generation,
	     const char **error_r)
{
	struct policy_journal_header header;
	string_t *text = t_str_new(JOURNAL_LINE_MAX_SIZE);
	bool damaged;
	int ret;

	ret = store->dict_v->find_journal(store->dict, generation, text,
					  &damaged, error_r);
	return ret <= 0 ? ret :
		parse_first_line(text, generation, &header, error_r);
}

static int
parse_text(const string_t *text, uint32_t generation,
	   struct policy_journal *journal, const char **error_r)
{
	struct journal_reader reader = { .journal = journal };
	struct policy_journal_header header;
	size_t too_long = 0;
	int ret;

	ret = parse_first_line(text, generation, &header, error_r);
	if (ret <= 0)
		return ret;
	journal->epoch = header.epoch;
	journal->generation = header.generation;
	reader.header_expected = header.generation != 0;
	hash_table_create_direct(&reader.indexes, default_pool, 0);
	T_BEGIN {
		journal->torn = read_block(&reader, str_data(text),
					   str_len(text), &too_long) <
			str_len(text);
	} T_END;
	hash_table_destroy(&reader.indexes);
	return 1;
}

static int
read_dict(struct policy_store *store, uint32_t generation,
	  struct policy_journal *journal, const char **error_r)
{
	string_t *text = str_new(default_pool, READ_SIZE);
	bool damaged;
	int ret;

	ret = store->dict_v->get_journal(store->dict, generation, text,
					 &damaged, error_r);
	if (ret > 0)
		ret = parse_text(text, generation, journal, error_r);
	if (ret > 0 && damaged)
		journal->damaged++;
	str_free(&text);
	return ret;
}

static struct policy_journal *journal_alloc(void)
{
	pool_t pool;
	struct policy_journal *journal;

	pool = pool_alloconly_create("policy journal", 16 * 1024);
	journal = p_new(pool, struct policy_journal, 1);
	journal->pool = pool;
	i_array_init(&journal->messages, 128);
	return journal;
}

/* Returns ret, and the journal if that says so. */
static int
finish_read(struct policy_journal *journal, int ret,
	    struct policy_journal **journal_r)
{
	if (ret > 0)
		*journal_r = journal;
	else
		policy_journal_free(&journal);
	return ret;
}

int policy_journal_read(struct policy_store *store, uint32_t generation,
			struct policy_journal **journal_r,
			const char **error_r)
{
	struct policy_journal *journal;
	struct state_dir dir;
	int ret;

	if (store->dict != NULL) {
		journal = journal_alloc();
		ret = read_dict(store, generation, journal, error_r);
		return finish_read(journal, ret, journal_r);
	}
	ret = dir_open(store, &dir, error_r);
	if (ret <= 0)
		return ret;
	journal = journal_alloc();
	ret = read_generation(&dir, generation, journal, error_r);
	dir_close(store, &dir);
	return finish_read(journal, ret, journal_r);
}

void policy_journal_free(struct policy_journal **_journal)
{
	struct policy_journal *journal = *_journal;

	if (journal == NULL)
		return;
	*_journal = NULL;
	array_free(&journal->messages);
	pool_unref(&journal->pool);
}

static int
open_file(struct policy_store *store, uint32_t generation,
	  struct journal_file *file_r, const char **error_r)
{
	struct state_dir dir;
	int ret;

	ret = dir_open(store, &dir, error_r);
	if (ret <= 0)
		return ret;
	ret = journal_file_open(&dir, generation, O_RDONLY, file_r, error_r);
	dir_close(store, &dir);
	return ret;
}

int policy_journal_exists(struct policy_store *store, uint32_t generation,
			  const char **error_r)
{
	struct journal_file file;
	int ret;

	if (store->dict != NULL)
		return find_in_dict(store, generation, error_r);
	ret = open_file(store, generation, &file, error_r);
	if (ret > 0)
		journal_file_close(&file);
	return ret;
}

static int
file_is_torn(const struct policy_store *store, const struct journal_file *file,
	     const char **error_r)
{
	char last;
	ssize_t ret = pread(file->fd, &last, 1, file->size - 1);

	if (ret < 0) {
		*error_r = t_strdup_printf("read(%s/%s) failed: %m",
					   store->path, file->name);
		return -1;
	}
	return ret == 0 || last != '\n' ? 1 : 0;
}

int policy_journal_is_torn(struct policy_store *store, uint32_t generation,
			   const char **error_r)
{
	struct journal_file file;
	bool torn;
	int ret;

	if (store->dict != NULL) {
		ret = store->dict_v->find_journal(store->dict, generation, NULL,
						  &torn, error_r);
		return ret <= 0 ? ret : torn ? 1 : 0;
	}
	ret = open_file(store, generation, &file, error_r);
	if (ret <= 0)
		return ret;
	ret = file_is_torn(store, &file, error_r);
	journal_file_close(&file);
	return ret;
}
