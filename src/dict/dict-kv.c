/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "dict-private.h"
#include "compat-dict.h"
#include "policy-dict.h"
#include "dict-kv.h"

struct dict_kv {
	struct dict *dict;
	struct event *event;
	/* for errors: the URI of 2.3 may have a password further on */
	char *name;
	char *username;
	struct dict_op_settings set;
};

struct dict_kv_transaction {
	struct dict_kv *kv;
	struct dict_transaction_context *ctx;
};

struct commit_result {
	int ret;
	char *error;
};

/* Others are of one host (file, fs), forget (memcached), or cannot add. */
static bool driver_is_known(const struct dict *dict)
{
	return strcmp(dict->name, "redis") == 0 ||
		strcmp(dict->name, "proxy") == 0;
}

static int
open_dict(const struct policy_dict_settings *set, struct event *event,
	  struct dict **dict_r, const char **error_r)
{
	struct dict *dict;

	/* Redis has "a/b" of one user where it has "a\-b" of another */
	if (strchr(set->username, '\\') != NULL) {
		*error_r = "user names with a backslash are not told apart "
			"there";
		return -1;
	}
	if (compat_dict_init(set->name, set->base_dir, event, &dict,
			     error_r) < 0)
		return -1;
	if (!driver_is_known(dict)) {
		*error_r = t_strdup_printf("driver %s is not supported, "
			"expected redis, or proxy for the dict server",
			dict->name);
		dict_deinit(&dict);
		return -1;
	}
	*dict_r = dict;
	return 0;
}

int dict_kv_init(const struct policy_dict_settings *set, struct dict_kv **kv_r,
		 const char **error_r)
{
	const char *name = t_strcut(set->name, ':'), *error;
	struct event *event = event_create(set->event_parent);
	struct dict_kv *kv;
	struct dict *dict;

	if (open_dict(set, event, &dict, &error) < 0) {
		*error_r = t_strdup_printf("dict:%s: %s", name, error);
		event_unref(&event);
		return -1;
	}
	kv = i_new(struct dict_kv, 1);
	kv->dict = dict;
	kv->event = event;
	kv->name = i_strdup(name);
	kv->username = i_strdup(set->username);
	kv->set.username = kv->username;
	*kv_r = kv;
	return 0;
}

void dict_kv_deinit(struct dict_kv **_kv)
{
	struct dict_kv *kv = *_kv;

	*_kv = NULL;
	dict_wait(kv->dict);
	dict_deinit(&kv->dict);
	event_unref(&kv->event);
	i_free(kv->username);
	i_free(kv->name);
	i_free(kv);
}

/* Of a key the part that is ours. */
static const char *key_name(const char *key)
{
	return key + strlen("priv/pop3_policy/");
}

int dict_kv_get(struct dict_kv *kv, const char *key, const char **value_r,
		const char **error_r)
{
	/* 2.3 looks at it when there is none */
	const char *error = NULL;
	int ret;

	ret = dict_lookup(kv->dict, &kv->set, pool_datastack_create(), key,
			  value_r, &error);
	if (ret < 0) {
		*error_r = t_strdup_printf("dict:%s: reading %s failed: %s",
					   kv->name, key_name(key), error);
	}
	return ret;
}

int dict_kv_get_number(struct dict_kv *kv, const char *key, int64_t *number_r,
		       const char **error_r)
{
	const char *value;
	int ret;

	ret = dict_kv_get(kv, key, &value, error_r);
	if (ret > 0 && str_to_int64(value, number_r) < 0) {
		*error_r = t_strdup_printf("dict:%s: %s is \"%s\", expected a "
			"whole number", kv->name, key_name(key),
			t_strndup(value, 80));
		return -1;
	}
	return ret;
}

struct dict_kv_transaction *dict_kv_begin(struct dict_kv *kv)
{
	struct dict_kv_transaction *trans =
		i_new(struct dict_kv_transaction, 1);

	trans->kv = kv;
	trans->ctx = dict_transaction_begin(kv->dict, &kv->set);
	return trans;
}

void dict_kv_set(struct dict_kv_transaction *trans, const char *key,
		 const char *value)
{
	dict_set(trans->ctx, key, value);
}

void dict_kv_set_number(struct dict_kv_transaction *trans, const char *key,
			int64_t number)
{
	dict_set(trans->ctx, key, t_strdup_printf("%"PRId64, number));
}

void dict_kv_unset(struct dict_kv_transaction *trans, const char *key)
{
	dict_unset(trans->ctx, key);
}

void dict_kv_add(struct dict_kv_transaction *trans, const char *key,
		 int64_t number)
{
	dict_atomic_inc(trans->ctx, key, number);
}

static void
commit_callback(const struct dict_commit_result *result,
		struct commit_result *r)
{
	r->ret = result->ret;
	r->error = i_strdup(result->error);
}

int dict_kv_commit(struct dict_kv_transaction **_trans, const char **error_r)
{
	struct dict_kv_transaction *trans = *_trans;
	struct dict_kv *kv = trans->kv;
	struct commit_result result = { .ret = DICT_COMMIT_RET_FAILED };

	*_trans = NULL;
	/* Redis on 2.3 calls back twice for a commit that waits by itself */
	dict_transaction_commit_async(&trans->ctx, commit_callback, &result);
	dict_wait(kv->dict);
	if (result.ret < 0) {
		*error_r = t_strdup_printf("dict:%s: writing failed: %s",
			kv->name, result.error == NULL ? "no reply" :
			result.error);
	}
	i_free(result.error);
	i_free(trans);
	return result.ret < 0 ? -1 : result.ret;
}
