/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "hostpid.h"
#include "str.h"
#include "test-common.h"
#include "epoch.h"
#include "journal.h"
#include "login-stamp.h"
#include "policy-dict.h"
#include "pop3-policy-dict-plugin.h"
#include "store-private.h"
#include "test-home.h"
#include "test-kv.h"
#include "uidl.h"
#include "fuzz.h"
#include "fuzz-home.h"

/* Whatever the dict of a user has, it is read as what it is or refused with an
   error, nothing stays locked, and what is written is read again. */

const char *const fuzz_corpus = "dict";

/* A line of the input: "NAME VALUE", in which \n is a line end. */
static void put_line(const char *line)
{
	const char *value = strchr(line, ' '), *p;
	string_t *text = t_str_new(256);

	if (value == NULL || value == line)
		return;
	for (p = value + 1; *p != '\0'; p++) {
		if (p[0] == '\\' && p[1] == 'n') {
			str_append_c(text, '\n');
			p++;
		} else {
			str_append_c(text, *p);
		}
	}
	/* the dict server takes no more */
	if (str_len(text) <= DICT_KV_MAX_VALUE_SIZE)
		test_kv_put(t_strdup_until(line, value), str_c(text));
}

static void put_lines(const char *text)
{
	const char *const *lines = t_strsplit(text, "\n");

	for (; *lines != NULL; lines++) T_BEGIN {
		put_line(*lines);
	} T_END;
}

/* Who waits for a lock must not look hundreds of times. */
static void sleep_longer(void)
{
	test_kv_msecs += 500;
}

static struct policy_store *store_init(void)
{
	const struct policy_dict_settings set = {
		.name = "fuzz", .username = "user"
	};
	const struct policy_dict_vfuncs *v = &pop3_policy_dict_plugin_vfuncs;
	struct policy_dict *dict;
	const char *error;

	if (v->open(&set, &dict, &error) < 0)
		i_panic("%s", error);
	return policy_store_init_dict(dict, v, "", NULL);
}

static void check_epoch(const struct policy_epoch *epoch)
{
	i_assert(epoch->number > 0);
	i_assert(epoch->anchors_count <= POLICY_EPOCH_MAX_ANCHORS);
	i_assert(array_count(&epoch->told) <= POLICY_EPOCH_MAX_TOLD);
}

/* What was given back twice is nothing, not very much. */
static void check_counters(const struct pop3_quota_counters *counters)
{
	unsigned int w, r;

	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++)
			i_assert(counters->window[w].used.n[r] <= INT64_MAX);
	}
}

static void check_state(struct policy_state *state)
{
	check_counters(policy_state_quota(state));
	if (policy_state_epoch(state) != NULL)
		check_epoch(policy_state_epoch(state));
}

/* Reading writes nothing. */
static void check_read(struct policy_store *store)
{
	struct policy_state *state = NULL;
	struct policy_epoch brief;
	pool_t pool = pool_alloconly_create("fuzz", 1024);
	const char *error = NULL, *before = test_kv_all("");
	int ret;

	if (policy_store_look(store, &state, &error) != POLICY_STORE_OK)
		i_assert(error != NULL);
	else if (state != NULL)
		check_state(state);
	policy_state_deinit(&state);
	error = NULL;
	ret = policy_store_read_brief(store, pool, &brief, &error);
	i_assert(ret >= 0 || error != NULL);
	pool_unref(&pool);
	i_assert(strcmp(before, test_kv_all("")) == 0);
}

static void check_journal(struct policy_store *store, uint32_t generation)
{
	const struct pop3_message *message;
	struct policy_journal *journal = NULL;
	const char *error = NULL;
	int ret;

	ret = policy_journal_read(store, generation, &journal, &error);
	i_assert((ret > 0) == (journal != NULL));
	i_assert(ret >= 0 || error != NULL);
	if (journal != NULL) {
		i_assert(generation == 0 || journal->generation == generation);
		array_foreach(&journal->messages, message)
			i_assert(pop3_uidl_is_valid(message->uidl, &error));
	}
	policy_journal_free(&journal);
	error = NULL;
	ret = policy_journal_exists(store, generation, &error);
	i_assert(ret >= 0 || error != NULL);
	error = NULL;
	ret = policy_journal_is_torn(store, generation, &error);
	i_assert(ret >= 0 || error != NULL);
}

