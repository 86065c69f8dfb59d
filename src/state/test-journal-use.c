/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "strnum.h"
#include "test-common.h"
#include "epoch.h"
#include "test-home.h"
#include "test-store-use.h"
#include "test-journal-use.h"

const ARRAY_TYPE(pop3_message) *test_messages(const char *uids)
{
	ARRAY_TYPE(pop3_message) *messages =
		t_new(ARRAY_TYPE(pop3_message), 1);
	const char *const *uid;

	t_array_init(messages, 8);
	for (uid = t_strsplit_spaces(uids, ","); *uid != NULL; uid++) {
		struct pop3_message message = {
			.guid = "", .hash = "",
			.uidl = t_strconcat("u", *uid, NULL),
		};

		if (str_to_uint32(*uid, &message.uid) < 0)
			i_unreached();
		message.size = message.uid;
		array_push_back(messages, &message);
	}
	return messages;
}

const char *test_journal_read(struct policy_store *store, uint32_t generation)
{
	struct policy_journal *journal = NULL;
	const struct pop3_message *message;
	const char *error = NULL;
	string_t *text = t_str_new(128);
	int ret;

	ret = policy_journal_read(store, generation, &journal, &error);
	if (ret <= 0) {
		test_assert(journal == NULL);
		return ret == 0 ? "none" : t_strconcat("error: ", error, NULL);
	}
	str_printfa(text, "%u %u %u %u:", journal->epoch, journal->generation,
		    journal->lines, journal->damaged);
	array_foreach(&journal->messages, message) {
		str_printfa(text, " %u=%s", message->uid, message->uidl);
		if (message->downloaded != 0) {
			str_printfa(text, "+%s",
				    dec2str(message->downloaded));
		}
		if (message->gone != 0)
			str_printfa(text, "-%s", dec2str(message->gone));
	}
	policy_journal_free(&journal);
	test_assert(journal == NULL);
	policy_journal_free(&journal);
	return str_c(text);
}

void test_state_set_generation(struct policy_state *state, uint32_t generation)
{
	struct policy_epoch epoch;

	i_zero(&epoch);
	epoch.number = 3;
	epoch.uidvalidity = epoch.uidnext = 1;
	epoch.uidl_format = "%u";
	epoch.journal_generation = generation;
	policy_state_set_epoch(state, &epoch);
}

void test_journal_replace(struct policy_store *store, uint32_t generation,
			  const char *uids)
{
	struct policy_state *state;
	const char *error;

	if (!test_store_begin(store, &state))
		return;
	if (policy_journal_replace(store, 3, generation, test_messages(uids),
				   &error) != POLICY_STORE_OK)
		test_assert_strcmp(error, NULL);
	test_state_set_generation(state, generation);
	test_store_commit(store, &state);
}

void test_journal_append(struct policy_store *store, uint32_t generation,
			 const char *uids, enum policy_store_result expected,
			 const char *words, unsigned int idx)
{
	struct policy_state *state;
	const char *error = NULL;

	if (!test_store_begin(store, &state))
		return;
	test_assert_idx(policy_journal_append(store, generation,
			test_messages(uids), &error) == expected, idx);
	if (expected == POLICY_STORE_OK) {
		test_store_commit(store, &state);
		return;
	}
	test_assert_idx(error != NULL, idx);
	if (error != NULL && strstr(error, words) == NULL)
		test_assert_strcmp_idx(error, words, idx);
	policy_store_rollback(store);
	policy_state_deinit(&state);
}
