/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "test-common.h"
#include "dict-clock.h"
#include "test-kv.h"

#define ROOT "priv/pop3_policy/"

enum change_type {
	CHANGE_SET,
	CHANGE_UNSET,
	CHANGE_ADD
};

struct entry {
	char *key, *value;
};

struct change {
	enum change_type type;
	char *key, *value;
	int64_t number;
};

struct dict_kv {
	ARRAY(struct entry) entries;
};

struct dict_kv_transaction {
	ARRAY(struct change) changes;
};

bool test_kv_is_sql, test_kv_fail_after, test_kv_read_only;
void (*test_kv_hook)(enum test_kv_op op, const char *key);
void (*test_kv_sleep_hook)(void);
unsigned int test_kv_fail_at = UINT_MAX, test_kv_ops;
uint64_t test_kv_msecs;

static struct dict_kv kv;

uint64_t dict_clock_msecs(void)
{
	return test_kv_msecs;
}

void dict_clock_sleep(unsigned int msecs)
{
	test_kv_msecs += msecs;
	if (test_kv_sleep_hook != NULL)
		test_kv_sleep_hook();
}

void test_kv_begin(void)
{
	i_array_init(&kv.entries, 16);
	test_kv_is_sql = test_kv_fail_after = test_kv_read_only = FALSE;
	test_kv_hook = NULL;
	test_kv_sleep_hook = NULL;
	test_kv_fail_at = UINT_MAX;
	test_kv_ops = 0;
	test_kv_msecs = 1000000;
}

static void remove_idx(unsigned int idx)
{
	struct entry *entry = array_idx_modifiable(&kv.entries, idx);

	i_free(entry->key);
	i_free(entry->value);
	array_delete(&kv.entries, idx, 1);
}

void test_kv_end(void)
{
	while (array_count(&kv.entries) > 0)
		remove_idx(0);
	array_free(&kv.entries);
}

static void
ignore_error(const struct failure_context *ctx ATTR_UNUSED,
	     const char *format ATTR_UNUSED, va_list args ATTR_UNUSED)
{
}

void test_kv_ignore_errors(bool ignore)
{
	static failure_callback_t *fatal_cb, *error_cb, *info_cb, *debug_cb;

	if (ignore) {
		i_get_failure_handlers(&fatal_cb, &error_cb, &info_cb,
				       &debug_cb);
	}
	i_set_error_handler(ignore ? ignore_error : error_cb);
}

struct dict_kv *test_kv(void)
{
	return &kv;
}

static struct entry *find(const char *key, unsigned int *idx_r)
{
	struct entry *entry;

	array_foreach_modifiable(&kv.entries, entry) {
		if (strcmp(entry->key, key) == 0) {
			*idx_r = array_foreach_idx(&kv.entries, entry);
			return entry;
		}
	}
	return NULL;
}

static void put(const char *key, const char *value)
{
	unsigned int idx;
	struct entry *entry = find(key, &idx);

	if (entry == NULL) {
		entry = array_append_space(&kv.entries);
		entry->key = i_strdup(key);
	}
	i_free(entry->value);
	entry->value = i_strdup(value);
}

static void unset(const char *key)
{
	unsigned int idx;

	if (find(key, &idx) != NULL)
		remove_idx(idx);
}

const char *test_kv_value(const char *name)
{
	unsigned int idx;
	struct entry *entry = find(t_strconcat(ROOT, name, NULL), &idx);

	return entry == NULL ? NULL : entry->value;
}

void test_kv_put(const char *name, const char *value)
{
	put(t_strconcat(ROOT, name, NULL), value);
}

void test_kv_remove(const char *name)
{
	unset(t_strconcat(ROOT, name, NULL));
}

static int line_cmp(const char *const *a, const char *const *b)
{
	return strcmp(*a, *b);
}

const char *test_kv_all(const char *begin)
{
	ARRAY_TYPE(const_string) lines;
	const struct entry *entry;

	t_array_init(&lines, 16);
	array_foreach(&kv.entries, entry) {
		const char *name = entry->key + strlen(ROOT), *line;

		if (strncmp(name, begin, strlen(begin)) == 0) {
			line = t_strconcat(name, "=", entry->value, NULL);
			array_push_back(&lines, &line);
		}
	}
	array_sort(&lines, line_cmp);
	array_append_zero(&lines);
	return t_strarray_join(array_front(&lines), " ");
}