static uint32_t generation_of(const struct policy_state *state)
{
	const struct policy_epoch *epoch = policy_state_epoch(state);

	return epoch == NULL ? 0 : epoch->journal_generation;
}

/* Returns FALSE if there is no such journal. */
static bool
append(struct policy_store *store, uint32_t generation, const char **error_r)
{
	const struct pop3_message message = {
		.uid = 4711, .guid = "", .hash = "", .uidl = "the-new-one"
	};
	ARRAY_TYPE(pop3_message) messages;

	t_array_init(&messages, 1);
	array_push_back(&messages, &message);
	return policy_journal_append(store, generation, &messages, error_r) ==
		POLICY_STORE_OK;
}

/* Add to the counters and the journal, as a session does. */
static void check_write(struct policy_store *store, bool with_journal)
{
	struct pop3_quota_counter *day;
	struct policy_state *state = NULL;
	const char *error = NULL;
	uint64_t expected;

	if (policy_store_begin(store, &state, &error) != POLICY_STORE_OK) {
		i_assert(error != NULL);
		policy_state_deinit(&state);
		return;
	}
	if (with_journal && generation_of(state) != 0 &&
	    !append(store, generation_of(state), &error)) {
		i_assert(error != NULL);
		policy_store_rollback(store);
		policy_state_deinit(&state);
		return;
	}
	day = &policy_state_quota(state)->window[POP3_QUOTA_WINDOW_DAY];
	if (day->start == 0)
		day->start = 1700000000;
	day->used.n[POP3_QUOTA_BYTES] =
		I_MIN(pop3_quota_add(day->used.n[POP3_QUOTA_BYTES], 100),
		      INT64_MAX / 2);
	expected = day->used.n[POP3_QUOTA_BYTES];
	error = NULL;
	if (policy_store_commit(store, state, &error) != POLICY_STORE_OK) {
		i_assert(error != NULL);
		policy_state_deinit(&state);
		return;
	}
	policy_state_deinit(&state);
	if (policy_store_read(store, &state, &error) != POLICY_STORE_OK)
		i_panic("%s", error);
	day = &policy_state_quota(state)->window[POP3_QUOTA_WINDOW_DAY];
	i_assert(day->used.n[POP3_QUOTA_BYTES] == expected);
	policy_state_deinit(&state);
}

static void check_stamp(struct policy_store *store)
{
	const char *error = NULL;
	uint64_t number;
	bool set;

	if (policy_login_stamp_read(store, &number, &error) !=
	    POLICY_STORE_OK) {
		i_assert(error != NULL);
		return;
	}
	i_assert(number <= INT64_MAX);
	if (policy_login_stamp_set(store, number, number / 2 + 1, &set,
				   &error) != POLICY_STORE_OK) {
		i_assert(error != NULL);
		return;
	}
	i_assert(set);
	if (policy_login_stamp_read(store, &number, &error) !=
	    POLICY_STORE_OK)
		i_panic("%s", error);
}

static void check_store(const char *text)
{
	struct policy_store *store = store_init();

	put_lines(text);
	T_BEGIN {
		check_read(store);
		check_journal(store, 0);
		check_journal(store, 1);
	} T_END;
	T_BEGIN {
		check_write(store, TRUE);
		check_write(store, FALSE);
	} T_END;
	T_BEGIN {
		check_stamp(store);
		check_journal(store, 0);
	} T_END;
	i_assert(!store->dict_locked);
	policy_store_deinit(&store);
	i_assert(!test_has_failed());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool begun;

	fuzz_init();
	fuzz_ignore_errors();
	if (!begun)
		test_begin("fuzz");
	begun = TRUE;
	test_time = 1700000000;
	my_hostname = "here";
	T_BEGIN {
		test_kv_begin();
		test_kv_is_sql = size % 2 == 1;
		test_kv_sleep_hook = sleep_longer;
		check_store(fuzz_text(data, size));
		test_kv_end();
	} T_END;
	return 0;
}
