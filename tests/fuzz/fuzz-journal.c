/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "device-names.h"
#include "epoch.h"
#include "journal.h"
#include "journal-line.h"
#include "policy-dict.h"
#include "uidl.h"
#include "fuzz.h"
#include "fuzz-home.h"

/* What is read of a journal is valid and the same in each way of reading it, is
   read again when it is written, and what is appended comes behind it. */

const char *const fuzz_corpus = "journal";

#define NEW_UIDL "the-new-one"

/* Where a store without files has the text, for which nothing else is asked. */
struct policy_dict {
	const uint8_t *data;
	size_t size;
};

static void dict_close(struct policy_dict **dict ATTR_UNUSED)
{
}

static int
dict_get_journal(struct policy_dict *dict, uint32_t generation ATTR_UNUSED,
		 string_t *text_r, bool *damaged_r,
		 const char **error_r ATTR_UNUSED)
{
	str_append_data(text_r, dict->data, dict->size);
	*damaged_r = FALSE;
	return 1;
}

static const struct policy_dict_vfuncs dict_vfuncs = {
	.interface = POLICY_DICT_INTERFACE,
	.close = dict_close,
	.get_journal = dict_get_journal,
};

static void check_printable(const char *text, size_t max_len)
{
	i_assert(strlen(text) <= max_len);
	for (; *text != '\0'; text++)
		i_assert(*text > ' ' && *text <= '~');
}

static void check_message(const struct pop3_message *message)
{
	const struct pop3_message_device *device = message->devices;
	const char *error;

	i_assert(pop3_uidl_is_valid(message->uidl, &error));
	check_printable(message->guid, POP3_GUID_MAX_LEN);
	check_printable(message->hash, JOURNAL_HASH_MAX_LEN);
	i_assert(message->downloaded >= 0 && message->gone >= 0);
	i_assert(pop3_message_devices_count(message) <= POP3_DEVICES_MAX);
	for (; device != NULL && device->name != NULL; device++) {
		i_assert(pop3_device_name_is_valid(device->name, &error));
		i_assert(device->downloaded > 0);
	}
}

static const char *print(const struct pop3_message *message)
{
	string_t *line = t_str_new(256);

	policy_journal_line_print(line, message);
	i_assert(str_len(line) <= JOURNAL_LINE_MAX_SIZE);
	i_assert(str_len(line) == strlen(str_c(line)));
	i_assert(strchr(str_c(line), '\n') ==
		 str_c(line) + str_len(line) - 1);
	return str_c(line);
}

static void assert_same(const struct pop3_message *a,
			const struct pop3_message *b)
{
	i_assert(strcmp(print(a), print(b)) == 0);
}

/* With a space before it the line is not one of the printer's, which are read
   in another way. */
static void check_line(const uint8_t *line, size_t size)
{
	pool_t pool = pool_alloconly_create("fuzz", 1024);
	struct pop3_message message, other, again;
	const char *error = NULL, *text;
	string_t *spaced = t_str_new(size + 2);
	int ret;

	str_append_c(spaced, ' ');
	str_append_data(spaced, line, size);
	ret = policy_journal_line_parse(line, size, pool, &message, &error);
	i_assert(ret >= 0 || error != NULL);
	i_assert(policy_journal_line_parse(str_data(spaced), str_len(spaced),
					   pool, &other, &error) == ret);
	if (ret == 0) {
		check_message(&message);
		assert_same(&message, &other);
		text = print(&message);
		i_assert(policy_journal_line_parse(text, strlen(text) - 1,
						   pool, &again,
						   &error) == 0);
		assert_same(&message, &again);
	}
	pool_unref(&pool);
}

static void check_lines(const uint8_t *data, size_t size)
{
	const uint8_t *end;

	while ((end = memchr(data, '\n', size)) != NULL) T_BEGIN {
		if (end - data <= JOURNAL_LINE_MAX_SIZE)
			check_line(data, end - data);
		size -= end + 1 - data;
		data = end + 1;
	} T_END;
}

static struct policy_store *store_init(void)
{
	return policy_store_init(fuzz_home_dir(), FALSE, NULL);
}

/* Returns NULL if it is of no use. */
static struct policy_journal *
read_journal(struct policy_store *store, uint32_t generation)
{
	struct policy_journal *journal = NULL;
	const char *error = NULL;
	int ret;

	ret = policy_journal_read(store, generation, &journal, &error);
	i_assert((ret > 0) == (journal != NULL));
	i_assert(ret >= 0 || error != NULL);
	return journal;
}

static struct policy_journal *
read_text(const uint8_t *data, size_t size)
{
	struct policy_dict dict = { .data = data, .size = size };
	struct policy_store *store =
		policy_store_init_dict(&dict, &dict_vfuncs, "", NULL);
	struct policy_journal *journal = read_journal(store, 0);

	policy_store_deinit(&store);
	return journal;
}

