/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "dict-journal.h"
#include "dict-kv.h"
#include "dict-lock.h"
#include "dict-quota.h"
#include "policy-dict-funcs.h"

#define KEY_STATE DICT_KV_DOC"state"
#define KEY_LOGIN DICT_KV_NUM"login"
#define KEY_CORRUPT DICT_KV_DOC"state.corrupt"

struct policy_dict {
	struct dict_kv *kv;
	struct event *event;
	struct dict_lock lock;
	struct dict_quota quota;
	struct dict_journal *journal;
};

int policy_dict_open(const struct policy_dict_settings *set,
		     struct policy_dict **dict_r, const char **error_r)
{
	struct policy_dict *dict;
	struct dict_kv *kv;

	if (dict_kv_init(set, &kv, error_r) < 0)
		return -1;
	dict = i_new(struct policy_dict, 1);
	dict->kv = kv;
	dict->event = event_create(set->event_parent);
	dict_lock_init(&dict->lock, kv, dict->event);
	dict->journal = dict_journal_init(kv);
	*dict_r = dict;
	return 0;
}

void policy_dict_close(struct policy_dict **_dict)
{
	struct policy_dict *dict = *_dict;

	*_dict = NULL;
	dict_lock_deinit(&dict->lock);
	dict_journal_deinit(&dict->journal);
	dict_kv_deinit(&dict->kv);
	event_unref(&dict->event);
	i_free(dict);
}

int policy_dict_get_state(struct policy_dict *dict, const char **text_r,
			  const char **error_r)
{
	return dict_kv_get(dict->kv, KEY_STATE, text_r, error_r);
}

int policy_dict_get_quota(struct policy_dict *dict,
			  struct pop3_quota_counters *counters,
			  const char **error_r)
{
	return dict_quota_read(&dict->quota, dict->kv, counters, error_r);
}

enum policy_store_result
policy_dict_lock(struct policy_dict *dict, const char *place,
		 const char **error_r)
{
	switch (dict_lock_take(&dict->lock, place, error_r)) {
	case DICT_LOCK_OK:
		return POLICY_STORE_OK;
	case DICT_LOCK_UNWRITABLE:
		return POLICY_STORE_UNWRITABLE;
	case DICT_LOCK_FAILED:
		break;
	}
	return POLICY_STORE_UNUSABLE;
}

void policy_dict_unlock(struct policy_dict *dict)
{
	dict_journal_forget(dict->journal);
	dict_lock_release(&dict->lock);
}

static int
write_all(struct policy_dict *dict, const char *text,
	  const struct pop3_quota_counters *counters,
	  const struct dict_quota_news *news, const char **error_r)
{
	struct dict_kv_transaction *trans = dict_kv_begin(dict->kv);
	int ret;

	dict_quota_write(&dict->quota, trans, counters, news);
	dict_journal_write(dict->journal, trans);
	dict_kv_set(trans, KEY_STATE, text);
	dict_lock_release_by(&dict->lock, trans);
	ret = dict_kv_commit(&trans, error_r);
	if (ret == 0) {
		/* all else was written */
		e_error(dict->event, "numbers of the quota have vanished from "
			"the dict: what this session took does not count");
	}
	return ret < 0 ? -1 : 0;
}

enum policy_store_result
policy_dict_write(struct policy_dict *dict, const char *text,
		  const struct pop3_quota_counters *counters,
		  const char **error_r)
{
	struct dict_quota_news news;
	enum policy_store_result result = POLICY_STORE_UNUSABLE;

	if (strlen(text) > DICT_KV_MAX_VALUE_SIZE) {
		*error_r = t_strdup_printf("the state would have %zu octets, "
			"expected at most %u: remove what others have put "
			"there", strlen(text), DICT_KV_MAX_VALUE_SIZE);
		dict_lock_release(&dict->lock);
	} else if (dict_quota_look_ahead(&dict->quota, dict->kv, counters,
					 &news, error_r) < 0 ||
		   dict_journal_look_ahead(dict->journal, error_r) < 0) {
		dict_lock_release(&dict->lock);
	} else if (dict_lock_check(&dict->lock, error_r) == 0 &&
		   write_all(dict, text, counters, &news, error_r) == 0) {
		result = POLICY_STORE_OK;
	}
	dict_journal_forget(dict->journal);
	return result;
}

const char *policy_dict_set_aside(struct policy_dict *dict, const char *text,
				  const char **error_r)
{
	struct dict_kv_transaction *trans = dict_kv_begin(dict->kv);

	dict_kv_set(trans, KEY_CORRUPT, text);
	dict_kv_unset(trans, KEY_STATE);
	return dict_kv_commit(&trans, error_r) < 0 ? NULL :
		"doc/state.corrupt";
}

int policy_dict_get_journal(struct policy_dict *dict, uint32_t generation,
			    string_t *text_r, bool *damaged_r,
			    const char **error_r)
{
	return dict_journal_read(dict->journal, generation, text_r, damaged_r,
				 error_r);
}

int policy_dict_find_journal(struct policy_dict *dict, uint32_t generation,
			     string_t *text_r, bool *damaged_r,
			     const char **error_r)
{
	return dict_journal_find(dict->journal, generation, text_r, damaged_r,
				 error_r);
}

enum policy_store_result
policy_dict_append_journal(struct policy_dict *dict, uint32_t generation,
			   const string_t *lines, const char **error_r)
{
	int ret;

	i_assert(dict->lock.held);

	ret = dict_journal_append(dict->journal, generation, lines, error_r);
	if (ret == 0) {
		*error_r = t_strdup_printf("the journal in the dict is not of "
			"generation %u", generation);
	}
	return ret > 0 ? POLICY_STORE_OK : POLICY_STORE_UNUSABLE;
}

void policy_dict_replace_journal(struct policy_dict *dict, uint32_t generation,
				 const string_t *text)
{
	i_assert(dict->lock.held);

	dict_journal_replace(dict->journal, generation, text);
}

int policy_dict_get_login_stamp(struct policy_dict *dict, uint64_t *number_r,
				const char **error_r)
{
	int64_t number = 0;

	if (dict_kv_get_number(dict->kv, KEY_LOGIN, &number, error_r) < 0)
		return -1;
	*number_r = (uint64_t)I_MAX(number, 0);
	return 0;
}

int policy_dict_set_login_stamp(struct policy_dict *dict, uint64_t number,
				const char **error_r)
{
	struct dict_kv_transaction *trans;

	i_assert(dict->lock.held);

	trans = dict_kv_begin(dict->kv);
	dict_kv_set_number(trans, KEY_LOGIN,
			   (int64_t)I_MIN(number, (uint64_t)INT64_MAX));
	return dict_kv_commit(&trans, error_r) < 0 ? -1 : 0;
}
