#ifndef POP3_POLICY_DICT_KV_H
#define POP3_POLICY_DICT_KV_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct policy_dict_settings;

/* What we need of a Dovecot dict: keys of one user, read and written one after
   the other. Keys are below one of these; what is below the second is
   numbers. */
#define DICT_KV_DOC "priv/pop3_policy/doc/"
#define DICT_KV_NUM "priv/pop3_policy/num/"

/* A line to the dict server has at most 64 KB, and some characters are escaped
   there. */
#define DICT_KV_MAX_VALUE_SIZE (48 * 1024)

struct dict_kv;
struct dict_kv_transaction;

/* Returns 0 and *kv_r, or -1 and an error. */
int dict_kv_init(const struct policy_dict_settings *set, struct dict_kv **kv_r,
		 const char **error_r);
void dict_kv_deinit(struct dict_kv **kv);

/* The value is in the data stack. Returns 1, 0 if there is none, -1 and an
   error. */
int dict_kv_get(struct dict_kv *kv, const char *key, const char **value_r,
		const char **error_r);
/* Likewise; a value that is no number is an error. */
int dict_kv_get_number(struct dict_kv *kv, const char *key, int64_t *number_r,
		       const char **error_r);

/* Changes take effect together, or not at all. */
struct dict_kv_transaction *dict_kv_begin(struct dict_kv *kv);
void dict_kv_set(struct dict_kv_transaction *trans, const char *key,
		 const char *value);
void dict_kv_set_number(struct dict_kv_transaction *trans, const char *key,
			int64_t number);
void dict_kv_unset(struct dict_kv_transaction *trans, const char *key);
/* The number must be there: some dicts leave out what is not, and do the
   rest. */
void dict_kv_add(struct dict_kv_transaction *trans, const char *key,
		 int64_t number);
/* Returns 1, 0 if a number to add to was not there, -1 and an error: then the
   changes may have been made all the same. */
int dict_kv_commit(struct dict_kv_transaction **trans, const char **error_r);

#endif