/* Whether the operation is done, and whether that is told. */
static void
count_op(enum test_kv_op op, const char *key, bool *done_r, bool *told_r)
{
	unsigned int number = test_kv_ops++;

	if (test_kv_hook != NULL)
		test_kv_hook(op, key);
	*told_r = number < test_kv_fail_at;
	*done_r = *told_r || (test_kv_fail_after && number == test_kv_fail_at);
}

int dict_kv_init(const struct policy_dict_settings *set ATTR_UNUSED,
		 struct dict_kv **kv_r, const char **error_r ATTR_UNUSED)
{
	*kv_r = &kv;
	return 0;
}

void dict_kv_deinit(struct dict_kv **_kv)
{
	*_kv = NULL;
}

int dict_kv_get(struct dict_kv *_kv ATTR_UNUSED, const char *key,
		const char **value_r, const char **error_r)
{
	struct entry *entry;
	unsigned int idx;
	bool done, told;

	count_op(TEST_KV_GET, key + strlen(ROOT), &done, &told);
	if (!told) {
		*error_r = "reading failed";
		return -1;
	}
	entry = find(key, &idx);
	if (entry == NULL)
		return 0;
	*value_r = t_strdup(entry->value);
	return 1;
}

int dict_kv_get_number(struct dict_kv *_kv, const char *key, int64_t *number_r,
		       const char **error_r)
{
	const char *value;
	int ret;

	ret = dict_kv_get(_kv, key, &value, error_r);
	if (ret > 0 && str_to_int64(value, number_r) < 0) {
		*error_r = "not a number";
		return -1;
	}
	return ret;
}

struct dict_kv_transaction *dict_kv_begin(struct dict_kv *_kv ATTR_UNUSED)
{
	struct dict_kv_transaction *trans =
		i_new(struct dict_kv_transaction, 1);

	i_array_init(&trans->changes, 8);
	return trans;
}

static struct change *
add_change(struct dict_kv_transaction *trans, enum change_type type,
	   const char *key)
{
	struct change *change = array_append_space(&trans->changes);

	change->type = type;
	change->key = i_strdup(key);
	return change;
}

void dict_kv_set(struct dict_kv_transaction *trans, const char *key,
		 const char *value)
{
	test_assert(strlen(value) <= DICT_KV_MAX_VALUE_SIZE);
	add_change(trans, CHANGE_SET, key)->value = i_strdup(value);
}

void dict_kv_set_number(struct dict_kv_transaction *trans, const char *key,
			int64_t number)
{
	dict_kv_set(trans, key, t_strdup_printf("%"PRId64, number));
}

void dict_kv_unset(struct dict_kv_transaction *trans, const char *key)
{
	(void)add_change(trans, CHANGE_UNSET, key);
}

void dict_kv_add(struct dict_kv_transaction *trans, const char *key,
		 int64_t number)
{
	add_change(trans, CHANGE_ADD, key)->number = number;
}

/* Returns 1, 0 if there is nothing to be added to, -1 if it is no number, or
   would be too large. */
static int make_change(const struct change *change)
{
	unsigned int idx;
	struct entry *entry;
	int64_t number = 0;

	switch (change->type) {
	case CHANGE_SET:
		put(change->key, change->value);
		return 1;
	case CHANGE_UNSET:
		unset(change->key);
		return 1;
	case CHANGE_ADD:
		break;
	}
	entry = find(change->key, &idx);
	if (entry == NULL && test_kv_is_sql)
		return 0;
	if ((entry != NULL && str_to_int64(entry->value, &number) < 0) ||
	    __builtin_add_overflow(number, change->number, &number))
		return -1;
	put(change->key, t_strdup_printf("%"PRId64, number));
	return 1;
}

int dict_kv_commit(struct dict_kv_transaction **_trans, const char **error_r)
{
	struct dict_kv_transaction *trans = *_trans;
	struct change *change;
	bool done, told;
	int ret, all = 1;

	*_trans = NULL;
	count_op(TEST_KV_COMMIT, "", &done, &told);
	if (test_kv_read_only)
		done = told = FALSE;
	array_foreach_modifiable(&trans->changes, change) {
		ret = done ? make_change(change) : 1;
		all = I_MIN(all, ret);
		i_free(change->key);
		i_free(change->value);
	}
	array_free(&trans->changes);
	i_free(trans);
	if (!told || all < 0) {
		*error_r = told ? "not a number to add to" : "writing failed";
		return -1;
	}
	return all;
}