/* The first count messages. */
static void assert_begins_so(const struct policy_journal *journal,
			     const struct policy_journal *begin)
{
	unsigned int i, count = array_count(&begin->messages);

	i_assert(array_count(&journal->messages) >= count);
	for (i = 0; i < count; i++) T_BEGIN {
		assert_same(array_idx(&journal->messages, i),
			    array_idx(&begin->messages, i));
	} T_END;
}

static void assert_same_journal(const struct policy_journal *a,
				const struct policy_journal *b)
{
	i_assert(a->epoch == b->epoch && a->generation == b->generation &&
		 a->lines == b->lines && a->damaged == b->damaged);
	i_assert(array_count(&a->messages) == array_count(&b->messages));
	assert_begins_so(a, b);
}

/* UIDs are there once. */
static void check_journal(const struct policy_journal *journal)
{
	const struct pop3_message *message, *other;

	array_foreach(&journal->messages, message) {
		T_BEGIN {
			check_message(message);
		} T_END;
		array_foreach(&journal->messages, other) {
			i_assert(message == other || message->uid == 0 ||
				 message->uid != other->uid);
		}
	}
	i_assert(journal->lines >= array_count(&journal->messages) +
		 journal->damaged);
}

static uint32_t unused_uid(const struct policy_journal *journal)
{
	const struct pop3_message *message;
	uint32_t uid = 1;

	array_foreach(&journal->messages, message) {
		if (message->uid >= uid && message->uid < UINT32_MAX)
			uid = message->uid + 1;
	}
	return uid;
}

static void
append(struct policy_store *store, uint32_t generation, uint32_t uid)
{
	const struct pop3_message message = {
		.uid = uid, .guid = "", .hash = "", .uidl = NEW_UIDL
	};
	ARRAY_TYPE(pop3_message) messages;
	struct policy_state *state;
	const char *error;

	t_array_init(&messages, 1);
	array_push_back(&messages, &message);
	if (policy_store_begin(store, &state, &error) != POLICY_STORE_OK ||
	    policy_journal_append(store, generation, &messages, &error) !=
	    POLICY_STORE_OK)
		i_panic("%s", error);
	policy_store_rollback(store);
	policy_state_deinit(&state);
}

/* A torn last line goes, and all others stay. */
static void
check_append(struct policy_store *store, const struct policy_journal *before)
{
	const struct pop3_message *message;
	struct policy_journal *after;
	uint32_t uid = unused_uid(before);
	const char *error;

	if (uid == UINT32_MAX)
		return;
	append(store, before->generation, uid);
	i_assert(policy_journal_is_torn(store, before->generation,
					&error) == 0);
	after = read_journal(store, before->generation);
	i_assert(after->lines == before->lines + 1);
	i_assert(after->damaged == before->damaged);
	i_assert(array_count(&after->messages) ==
		 array_count(&before->messages) + 1);
	assert_begins_so(after, before);
	message = array_back(&after->messages);
	i_assert(message->uid == uid && strcmp(message->uidl, NEW_UIDL) == 0);
	policy_journal_free(&after);
}

static void
replace(struct policy_store *store, const struct policy_journal *journal)
{
	struct policy_state *state;
	struct policy_epoch epoch = {
		.number = 1, .uidvalidity = 1, .uidnext = 1,
		.uidl_format = "%g", .journal_generation = 2
	};
	const char *error;

	if (policy_store_begin(store, &state, &error) != POLICY_STORE_OK)
		i_panic("%s", error);
	policy_state_set_epoch(state, &epoch);
	if (policy_journal_replace(store, 1, 2, &journal->messages, &error) !=
	    POLICY_STORE_OK ||
	    policy_store_commit(store, state, &error) != POLICY_STORE_OK)
		i_panic("%s", error);
	policy_state_deinit(&state);
}

/* Written anew it has the same messages, and nothing else. */
static void
check_replace(struct policy_store *store, const struct policy_journal *before)
{
	struct policy_journal *after;

	replace(store, before);
	after = read_journal(store, 2);
	i_assert(after->lines == array_count(&before->messages));
	i_assert(after->damaged == 0);
	i_assert(array_count(&after->messages) ==
		 array_count(&before->messages));
	assert_begins_so(after, before);
	policy_journal_free(&after);
}

static void check_store(const uint8_t *data, size_t size)
{
	struct policy_store *store = store_init();
	struct policy_journal *journal, *text;

	fuzz_home_write("messages.jsonl", data, size);
	journal = read_journal(store, 0);
	if (journal != NULL) {
		check_journal(journal);
		text = read_text(data, size);
		assert_same_journal(journal, text);
		policy_journal_free(&text);
		if (journal->generation != 0)
			check_append(store, journal);
		check_replace(store, journal);
	}
	policy_journal_free(&journal);
	policy_store_deinit(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_init();
	fuzz_home_init();
	T_BEGIN {
		check_lines(data, size);
		check_store(data, size);
		i_unlink_if_exists(t_strconcat(fuzz_home_dir(), "/state.json",
					       NULL));
	} T_END;
	return 0;
}
